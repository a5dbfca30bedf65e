import ConnectionPool
import EventLoop
import RigModel

extension DriverError {
    /// A wait that ended early, in the words of a driver.
    ///
    /// - Parameter activity: what was going on, for the message.
    init(interruption error: LoopError, _ activity: String, requestSent: Bool) {
        let cause: FailureCause =
            switch error {
            case .timedOut: .timedOut
            // A loop that ends is this process giving up, not the server failing.
            case .cancelled, .stopped: .cancelled
            case .system: .connectionLost
            }
        self.init(cause, "\(activity): \(error)", requestSent: requestSent)
    }
}
