import Glibc
import HostSystem
package import RigModel
import Threading

/// Processes of the server stand still (SIGSTOP): a virtual machine that is moved, a disk that hangs. The kernel still
/// answers for them, so neither keep-alives nor `tcp_user_timeout` notice; only a client's own limit does.
///
/// Landed: /proc says that they are stopped, and where it is not one backend, a new connection gets no answer.
package struct Freeze: Fault {
    package static let shape = Shape(
        name: "freeze", summary: "the server, its postmaster or one backend stands still (SIGSTOP) and goes on later",
        parameters: [
            Parameter(
                "what", .choice(Part.allCases.map(\.rawValue)), default: .choice("server"),
                summary: "server (all its processes), postmaster (no new sessions), backend (one of the pool's)"),
            SessionHunt.parameter,
        ], isLasting: true)

    enum Part: String, CaseIterable {
        case server
        case postmaster
        case backend
    }

    private let what: Part
    private let hunt: SessionHunt

    package init(_ parameters: Parameters) {
        what = parameters.choice("what").flatMap(Part.init) ?? .server
        hunt = SessionHunt(parameters)
    }

    package var needs: Set<StagePart> { what == .backend ? [.server, .sessions] : [.server] }
    package var claims: Set<Claim> { what == .backend ? [] : [.serverLife] }
    // A backend that stands still holds up every shutdown.
    package var uses: Set<Claim> { what == .backend ? [.serverLife] : [] }
    package var ownDuration: Duration? { nil }
    package var detail: String { what == .backend ? "one \(hunt.words)" : what.rawValue }
    package func makeInjection(seed: UInt64) -> any Injection {
        Stillness(what: what, hunt: hunt, seed: seed)
    }

    private actor Stillness: Injection {
        private static let signalLimit = Duration.seconds(5)
        private static let silence = Duration.milliseconds(500)
        private static let wakeLimit = Duration.seconds(20)
        /// The postmaster is stopped first, so few processes can begin after the first look.
        private static let looks = 10

        private let what: Part
        private let hunt: SessionHunt
        private let seed: UInt64
        private var stopped: [(process: ProcessIdentity, entry: Int)] = []

        init(what: Part, hunt: SessionHunt, seed: UInt64) {
            self.what = what
            self.hunt = hunt
            self.seed = seed
        }

        func inject(on stage: FaultStage) async throws {
            let server = try stage.needed(stage.server, .server)
            switch what {
            case .backend:
                guard let found = try await hunt.find(try stage.needed(stage.sessions, .sessions), server, seed: seed)
                else { return }
                try await stop(found.victim, server, stage.journal)
            case .postmaster:
                let pid = await server.postmasterPID()
                guard let postmaster = await server.processes().first, postmaster.pid == pid else {
                    throw InjectionError("the server does not run: there is nothing to stop")
                }
                try await stop(postmaster, server, stage.journal)
            case .server:
                for _ in 1...Self.looks {
                    let known = Set(stopped.map(\.process))
                    let new = await server.processes().filter { !known.contains($0) }
                    if new.isEmpty { break }
                    for process in new { try await stop(process, server, stage.journal) }
                }
                guard !stopped.isEmpty else {
                    throw InjectionError("the server does not run: there is nothing to stop")
                }
            }
        }

        private func stop(
            _ process: ProcessIdentity, _ server: any ServerControl, _ journal: any UndoJournal
        ) async throws {
            let entry = try journal.willChange(
                .continueProcess(pid: process.pid, startTicks: process.startTicks))
            stopped.append((process, entry))
            guard await server.signal(process, SIGSTOP) else { return }  // it ended meanwhile
            let isStill = await eventually(within: Self.signalLimit, every: .milliseconds(2)) {
                await server.state(of: process) != .running
            }
            guard isStill else { throw InjectionError("process \(process.pid) still runs after SIGSTOP") }
        }

        func prove(on stage: FaultStage) async -> Landing {
            guard let server = stage.server, !stopped.isEmpty else { return hunt.nothingFound }
            var answer: ConnectAnswer?
            let askedAt = MonotonicInstant.now
            if what == .backend {
                // A stopped process that was only looked at once may have been stopped by chance, as by a debugger.
                try? await Task.sleep(for: Self.silence)
            } else {
                answer = await server.tryConnect(within: Self.silence)
            }
            var still = 0
            for (process, _) in stopped where await server.state(of: process) == .stopped { still += 1 }
            var evidence: [JSONValue.Member] = [
                .init("stopped", JSONValue(still)),
                .init("pids", .array(stopped.prefix(20).map { JSONValue($0.process.pid) })),
            ]
            if let answer {
                // Less than it was given, where the fault ended first.
                evidence.append(.init("connect", .string(answer.words)))
                evidence.append(.init("waited_ms", .double(askedAt.duration(to: .now).milliseconds)))
            }
            let hasLanded = still > 0 && (answer ?? .noAnswer) == .noAnswer
            if !hasLanded {
                evidence.append(
                    .init("reason", still == 0 ? "no process is stopped" : "a new connection got an answer"))
            }
            return Landing(landed: hasLanded, evidence: .object(evidence))
        }

        func heal(on stage: FaultStage) async throws -> JSONValue {
            let server = try stage.needed(stage.server, .server)
            var gone = 0
            var stillStopped: [Int32] = []
            // The postmaster last: its children must be able to hear what it tells them.
            for (process, entry) in stopped.reversed() {
                let wasThere = await server.signal(process, SIGCONT)
                let isAwake = await eventually(within: Self.signalLimit, every: .milliseconds(2)) {
                    await server.state(of: process) != .stopped
                }
                if !wasThere { gone += 1 }
                if isAwake { try stage.journal.didUndo(entry) } else { stillStopped.append(process.pid) }
            }
            guard stillStopped.isEmpty else {
                throw InjectionError("still stopped after SIGCONT: \(stillStopped)")
            }
            if what != .backend, !stopped.isEmpty, await server.postmasterPID() != nil {
                try await server.waitUntilServing(within: Self.wakeLimit)
            }
            let count = stopped.count
            stopped = []
            return ["continued": JSONValue(count - gone), "ended_meanwhile": JSONValue(gone)]
        }
    }
}
