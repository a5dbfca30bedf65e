package import RigModel
import Threading

/// Somebody else holds the write lock of the embedded database: a backup, a migration, another process.
///
/// Landed: a write that does not wait gets SQLITE_BUSY.
package struct LockDatabase: Fault {
    package static let shape = Shape(
        name: "lock-database", summary: "another connection holds the write lock of the SQLite database",
        isLasting: true)

    package init(_ parameters: Parameters) {}

    package var needs: Set<StagePart> { [.file] }
    package var claims: Set<Claim> { [.databaseFile] }
    package var ownDuration: Duration? { nil }
    package var detail: String { "write lock held" }
    package func makeInjection(seed: UInt64) -> any Injection { HeldLock() }

    private struct HeldLock: Injection {
        /// The workload itself may hold the lock for a moment when it is looked at.
        private static let tries = 100

        func inject(on stage: FaultStage) async throws { try await stage.needed(stage.file, .file).lock() }

        func prove(on stage: FaultStage) async -> Landing {
            let code = await stage.file?.tryWrite() ?? "no file"
            return Landing(landed: code.hasPrefix("SQLITE_BUSY"), evidence: ["write_without_waiting": .string(code)])
        }

        func heal(on stage: FaultStage) async throws -> JSONValue {
            let file = try stage.needed(stage.file, .file)
            try await file.unlock()
            var code = ""
            for _ in 1...Self.tries {
                code = await file.tryWrite()
                if code == "SQLITE_OK" { return ["write_without_waiting": .string(code)] }
                try await Task.sleep(for: .milliseconds(10))
            }
            throw InjectionError("the lock was given up, but a write still gets \(code)")
        }
    }
}
