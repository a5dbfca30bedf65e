import ConnectionPool
import Dispatch
import EventLoop
import RigModel
import RigTestSupport
import Synchronization
import Testing
import Threading

@testable import PostgresDriver

@Suite(.timeLimit(.minutes(15)))
struct HostResolverTests {
    @Test(
        "Addresses and localhost are answered without a lookup",
        arguments: [
            ("127.0.0.1", ["127.0.0.1"]), ("::1", ["::1"]), ("localhost", ["127.0.0.1", "::1"]),
        ])
    func numericHosts(host: String, expected: [String]) async throws {
        let resolver = HostResolver { host in
            Issue.record("looked up \(host)")
            return .success([])
        }
        #expect(try await addresses(of: host, resolver, until: .soon) == expected)
    }

    @Test func nameIsLookedUpAndUsed() async throws {
        let server = try await TestPostgres.shared()
        let loop = try EventLoop()
        defer { loop.shutdown() }
        var configuration = try PostgresConfiguration(url: server.url)
        configuration.endpoint = PostgresEndpoint(host: "database.test", port: server.port)
        let resolver = HostResolver { $0 == "database.test" ? .success(["127.0.0.1"]) : .success([]) }
        let driver = PostgresDriver(
            configuration: configuration, loops: EventLoopGroup(loops: [loop]), resolver: resolver)
        let connection = try await driver.connect(deadline: .soon)
        try await connection.check(deadline: .soon)
        await connection.close(deadline: .soon)
    }

    @Test func nameThatCannotExistFailsWithTheResolversWords() async throws {
        // A label of more than 63 bytes: refused by the C library itself, so nothing goes to a name server.
        let name = String(repeating: "x", count: 64)
        let error = await failure { () throws(DriverError) in
            try await addresses(of: name, HostResolver(), until: .soon)
        }
        #expect(error?.cause == .connectFailed(sqlState: nil))
        #expect(error?.message.hasPrefix("cannot translate the host name to an address: ") == true)
        #expect(error?.requestSent == false)
    }

    @Test func lookUpThatHangsEndsAtTheDeadlineAndIsNotRepeatedForThoseWhoLeft() async throws {
        let (gate, calls) = (DispatchSemaphore(value: 0), Calls())
        let resolver = HostResolver { host in
            calls.names.withLock { $0.append(host) }
            if host == "hangs.test" { gate.wait() }
            return .success(["127.0.0.9"])
        }
        for host in ["hangs.test", "second.test", "third.test"] {
            let error = await failure { () throws(DriverError) in
                // The first one long enough for its look-up to begin, also on a starved machine.
                try await addresses(of: host, resolver, until: .inMilliseconds(host == "hangs.test" ? 5_000 : 30))
            }
            #expect(error?.cause == .timedOut)
        }
        gate.signal()
        #expect(try await addresses(of: "last.test", resolver, until: .soon) == ["127.0.0.9"])
        #expect(calls.names.withLock { $0 } == ["hangs.test", "last.test"])
    }

    @Test func cancelledLookUpEndsAtOnce() async throws {
        let gate = DispatchSemaphore(value: 0)
        let (started, start) = AsyncStream.makeStream(of: Void.self)
        let resolver = HostResolver { _ in
            start.yield()
            gate.wait()
            return .success([])
        }
        let lookup = Task {
            await failure { () throws(DriverError) in try await addresses(of: "hangs.test", resolver, until: .soon) }
        }
        _ = await started.first { _ in true }
        lookup.cancel()
        #expect(await lookup.value?.cause == .cancelled)
        gate.signal()
    }

    private final class Calls: Sendable { let names = Lock<[String]>([]) }

    private func addresses(
        of host: String, _ resolver: HostResolver, until deadline: MonotonicInstant
    ) async throws(DriverError) -> [String] {
        let loop: EventLoop
        do { loop = try EventLoop() } catch { throw DriverError(.connectionLost, "no loop: \(error)") }
        defer { loop.shutdown() }
        return try await resolver.addresses(of: host, loop: loop, slot: loop.makeSlot(), until: deadline)
    }
}
