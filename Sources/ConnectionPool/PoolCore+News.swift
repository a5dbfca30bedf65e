import Threading

/// What the world outside is told.
extension PoolCore {
    /// The order matters: a suspected leak comes before its all-clear.
    enum News: Sendable {
        case notice(PoolNotice, backendPID: Int?)
        case filled
        case closed(leasesCut: Int)
    }

    /// Tells what there is to tell until there is nothing more. Other threads add to it meanwhile and go on.
    func tellNews() {
        while true {
            let batch = state.withLock { state -> [News] in
                defer { state.news = [] }
                if state.news.isEmpty { state.isTelling = false }
                return state.news
            }
            if batch.isEmpty { return }
            for news in batch {
                switch news {
                case .notice(let notice, let backendPID): observer?.poolNoticed(notice, backendPID: backendPID)
                case .filled: endFilling(true)
                case .closed(let leasesCut):
                    endFilling(false)
                    endClose(leasesCut)
                }
            }
        }
    }

    private func endClose(_ leasesCut: Int) {
        let waiters = state.withLock { state in
            state.closedWith = leasesCut
            defer { state.closeWaiters = [] }
            return state.closeWaiters
        }
        for waiter in waiters { waiter.resume(returning: leasesCut) }
    }
}
