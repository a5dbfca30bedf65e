import ConnectionPool
import RigModel
import Threading

/// One use: a request to the process, and what its answer means.
extension AdapterPool {
    package func use(_ request: UseRequest) async -> UseReport {
        await retrying.run(
            request, runtime: runtime, onRetry: { state.withLock { $0.retries += 1 } },
            tryOnce: { number, completion in await tryOnce(request, number: number, into: &completion) })
    }

    private func tryOnce(
        _ request: UseRequest, number: Int, into completion: inout Completion
    ) async -> AttemptResult {
        if let lacking = lacking(request) {
            var result = AttemptResult()
            result.failure = UseFailure(
                .poolRefused, during: .acquire, message: "this adapter has no capability \(lacking.rawValue)",
                requestSent: false, request)
            return result
        }
        let behaviour = AdapterBehaviour(request, begin: options.begin)
        var use = AdapterUse(
            steps: behaviour.steps(number), isTransaction: behaviour.isTransaction, isReadOnly: request.isReadOnly,
            leaks: request.leaks, wantsRows: request.wantsRows, timeout: options.acquireTimeout,
            deadline: options.answerLimit)
        use.hold = behaviour.hold
        armCancel(of: request)
        let startedAt = runtime.now
        let answer = await ask(within: options.answerLimit) { id in use.line(id: id) }
        var times = CallTimes()
        times.begin(startedAt)
        let phase: OperationPhase = request.isTransaction ? .commit : .query
        var result = AttemptResult()
        switch answer {
        case .line(let line):
            guard let answer = AdapterAnswer(line) else {
                result.failure = UseFailure(
                    .protocolViolation, during: phase,
                    message: "the pool's process gave an answer without a status: \(line.compactText.prefix(200))",
                    requestSent: true, request)
                break
            }
            result = answer.result(request)
            times = measured(answer)
            if result.failure == nil {
                for note in behaviour.notes { times.note(note.key, note.value) }
                result.failure = behaviour.failure
                result.results = Array(
                    result.results.dropFirst(behaviour.stepsBefore).prefix(behaviour.ownSteps(number)))
            }
        case .ended(let reason):
            // Which of its calls took how long died with it.
            times = CallTimes(acquire: .zero, query: nil, release: nil, connection: nil, backendPID: nil)
            result.failure = UseFailure(
                .connectionLost, during: phase, message: "the pool's process ended during the use: \(reason)",
                requestSent: true, request)
        case .silent:
            result.failure = UseFailure(
                .timedOut, during: phase,
                message: "the pool's process gave no answer within \(Int(options.answerLimit.milliseconds)) ms",
                requestSent: true, request)
        case .notSent:
            result.failure = UseFailure(
                .poolRefused, during: .acquire, message: "the pool's process does not run", requestSent: false, request)
        }
        times.end(runtime.now)
        completion.absorb(times, attempt: number)
        return result
    }

    /// A client that nobody can cancel is not said to have been.
    private func armCancel(of request: UseRequest) {
        guard let cancelSwitch = request.cancelSwitch, let hello else { return }
        if hello.canCancel {
            cancelSwitch.reachSomewhere(onlyQuery: !hello.capabilities.contains(.cancel))
        } else if request.acquireLimit == nil {
            // The probe, which has such a limit, is cancelled only where it would take longer.
            state.withLock { $0.lacksCancel = true }
        }
    }

    /// What the request needs, and the adapter has not said that it can; `nil` also where it has not said anything yet.
    private func lacking(_ request: UseRequest) -> AdapterHello.Capability? {
        guard let known = hello?.capabilities else { return nil }
        if request.leaks, !known.contains(.leak) { return .leak }
        return request.isTransaction && !known.contains(.transaction) ? .transaction : nil
    }

    /// What the adapter measured, with the number that its connection has in the history.
    private func measured(_ answer: AdapterAnswer) -> CallTimes {
        var connection = answer.connection
        var isNew = false
        if let own = answer.connection {
            connection = state.withLock { $0.numbers.number(own) }
        } else if let pid = answer.backendPID {
            (connection, isNew) = state.withLock { $0.numbers.number(ofPID: pid) }
        }
        if isNew {
            sink.record(
                .info, .pool, "connection-opened",
                ["conn": JSONValue(connection), "pid": JSONValue(answer.backendPID), "first_seen": true])
        }
        return CallTimes(
            acquire: answer.acquire ?? .zero, query: answer.query, release: answer.release, connection: connection,
            backendPID: answer.backendPID, leasedAt: answer.leasedAt, returnedAt: answer.returnedAt)
    }
}
