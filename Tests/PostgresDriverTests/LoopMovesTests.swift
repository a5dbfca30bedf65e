import ConnectionPool
import EventLoop
import RigModel
import Testing
import Threading

@testable import PostgresDriver

@Suite("A connection and the loops of its borrowers", .timeLimit(.minutes(15)))
struct LoopMovesTests {
    @Test func connectionFollowsItsBorrowerFromLoopToLoop() async throws {
        try await withPostgres { fixture in
            let group = try EventLoopGroup(count: 3, name: "borrowers")
            defer { group.shutdown() }
            let connection = try await fixture.connect()
            #expect(connection.affinity == fixture.loop.number)
            for round in 0..<60 {
                let loop = group.loops[round % 3]
                let result = try await Task(executorPreference: loop) {
                    let result = try await connection.run("select $1::int", [.int(Int64(round))], role: .read)
                    return (result, connection.affinity)
                }.value
                #expect(result.0.rows == [[.int(Int64(round))]])
                #expect(result.1 == loop.number)
                // Without a loop of its own a borrower leaves it where it is.
                try await connection.check(deadline: .soon)
                #expect(connection.affinity == loop.number)
            }
            await connection.close(deadline: .soon)
        }
    }

    @Test func endOfAnIdleSessionIsToldOnce() async throws {
        try await withPostgres { fixture in
            let group = try EventLoopGroup(count: 1, name: "borrower")
            defer { group.shutdown() }
            for moves in [false, true] {
                let connection = try await fixture.connect()
                let (events, report) = AsyncStream.makeStream(of: Void.self)
                connection.onIdleEvent { report.yield() }
                if moves {
                    try await Task(executorPreference: group.loops[0]) {
                        try await connection.check(deadline: .soon)
                    }.value
                }
                try await fixture.terminate(connection)
                var iterator = events.makeAsyncIterator()
                #expect(await iterator.next() != nil)
                #expect(!connection.looksAlive())
                await connection.close(deadline: .soon)
                report.finish()
                #expect(await iterator.next() == nil, "told once")
            }
        }
    }

    @Test func answersAndNotificationsAreNoIdleEvents() async throws {
        try await withPostgres { fixture in
            let connection = try await fixture.connect()
            let told = Lock(0)
            connection.onIdleEvent { told.withLock { $0 += 1 } }
            let channel = "idle_\(connection.backendPID ?? 0)"
            try await connection.run("listen \(channel)")
            for _ in 0..<200 {
                try await connection.run("select $1::int", [.int(1)], role: .read)
                try await fixture.observer.run("notify \(channel)")
            }
            #expect(told.withLock { $0 } == 0)
            await connection.close(deadline: .soon)
        }
    }
}
