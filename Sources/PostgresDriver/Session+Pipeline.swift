import CLibPQ
import ConnectionPool
import EventLoop
import RigModel
import Synchronization
import Threading

extension Session {
    /// Makes the session ready for a pipeline.
    ///
    /// - Returns: where to wait.
    /// - Throws: ``ConnectionPool/DriverError``; nothing was sent.
    func admit(_ pipeline: inout Pipeline, at now: MonotonicInstant) throws(DriverError) -> SocketWatch {
        try state.withLock { (state) throws(DriverError) -> SocketWatch in
            isAtRest.store(false, ordering: .releasing)
            let connection = try state.admit(at: now)
            guard let watch = settled(&state) else { throw .notSent(.connectionLost, "the connection was closed") }
            guard PQenterPipelineMode(connection) == 1 else {
                throw .notSent(.protocolViolation, String(cString: PQerrorMessage(connection)).trimmingLineEnds())
            }
            state.isInUse = true
            if PQtransactionStatus(connection) == PQTRANS_IDLE { sendAbandoned(&pipeline, &state, connection) }
            return watch
        }
    }

    /// Reads every answer that is there, sends more, and writes. One hold of the lock.
    func advance(_ pipeline: inout Pipeline) -> Progress {
        state.withLock { state in
            guard let connection = state.connection else {
                pipeline.end = ReplyLedger.End(isReady: false, notice: nil, lastWords: "the connection was closed")
                return .complete
            }
            var budget = ReadBudget()
            var isThere = !pipeline.hasBegun || PQconsumeInput(connection) == 1
            pipeline.hasBegun = true
            while true {
                if isThere {
                    sendMore(&pipeline, &state, connection)
                    isThere = PQstatus(connection) == CONNECTION_OK
                }
                let isStuck = takeAnswers(&pipeline, &state, connection, isThere: isThere)
                if !isThere || pipeline.ledger.isOver || pipeline.isAnswered { break }
                // A pipe that is blocked, or an answer that is not whole: both want the socket.
                guard isStuck || pipeline.isBlocked else { continue }
                guard budget.allowsMore(from: connection) else {
                    if budget.isSpent { return .again }
                    return .wait(pipeline.isBlocked ? .both : .readable)
                }
                isThere = PQconsumeInput(connection) == 1
            }
            finish(&pipeline, &state, connection)
            return .complete
        }
    }

    private func finish(_ pipeline: inout Pipeline, _ state: inout State, _ connection: OpaquePointer) {
        if pipeline.isAnswered, PQexitPipelineMode(connection) == 0 {
            pipeline.ledger.takeSurprise(String(cString: PQerrorMessage(connection)).trimmingLineEnds())
        }
        // Statements whose preparation was never answered may be there or not.
        for case .prepare(let name, _) in pipeline.commands[pipeline.answered...] {
            state.cache.drop(name, serverKeeps: false)
        }
        pipeline.end = state.end(of: connection)
        state.isInUse = false
        state.lastUse = .now
    }

    // MARK: Sending

    /// Gives libpq what it should have, and writes it. Stops while the kernel takes no more, so that libpq never holds much.
    private func sendMore(_ pipeline: inout Pipeline, _ state: inout State, _ connection: OpaquePointer) {
        while true {
            if pipeline.isBlocked || pipeline.unwrittenBytes >= 32 << 10
                || (pipeline.isSent && pipeline.unwrittenBytes > 0)
            {
                pipeline.isBlocked = PQflush(connection) == 1
                if pipeline.isBlocked { return }
                pipeline.unwrittenBytes = 0
            }
            guard !pipeline.isSent else { return }
            let item = pipeline.next
            pipeline.next += 1
            send(item, of: &pipeline, &state, connection)
            if pipeline.atomicity == .independent || pipeline.isSent {
                guard PQpipelineSync(connection) == 1 else { return takeRefusal(&pipeline, connection) }
                pipeline.commands.append(.sync(end: pipeline.next))
                pipeline.isBlocked = PQflush(connection) == 1
                pipeline.unwrittenBytes = 0
                if pipeline.isBlocked || pipeline.ledger.isOver { return }
            }
        }
    }

    private func send(_ item: Int, of pipeline: inout Pipeline, _ state: inout State, _ connection: OpaquePointer) {
        // Behind a failure in front of the same Sync the server skips everything: so does this side.
        if pipeline.atomicity == .allOrNothing, pipeline.ledger.firstFailure != nil {
            return pipeline.ledger.take(.skipped, for: item)
        }
        let statement = pipeline.items[item]
        let plan = pipeline.firstPlan.take() ?? state.cache.plan(for: statement)
        var name: String?
        if case .prepared(let known) = plan {
            name = known
        } else if let refusal = TextValues.refusal(of: statement) {
            if case .prepare(let new) = plan { state.cache.drop(new, serverKeeps: false) }
            return pipeline.ledger.take(.refused(refusal), for: item)
        }
        if case .prepare(let new) = plan {
            name = new
            let isSent = new.withCString { name in
                statement.text.withCString { PQsendPrepare(connection, name, $0, 0, nil) == 1 }
            }
            if isSent { pipeline.commands.append(.prepare(name: new, item: item)) }
        }
        guard let isSent = Self.send(statement, name: name, to: connection) else {
            return pipeline.ledger.take(.refused(.nulByte), for: item)
        }
        guard isSent else { return takeRefusal(&pipeline, connection) }
        pipeline.ledger.give(item)
        pipeline.commands.append(.run(item: item, name: name))
        pipeline.unwrittenBytes += 64 + (name == nil ? statement.text.utf8.count : 0) + statement.parameters.count * 16
        for case .text(let text) in statement.parameters { pipeline.unwrittenBytes += text.utf8.count }
    }

