import Threading

/// Looks again every so often until it is true, at most so long, and at most until the task is cancelled.
///
/// - Returns: whether the last look was true. There is at least one.
func eventually(
    within limit: Duration, every pause: Duration = .milliseconds(20), _ look: () async -> Bool
) async -> Bool {
    let giveUpAt = MonotonicInstant.now.advanced(by: limit)
    while true {
        if await look() { return true }
        guard MonotonicInstant.now < giveUpAt, (try? await Task.sleep(for: pause)) != nil else { return false }
    }
}

extension ServerControl {
    /// Tries to connect until it is let in.
    ///
    /// - Throws: ``InjectionError`` with the last answer.
    func waitUntilAccepting(within limit: Duration) async throws {
        var last = ConnectAnswer.noAnswer
        let isAccepting = await eventually(within: limit) {
            last = await tryConnect(within: .seconds(2))
            return last == .accepted
        }
        guard !isAccepting else { return }
        throw InjectionError("the pool's role is still not let in after \(limit.words): \(last.words)")
    }

    /// Tries to connect until the server itself answers: it lets the pool's role in, or refuses it for a reason of another
    /// fault. Whoever is not answered by the server, or hears that it is starting or stopping (57P03), waits on.
    ///
    /// - Parameter own: SQLSTATEs that the fault brings about; they are waited out as well.
    /// - Throws: ``InjectionError`` with the last answer.
    func waitUntilServing(without own: Set<String> = [], within limit: Duration) async throws {
        var last = ConnectAnswer.noAnswer
        let isServing = await eventually(within: limit) {
            last = await tryConnect(within: .seconds(2))
            if last == .accepted { return true }
            return last.sqlState.map { $0 != "57P03" && !own.contains($0) } ?? false
        }
        guard !isServing else { return }
        throw InjectionError("the server is still not as it was after \(limit.words): \(last.words)")
    }

    /// Tries to connect until it is let in, or refused for the fault's own reason; until the fault ends when it is always
    /// another fault that answers.
    ///
    /// - Parameter own: SQLSTATEs that the fault brings about.
    func answer(orRefusalBy own: Set<String>) async -> ConnectAnswer {
        while true {
            let answer = await tryConnect(within: .seconds(2))
            if answer == .accepted || own.contains(answer.sqlState ?? "") { return answer }
            guard !Task.isCancelled, (try? await Task.sleep(for: .milliseconds(100))) != nil else { return answer }
        }
    }

    /// Shuts the server down, and returns when every process of it is gone.
    ///
    /// - Throws: ``InjectionError`` when some are left at the limit.
    func stop(_ mode: ShutdownMode, within limit: Duration) async throws {
        try await beginShutdown(mode)
        guard await waitUntilStopped(within: limit) else {
            throw InjectionError("the server did not stop within \(limit.words) (\(mode.rawValue))")
        }
    }

    /// Stops it whatever holds that up: a backend that stands still holds up every shutdown but a crash. Also one that is
    /// stopping already, or is not there.
    ///
    /// - Parameter patience: how long a fast shutdown may take.
    func stopForGood(patience: Duration) async throws {
        if await postmasterPID() != nil { try? await beginShutdown(.fast) }
        if await waitUntilStopped(within: patience) { return }
        // It may end by itself at this moment.
        try? await beginShutdown(.crash)
        let limit = Duration.seconds(30)
        guard await waitUntilStopped(within: limit) else {
            throw InjectionError("processes of the server still run \(limit.words) after its postmaster was killed")
        }
    }
}

extension Task {
    /// Waits for its end; when the one who waits is cancelled, it is cancelled as well.
    func endWithCaller() async {
        await withTaskCancellationHandler {
            _ = await result
        } onCancel: {
            cancel()
        }
    }
}

extension ConnectAnswer {
    /// For people.
    var words: String {
        switch self {
        case .accepted: "accepted"
        case .refused(let sqlState, let message): (sqlState.map { "\($0): " } ?? "") + message
        case .noAnswer: "no answer"
        }
    }

    var sqlState: String? {
        guard case .refused(let sqlState, _) = self else { return nil }
        return sqlState
    }
}
