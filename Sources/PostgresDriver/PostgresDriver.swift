import CLibPQ
package import ConnectionPool
package import EventLoop
import RigModel
package import Threading

/// Opens connections to a PostgreSQL server through libpq, without ever blocking a thread.
package struct PostgresDriver: Driver {
    package let configuration: PostgresConfiguration
    private let loops: EventLoopGroup
    private let resolver: HostResolver
    private let statements = StatementCacheLedger()

    /// - Parameter loops: do the waiting for all connections; they must outlive them. A connection that is opened on one of
    ///   them stays there, until somebody on another one borrows it.
    package init(configuration: PostgresConfiguration, loops: EventLoopGroup) {
        self.init(configuration: configuration, loops: loops, resolver: HostResolver())
    }

    /// With one loop for all connections.
    package init(configuration: PostgresConfiguration, loop: EventLoop) {
        self.init(configuration: configuration, loops: EventLoopGroup(loops: [loop]))
    }

    init(configuration: PostgresConfiguration, loops: EventLoopGroup, resolver: HostResolver) {
        self.configuration = configuration
        self.loops = loops
        self.resolver = resolver
    }

    package var statementCacheCounts: StatementCacheCounts { statements.total }

    /// Opens a connection. The deadline covers everything: address lookup, all addresses that are tried, TLS, password.
    ///
    /// - Throws: ``DriverError`` with `connectFailed` (and the server's SQLSTATE, where it gave one), `timedOut`, or
    ///   `cancelled`. Nothing is left behind then.
    package func connect(deadline: MonotonicInstant) async throws(DriverError) -> PostgresConnection {
        let loop = loops.nearest()
        let slot = loop.makeSlot()
        let places = try await places(on: loop, slot: slot, until: deadline)
        guard
            let session = Session(
                parameters: configuration.parameters(for: places),
                statementCacheSize: configuration.statementCacheSize, ledger: statements)
        else {
            throw DriverError(.connectFailed(sqlState: nil), "libpq has no memory for a connection", requestSent: false)
        }
        do {
            try await shakeHands(session, on: loop, slot: slot, until: deadline)
        } catch {
            session.finish()
            throw error
        }
        return PostgresConnection(
            session: session, loop: loop, copyWindDownLimit: configuration.copyWindDownLimit)
    }

    /// The servers with their addresses; a name with several addresses becomes several places.
    private nonisolated(nonsending) func places(
        on loop: EventLoop, slot: WaitSlot, until deadline: MonotonicInstant
    ) async throws(DriverError) -> [ConnectPlace] {
        var places: [ConnectPlace] = []
        for target in configuration.targets {
            let port = target.endpoint.port
            if target.endpoint.isUnixSocket {
                places.append(ConnectPlace(name: target.name, address: nil, port: port))
                continue
            }
            let addresses = try await resolver.addresses(
                of: target.endpoint.host, loop: loop, slot: slot, until: deadline)
            places += addresses.map { ConnectPlace(name: target.name, address: $0, port: port) }
        }
        return places
    }

    private nonisolated(nonsending) func shakeHands(
        _ session: Session, on loop: EventLoop, slot: WaitSlot, until deadline: MonotonicInstant
    ) async throws(DriverError) {
        // libpq: before the first PQconnectPoll behave as if it had asked to wait for writing.
        var next = session.status == CONNECTION_BAD ? PGRES_POLLING_FAILED : PGRES_POLLING_WRITING
        while next != PGRES_POLLING_OK {
            guard next == PGRES_POLLING_READING || next == PGRES_POLLING_WRITING else {
                throw ConnectFailure.error(libpqText: session.lastWords, target: configuration.shownTarget)
            }
            do {
                // Each time anew: libpq changes its socket when it tries another address, or again without TLS.
                try await loop.wait(
                    slot, session.socket, for: next == PGRES_POLLING_READING ? .readable : .writable, until: deadline)
            } catch {
                throw interruption(error, of: session)
            }
            next = session.pollConnect()
        }
        guard session.becomeNonBlocking(loop: loop) else {
            throw ConnectFailure.error(libpqText: session.lastWords, target: configuration.shownTarget)
        }
    }

    private func interruption(_ error: LoopError, of session: Session) -> DriverError {
        let stage = session.status == CONNECTION_STARTED ? "the address did not answer" : "the server did not answer"
        let failure = DriverError(
            interruption: error, "connecting to \(configuration.shownTarget): \(stage) yet", requestSent: false)
        guard case .system = error else { return failure }
        return DriverError(.connectFailed(sqlState: nil), failure.message, requestSent: false)
    }
}

extension PostgresConfiguration {
    /// Where connections go, for messages.
    var shownTarget: String { targets.map(\.endpoint.description).joined(separator: ", ") }
}