    /// libpq does not take a message: no memory, or the connection is gone. The end of the session tells which.
    private func takeRefusal(_ pipeline: inout Pipeline, _ connection: OpaquePointer) {
        guard PQstatus(connection) == CONNECTION_OK else { return }
        pipeline.ledger.takeSurprise(String(cString: PQerrorMessage(connection)).trimmingLineEnds())
    }

    /// Frees statements that nobody will use again, each in front of a Sync of its own. The session has no transaction open.
    private func sendAbandoned(_ pipeline: inout Pipeline, _ state: inout State, _ connection: OpaquePointer) {
        for name in state.cache.takeAbandoned(limit: 16) {
            guard PQsendQueryParams(connection, "DEALLOCATE \"\(name)\"", 0, nil, nil, nil, nil, 0) == 1,
                PQpipelineSync(connection) == 1
            else { return }
            pipeline.commands += [.deallocate, .sync(end: 0)]
        }
    }

    // MARK: Receiving

    /// Takes every answer that is there.
    ///
    /// - Returns: whether the next one is not whole.
    private func takeAnswers(
        _ pipeline: inout Pipeline, _ state: inout State, _ connection: OpaquePointer, isThere: Bool
    ) -> Bool {
        while pipeline.answered < pipeline.commands.count, !pipeline.ledger.isOver {
            if PQisBusy(connection) == 1, isThere { return true }
            let result = PQgetResult(connection)
            defer { PQclear(result) }
            switch (pipeline.commands[pipeline.answered], result) {
            case (.sync(let end), let result?):
                guard PQresultStatus(result) == PGRES_PIPELINE_SYNC else {
                    takeFailure(result, ofSync: end, &pipeline)
                    if !isThere { return false }
                    continue
                }
                pipeline.ledger.settle(upTo: end)
                pipeline.answered += 1
                pipeline.isAnswering = false
            case (.sync, nil):
                if !isThere { return false }
                guard pipeline.isAnswering else {
                    pipeline.ledger.takeSurprise("the server did not answer a Sync")
                    continue
                }
                pipeline.isAnswering = false
            case (_, nil):
                if !isThere { return false }
                // The end of a command's answers.
                if !pipeline.isAnswering {
                    pipeline.ledger.takeSurprise("a statement of a batch was not answered")
                }
                pipeline.isAnswering = false
                pipeline.answered += 1
            case (let command, let result?):
                pipeline.isAnswering = true
                take(result, for: command, &pipeline, &state)
            }
        }
        return false
    }

    /// What comes instead of a Sync's answer, or before it: the commit failed (a deferred constraint), or the session ends.
    private func takeFailure(_ result: OpaquePointer, ofSync end: Int, _ pipeline: inout Pipeline) {
        guard case .failed(let message) = ReplyLedger.Part(result) else {
            return pipeline.ledger.takeSurprise("a Sync was answered with a result")
        }
        pipeline.isAnswering = true
        pipeline.ledger.takeCommitFailure(message, upTo: end)
    }

    private func take(
        _ result: OpaquePointer, for command: Pipeline.Command, _ pipeline: inout Pipeline, _ state: inout State
    ) {
        let status = PQresultStatus(result)
        switch (command, status) {
        case (.deallocate, _), (.prepare, PGRES_COMMAND_OK), (.sync, _): break
        case (.run(let item, let name), PGRES_TUPLES_OK), (.run(let item, let name), PGRES_COMMAND_OK),
            (.run(let item, let name), PGRES_EMPTY_QUERY):
            let tag = PQcmdStatus(result)
            if name == nil, let tag, tag.begins(with: "DISCARD ALL") || tag.begins(with: "DEALLOCATE ALL") {
                state.cache.forgetAll()
            }
            let isRollback = tag?.begins(with: "ROLLBACK") ?? false
            pipeline.ledger.take(.done(ResultReader.read(result), tag: isRollback ? .rollback : .other), for: item)
        case (.prepare(let name, let item), PGRES_PIPELINE_ABORTED):
            state.cache.drop(name, serverKeeps: false)
            pipeline.ledger.take(.skipped, for: item)
        case (.run(let item, _), PGRES_PIPELINE_ABORTED): pipeline.ledger.take(.skipped, for: item)
        case (.prepare(let name, let item), PGRES_FATAL_ERROR):
            let message = ServerMessage(result)
            state.cache.drop(name, serverKeeps: false)
            pipeline.unprepared[name] = message
            pipeline.ledger.take(.failed(message), for: item)
        case (.run(let item, let name), PGRES_FATAL_ERROR):
            var message = ServerMessage(result)
            if let name {
                if message.sqlState == "26000", let reason = pipeline.unprepared[name] {
                    message = reason
                } else if state.disown(name, after: message) {
                    pipeline.lost.append(item)
                }
            }
            pipeline.ledger.take(.failed(message), for: item)
        default:
            pipeline.ledger.takeSurprise(
                "the server answered with \(String(cString: PQresStatus(status))), which is not supported here")
        }
    }
}
