package import ConnectionPool
package import RigModel
import Threading

/// Puts what the pool says about itself into the history.
package final class PoolEventRecorder: PoolObserver {
    private let sink: any EventSink

    package init(sink: any EventSink) { self.sink = sink }

    package func poolConnected(_ handle: ConnectionHandle, backendPID: Int?, took: Duration) {
        sink.record(
            .info, .pool, "connection-opened",
            ["conn": JSONValue(handle.serial), "pid": JSONValue(backendPID), "took_ns": JSONValue(took.nanoseconds)])
    }

    package func poolConnectFailed(_ error: DriverError) {
        sink.record(
            .info, .pool, "connect-failed",
            ["code": JSONValue(error.cause.code), "message": JSONValue(error.description)])
    }

    package func poolNoticed(_ notice: PoolNotice, backendPID: Int?) {
        let pid = JSONValue(backendPID)
        switch notice {
        case .leakSuspected(let handle, let site, let held):
            sink.record(
                .info, .pool, "leak-suspected",
                [
                    "conn": JSONValue(handle.serial), "pid": pid, "site": JSONValue(site.description),
                    "held_ns": JSONValue(held.nanoseconds),
                ])
        case .leakCleared(let handle):
            sink.record(.info, .pool, "leak-cleared", ["conn": JSONValue(handle.serial)])
        case .leaked(let handle, let site):
            sink.record(
                .info, .pool, "leaked",
                ["conn": JSONValue(handle.serial), "pid": pid, "site": JSONValue(site.description)])
        case .closing(let handle, let reason):
            sink.record(
                .info, .pool, "connection-closed",
                ["conn": JSONValue(handle.serial), "pid": pid, "reason": JSONValue(reason.rawValue)])
        }
    }
}
