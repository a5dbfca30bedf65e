import ConnectionPool
import RigModel
import Threading
import Workloads

/// Compares the three books when nothing is under way: the pool's, the sockets', the server's.
struct Bookkeeper: Sendable {
    enum Moment: String {
        case quiesced
        case closed
    }

    /// A closed connection stays visible for a while on the other side (measured: up to half a second).
    private static let settleLimit = Duration.seconds(3)

    let pool: any PoolUnderTest
    let target: any RunTarget
    let runtime: LoopRuntime
    let sink: any EventSink

    /// Waits, bounded, until the books agree, and records what they say then.
    func record(_ moment: Moment) async {
        let giveUpAt = runtime.now.advanced(by: Self.settleLimit)
        while true {
            let outside = await target.outsideBooks(afterClose: moment == .closed)
            let gauges = pool.gauges
            if agree(gauges, outside, moment) || runtime.now >= giveUpAt {
                write(moment, gauges, outside)
                return
            }
            try? await runtime.sleep(until: runtime.now.advanced(by: .milliseconds(50)))
        }
    }

    private func agree(_ gauges: PoolGauges, _ outside: OutsideBooks, _ moment: Moment) -> Bool {
        let wanted = moment == .closed ? 0 : gauges.open
        return gauges.inUse == 0 && gauges.connecting == 0 && gauges.open == wanted
            && outside.clientSockets ?? wanted == wanted && outside.serverSessions ?? wanted == wanted
    }

    private func write(_ moment: Moment, _ gauges: PoolGauges, _ outside: OutsideBooks) {
        sink.record(
            .info, .probe, "books",
            [
                "at": .string(moment.rawValue),
                "pool": [
                    "open": JSONValue(gauges.open), "in_use": JSONValue(gauges.inUse), "idle": JSONValue(gauges.idle),
                ],
                "leases": pool.openLeases(), "client_sockets": JSONValue(outside.clientSockets),
                "server_sessions": JSONValue(outside.serverSessions), "sessions": outside.sessions,
            ])
    }
}
