import ConnectionPool
import EventLoop
import Foundation
import PostgresDriver
import Probes
import RigModel
import Threading
import Workloads

/// Not for people: our own pool as an adapter (protocol 1 of docs/adapter.md), in a process that a run starts of the rig's own
/// program. What it is to do comes in `CHAOSRIG_DSN` and `CHAOSRIG_POOL`.
package enum PoolProcessMain {
    /// The hidden command.
    package static let command = "__pool"

    /// - Returns: the exit status: 0, or 2 when the environment makes no sense; then its standard error says why.
    package static func run() async -> Int32 {
        // It has no terminal to lose; and it must be possible to send it a signal that does nothing.
        signal(SIGHUP, SIG_IGN)
        let environment = ProcessInfo.processInfo.environment
        guard let url = environment["CHAOSRIG_DSN"] else { return refuse("CHAOSRIG_DSN, a libpq URL, is not set") }
        guard let text = environment["CHAOSRIG_POOL"] else {
            return refuse("CHAOSRIG_POOL, the pool's settings as JSON, is not set")
        }
        let json: JSONValue
        let configuration: PostgresConfiguration
        let loops: EventLoopGroup
        do { json = try JSONValue(parsing: text) } catch { return refuse("CHAOSRIG_POOL: \(error)") }
        do { configuration = try PostgresConfiguration(url: url) } catch { return refuse("CHAOSRIG_DSN: \(error)") }
        do {
            loops = try EventLoopGroup(
                count: min(4, max(1, ProcessInfo.processInfo.activeProcessorCount)), name: "pool")
        } catch {
            return refuse("no event loop: \(error)")
        }
        await serve(AdapterSettings(json), configuration, loops)
        return 0
    }

    private static func serve(
        _ settings: AdapterSettings, _ configuration: PostgresConfiguration, _ loops: EventLoopGroup
    ) async {
        let runtime = LoopRuntime(loops: loops)
        let server = AdapterServer(
            hello: AdapterHello(
                pool: "chaosrig", version: RigVersion.current,
                capabilities: [.cancel, .transaction, .stats, .check, .maintain, .reopen, .events, .leak, .takeAll],
                options: AdapterSettings.optionWords),
            answersTo: STDOUT_FILENO, runtime: runtime
        ) { sink in
            let pool = Pool(
                driver: PostgresDriver(configuration: configuration, loops: loops),
                configuration: settings.configuration, runtime: runtime, seed: settings.seed,
                observer: PoolEventRecorder(sink: sink))
            // One attempt each: the rig decides what is tried again.
            return InstrumentedPool(
                pool: pool, policy: RetryPolicy(mode: .none), begin: SQLStatement("BEGIN", role: .begin),
                askAboutCommits: settings.askAboutCommits, seed: settings.seed)
        }
        let sink = server.sink
        let stalls = StallWatch(onStall: { lateness in
            sink.record(
                .info, .probe, "stall", ["late_ns": JSONValue(lateness.nanoseconds), "of": "the pool's process"])
        })
        // Blocks until the rig closes its end: not a thread of the cooperative pool's.
        let ended = Lock<ServiceThread?>(nil)
        await withCheckedContinuation { (continuation: CheckedContinuation<Void, Never>) in
            let thread = ServiceThread(name: "requests") {
                server.serve(requestsFrom: STDIN_FILENO)
                continuation.resume()
            }
            ended.withLock { $0 = thread }
        }
        ended.withLock { $0.take() }?.join()
        stalls.stop()
    }

    private static func refuse(_ problem: String) -> Int32 {
        try? FileHandle.standardError.write(contentsOf: Data("chaosrig \(command): \(problem)\n".utf8))
        return 2
    }
}
