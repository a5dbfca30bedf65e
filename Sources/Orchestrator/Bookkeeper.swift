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

    let service: PoolInService
    let pool: any PoolUnderTest
    let runtime: LoopRuntime
    let sink: any EventSink

    /// Waits, bounded, until the books agree, and records what they say then.
    func record(_ moment: Moment) async {
        let giveUpAt = runtime.now.advanced(by: Self.settleLimit)
        while true {
            await pool.refreshBooks()
            let outside = await service.target.outsideBooks(afterClose: moment == .closed)
            let gauges = pool.gauges
            if agree(gauges, outside, moment) || runtime.now >= giveUpAt {
                write(moment, gauges, outside)
                return
            }
            try? await runtime.sleep(until: runtime.now.advanced(by: .milliseconds(50)))
        }
    }

    private func agree(_ gauges: PoolGauges, _ outside: OutsideBooks, _ moment: Moment) -> Bool {
        guard pool.tellsGauges else {
            let counts = [outside.clientSockets, outside.serverSessions].compactMap { $0 }
            return gauges.inUse == 0 && (moment == .closed ? counts.allSatisfy { $0 == 0 } : Set(counts).count < 2)
        }
        let wanted = moment == .closed ? 0 : gauges.open
        return gauges.inUse == 0 && gauges.connecting == 0 && gauges.open == wanted
            && outside.clientSockets ?? wanted == wanted && outside.serverSessions ?? wanted == wanted
    }

    private func write(_ moment: Moment, _ gauges: PoolGauges, _ outside: OutsideBooks) {
        // A pool whose process is gone has nothing to say.
        let counters = service.metrics(of: pool).filter { $0.value.doubleValue != nil }
        if !counters.isEmpty {
            sink.record(
                .info, .pool, "metrics", ["at": .string(moment.rawValue), "counters": .object(counters)])
        }
        sink.record(
            .info, .probe, "books",
            [
                "at": .string(moment.rawValue),
                "pool": pool.tellsGauges
                    ? [
                        "open": JSONValue(gauges.open), "in_use": JSONValue(gauges.inUse),
                        "idle": JSONValue(gauges.idle),
                    ] : .null,
                "leases": pool.openLeases(), "client_sockets": JSONValue(outside.clientSockets),
                "server_sessions": JSONValue(outside.serverSessions), "sessions": outside.sessions,
            ])
    }
}
