package import ConnectionPool
import RigModel
package import Threading

/// A driver whose every answer the test decides. It keeps books, and notes as a violation what no pool may do.
package final class FakeDriver: Driver {
    /// How a connect is answered.
    package enum ConnectAnswer: Sendable {
        case succeed
        /// With a connection that the server closes at once.
        case succeedDead
        case fail(DriverError)
        /// Not until the test says so with ``FakeDriver/answerConnect(_:)``, the deadline passes, or it is cancelled.
        case hang
    }

    /// How a statement is answered.
    package enum StatementAnswer: Sendable {
        case rows(SQLResult)
        case fail(DriverError)
        /// Not until the deadline passes, the call is cancelled, or the connection is aborted or killed.
        case hang
        /// With no rows, after this many turns of other tasks.
        case yields(Int)
    }

    /// What happened to the connections so far.
    package struct Books: Sendable {
        package var connects = 0
        /// Connects that have not been answered.
        package var connecting = 0
        /// Of these, the ones that wait for the test's word.
        package var hanging: [Int] = []
        fileprivate var words: [Int: ConnectAnswer] = [:]
        /// Numbers of the connections that were opened and neither closed nor freed.
        package var open: Set<Int> = []
        package var opened = 0
        package var closed = 0
        package var aborted = 0
        /// Connections that lost their last reference without a close, cut or not.
        package var abandoned = 0
        /// The most that were open or being opened at one time.
        package var peak = 0
        package var violations: [String] = []
    }

    package let books = Watched(Books())
    let runtime: ManualRuntime
    private let onConnect: Watched<@Sendable (Int) -> ConnectAnswer>
    private let onStatement: Watched<@Sendable (FakeConnection, SQLStatement) -> StatementAnswer>
    private let known = Watched<[WeakConnection]>([])

    /// - Parameters:
    ///   - onConnect: answers the connect with this number, from 1.
    ///   - onStatement: answers statements; checks and resets too, as statements with the texts `check` and `reset`.
    package init(
        runtime: ManualRuntime, onConnect: @escaping @Sendable (_ number: Int) -> ConnectAnswer = { _ in .succeed },
        onStatement: @escaping @Sendable (FakeConnection, SQLStatement) -> StatementAnswer = { _, _ in
            .rows(SQLResult())
        }
    ) {
        self.runtime = runtime
        self.onConnect = Watched(onConnect)
        self.onStatement = Watched(onStatement)
    }

    package func connect(deadline: MonotonicInstant) async throws(DriverError) -> FakeConnection {
        let number = books.change { books in
            books.connects += 1
            books.connecting += 1
            books.peak = max(books.peak, books.open.count + books.connecting)
            return books.connects
        }
        let isDead: Bool
        do throws(DriverError) {
            isDead = try await waitForWord(number, deadline: deadline)
        } catch {
            books.change { $0.connecting -= 1 }
            throw error
        }
        let connection = FakeConnection(number: number, driver: self)
        if isDead { connection.kill() }
        books.change { books in
            books.connecting -= 1
            books.opened += 1
            books.open.insert(number)
        }
        known.change { $0.append(WeakConnection(connection)) }
        return connection
    }

    /// - Returns: whether the connection is to be dead from the beginning.
    private func waitForWord(_ number: Int, deadline: MonotonicInstant) async throws(DriverError) -> Bool {
        if Task.isCancelled { throw DriverError(.cancelled, "cancelled before it began", requestSent: false) }
        var answer = onConnect.value(number)
        if case .hang = answer {
            let id = runtime.newID()
            books.change { $0.hanging.append(id) }
            let wake = await runtime.sleep(id, until: deadline)
            let word = books.change { books in
                books.hanging.removeAll { $0 == id }
                return books.words.removeValue(forKey: id)
            }
            switch (wake, word) {
            case (.woken, let word?): answer = word
            case (.cancelled, _): throw DriverError(.cancelled, "connect cancelled", requestSent: false)
            default: throw DriverError(.timedOut, "connect timed out", requestSent: false)
            }
        }
        switch answer {
        case .fail(let error): throw error
        case .succeedDead: return true
        case .succeed, .hang: return false
        }
    }

    // MARK: For tests

    /// Answers the hanging connect that began first; waits until there is one.
    package func answerConnect(_ answer: ConnectAnswer) async throws {
        try await books.wait { !$0.hanging.isEmpty }
        let id = books.change { books in
            let id = books.hanging.removeFirst()
            books.words[id] = answer
            return id
        }
        runtime.wake(id)
    }

    /// Changes the answer for connects from now on.
    package func answerConnects(with answer: @escaping @Sendable (_ number: Int) -> ConnectAnswer) {
        onConnect.change { $0 = answer }
    }

    /// Changes the answer for statements from now on.
    package func answerStatements(with answer: @escaping @Sendable (FakeConnection, SQLStatement) -> StatementAnswer) {
        onStatement.change { $0 = answer }
    }

    /// Connections that exist as objects, in the order of their opening.
    package var connections: [FakeConnection] { known.value.compactMap(\.connection) }

    /// The connection with this number, from 1; waits until it is open.
    package func connection(_ number: Int) async throws -> FakeConnection {
        try await known.wait { $0.contains { $0.connection?.number == number } }
        guard let found = connections.first(where: { $0.number == number }) else { throw CancellationError() }
        return found
    }

    func answer(_ connection: FakeConnection, _ statement: SQLStatement) -> StatementAnswer {
        onStatement.value(connection, statement)
    }

    private struct WeakConnection: Sendable {
        weak let connection: FakeConnection?
        init(_ connection: FakeConnection) { self.connection = connection }
    }
}

extension DriverError {
    package static let refused = DriverError(.connectFailed(sqlState: nil), "connection refused", requestSent: false)
    package static let lost = DriverError(.connectionLost, "connection reset by peer")
}
