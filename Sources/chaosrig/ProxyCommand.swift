import CLinux
import FaultProxy
import Glibc
import HostSystem
import Orchestrator
import RigModel

enum ProxyCommand: Command {
    static let name = "proxy"
    static let summary = "the fault proxy alone, with a control API that Toxiproxy's clients drive"
    static let synopsis = [
        "[--api HOST:PORT] [--config FILE]", "--listen ADDR --upstream ADDR [--toxic WORDS]… [--cut WORDS]…",
    ]
    static let details = [
        "Relays connections, and does to them what toxics and cut points say. It is controlled over HTTP, as Toxiproxy 2.12 "
            + "is, or without any call by what the command line says. It runs until SIGINT or SIGTERM."
    ]
    static let options: [OptionSpec] = [
        .value(
            "--api", "HOST:PORT",
            "serve the control API there; with --listen only when it is given; port 0 takes a free one, which the log tells",
            default: "127.0.0.1:8474"),
        .value("--config", "FILE", "a JSON array of proxies, as POST /populate takes it", .file),
        .value("--listen", "ADDR", "one proxy: HOST:PORT, or the path of a Unix socket"),
        .value("--upstream", "ADDR", "where it leads to: HOST:PORT, or the path of a Unix socket"),
        .value("--name", "N", "its name in the API and in the log", default: "proxy"),
        .list(
            "--toxic", "WORDS",
            "a toxic for it: TYPE[@upstream|@downstream][~TOXICITY][:KEY=VALUE,…], or latency=50ms,jitter=10ms",
            .words(ToxicCatalogue.types.map { Word($0.name, "") })),
        .list("--cut", "WORDS", "a cut point for it: \"before CommandComplete tag=COMMIT do reset times=3\""),
        .flag("--dial-first", "dial the server before a client is accepted, so that a dead server refuses"),
        .value("--seed", "N", "draw everything random from N (0…2⁵³)", default: "from the clock, and logged"),
        .value(
            "--log", "FORMAT", "how the log on standard output looks", default: "text on a terminal, else json",
            .words(["text", "json"])),
    ]
    static let notes = [
        "The environment variable LOG_LEVEL (debug, info, warn, error) sets what is logged; default info. "
            + "chaosrig list toxics shows the toxics."
    ]
    static let examples = [
        "chaosrig proxy --listen 127.0.0.1:6432 --upstream 127.0.0.1:5432 --toxic latency=50ms,jitter=10ms"
    ]

    static func run(_ arguments: ParsedArguments) async throws(UsageError) -> Int32 {
        let plan: ProxyPlan
        do throws(ProxyPlanError) {
            plan = try ProxyPlan(arguments, environment: currentEnvironment())
        } catch {
            switch error {
            case .usage(let words): throw UsageError(words)
            case .config(let words):
                Output.error(words)
                return 2
            }
        }
        DescriptorLimit.raise()
        let log = ProxyLogWriter(isJSON: plan.isJSONLog, level: plan.logLevel)
        defer { log.flush() }
        let signals = StopSignals()
        defer { signals.stop() }
        let service: ProxyService
        do throws(ProxySetError) {
            service = try await onOwnThread("start proxies") { () throws(ProxySetError) in
                try ProxyService(plan, log: log.line)
            }
        } catch {
            Output.error("chaosrig proxy: \(error)\(hint(error))")
            return 3
        }
        // Memory that a proxy of a test run takes is missing elsewhere.
        clinux_forget_code()
        let signal = await signals.first()
        log.line(.info, "stopping", [.init("signal", JSONValue(signal))])
        await onOwnThread("stop proxies") { service.stop() }
        log.line(.info, "stopped", [])
        return 128 + signal
    }

    private static func hint(_ error: ProxySetError) -> String {
        guard case .failed(.listenFailed) = error else { return "" }
        return "; choose another address, or port 0 for one that is free"
    }
}

/// Each connection takes two descriptors, and the usual limit of 1024 is a courtesy to programs that use `select`.
enum DescriptorLimit {
    static func raise() {
        let resource = __rlimit_resource_t(RLIMIT_NOFILE.rawValue)
        var limit = rlimit()
        guard getrlimit(resource, &limit) == 0, limit.rlim_cur < limit.rlim_max else { return }
        limit.rlim_cur = limit.rlim_max
        setrlimit(resource, &limit)
    }
}
