import FaultProxy
import Glibc
import HostSystem
import Orchestrator

/// `--metrics HOST:PORT`, for every command that runs scenarios.
///
/// Faults that touch packets put the rig into a network of its own, where nobody could reach it. So the socket is opened before,
/// on the machine's network, and goes along.
enum MetricsOption {
    static let spec = OptionSpec.value(
        "--metrics", "HOST:PORT",
        "serve metrics to Prometheus at http://HOST:PORT/metrics while scenarios run; port 0: any that is free, printed. Other "
            + "machines can read them if HOST is not of the loopback")
    /// For the next execution of the rig, inside the stage: the socket's descriptor.
    private static let variable = "CHAOSRIG_METRICS_SOCKET"

    /// Opens the socket, or takes the one that an earlier execution opened; `nil` without the option.
    ///
    /// - Throws: ``RunError/usage(_:)`` for an address that is none, ``RunError/missing(_:)`` for one that cannot be had.
    static func open(_ arguments: ParsedArguments) throws(RunError) -> ServiceSocket? {
        guard let address = arguments.value(spec.name) else { return nil }
        if let inherited = getenv(variable).flatMap({ Int32(String(cString: $0)) }) {
            unsetenv(variable)
            guard PrivateStage.state == .inside, let socket = ServiceSocket(adopting: inherited) else {
                throw .usage("\(variable) is for the rig itself; it must not be set")
            }
            socket.isInherited(false)
            return socket
        }
        do {
            return try ServiceSocket("the endpoint of the metrics", at: address)
        } catch {
            guard case .badAddress = error else {
                throw .missing("--metrics: \(error). Choose another port, or 0 for any that is free")
            }
            throw .usage("--metrics: \(error)")
        }
    }

    /// The next execution of this process takes the socket over. If there is none after all, see ``keep(_:)``.
    static func handOver(_ socket: ServiceSocket) {
        socket.isInherited(true)
        setenv(variable, "\(socket.descriptor)", 1)
    }

    /// It stays with this process.
    static func keep(_ socket: ServiceSocket) {
        socket.isInherited(false)
        unsetenv(variable)
    }

    /// Starts to serve, and says where.
    static func serve(_ socket: ServiceSocket) throws(RunError) -> MetricsEndpoint {
        let endpoint = try MetricsEndpoint(socket)
        Output.error("metrics: http://\(endpoint.address)/metrics")
        if endpoint.isPublic { Output.error("metrics: other machines can read them, too") }
        return endpoint
    }
}
