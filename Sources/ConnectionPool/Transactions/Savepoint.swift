import RigModel
public import Threading

/// The name of a savepoint: a plain SQL identifier, so that it needs no quotes.
public struct SavepointName: Sendable, Hashable, ExpressibleByStringLiteral, CustomStringConvertible {
    public let text: String

    /// `nil` unless the text is 1 to 63 ASCII letters, digits and `_`, and begins with no digit.
    public init?(_ text: String) {
        guard Self.isValid(text) else { return nil }
        self.text = text
    }

    /// Traps on what is not a name: it stands in the program's text.
    public init(stringLiteral text: String) {
        precondition(Self.isValid(text), "\"\(text)\" is no name for a savepoint: letters, digits and _, at most 63")
        self.text = text
    }

    public var description: String { text }

    /// Savepoints that nobody names share one name, also nested ones: a name means the innermost savepoint that has it, and
    /// equal texts are found in caches.
    public static let unnamed: SavepointName = "chaosrig_savepoint"

    private static func isValid(_ text: String) -> Bool {
        guard (1...63).contains(text.utf8.count), let first = text.utf8.first else { return false }
        func isDigit(_ byte: UInt8) -> Bool { (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(byte) }
        func isLetter(_ byte: UInt8) -> Bool {
            (UInt8(ascii: "a")...UInt8(ascii: "z")).contains(byte | 0x20) || byte == UInt8(ascii: "_")
        }
        return !isDigit(first) && text.utf8.allSatisfy { isLetter($0) || isDigit($0) }
    }
}

extension Lease {
    /// Runs `body` so that it can fail alone: what it did is kept when it returns, and undone when it throws, and the
    /// transaction around it goes on either way. May be nested.
    ///
    /// Where the part cannot be undone the connection is cut, so that nobody commits half of it. A cancelled task sends
    /// nothing any more; it cannot commit, either.
    ///
    /// - Throws: ``DriverError`` when no transaction is open (nothing is sent then), or a savepoint statement failed; whatever
    ///   `body` throws.
    public func withSavepoint<R>(
        _ name: SavepointName = .unnamed, deadline: MonotonicInstant = .distantFuture,
        _ body: (borrowing Lease<D>) async throws -> R
    ) async throws -> R {
        guard connection.transactionStatus != .idle else {
            // SQLite would open a transaction of its own, and its release would commit.
            throw DriverError(
                .server(sqlState: "25P01"),
                "a savepoint needs an open transaction: use it inside withTransaction", requestSent: false)
        }
        try await savepoint("SAVEPOINT \(name)", deadline)
        let result: R
        do {
            result = try await body(self)
        } catch {
            await undo(name, deadline)
            throw error
        }
        try await savepoint("RELEASE SAVEPOINT \(name)", deadline)
        return result
    }

    private func undo(_ name: SavepointName, _ deadline: MonotonicInstant) async {
        guard connection.transactionStatus != .unusable, !Task.isCancelled else { return }
        do throws(DriverError) {
            try await savepoint("ROLLBACK TO SAVEPOINT \(name)", deadline)
            try await savepoint("RELEASE SAVEPOINT \(name)", deadline)
        } catch {
            if !Task.isCancelled { connection.abort() }
        }
    }

    /// Not worth preparing, and without an effect of its own that could be in doubt: that is what BEGIN's role means, too.
    private func savepoint(_ text: String, _ deadline: MonotonicInstant) async throws(DriverError) {
        _ = try await execute(SQLStatement(text, role: .begin), deadline: deadline)
    }
}
