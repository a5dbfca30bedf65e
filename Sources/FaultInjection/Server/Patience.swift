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
