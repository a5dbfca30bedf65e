extension FaultCase {
    private static func client(
        _ kind: String, lands: String, cannotLand: String,
        mix: String = "{append: 40, append-transaction: 10, read: 30, transfer: 20}"
    ) -> FaultCase {
        FaultCase(
            kind: kind, lands: "{\(kind): \(lands), at: 500ms}", cannotLand: "{\(kind): \(cannotLand), at: 500ms}",
            pool: "process: child", mix: mix)
    }

    private static let large = "{append: 40, read: 30, transfer: 20, read-large: 5}"

    /// The process that holds the pool is short of something.
    static let client: [FaultCase] = [
        // A pause that is over before anybody could feel it.
        client("client-pause", lands: "{}, for: 1s", cannotLand: "{}, for: 1ms"),
        client("client-kill", lands: "{restart-after: 500ms}", cannotLand: "{signal: HUP}"),
        client("client-descriptors", lands: "{}, for: 1s", cannotLand: "{left: 5000}, for: 1s"),
        client("client-cpu", lands: "{share: 95%}, for: 1500ms", cannotLand: "{share: 0%}, for: 1s"),
        client(
            "client-cpu", lands: "{share: 90%, via: duty-cycle}, for: 1500ms",
            cannotLand: "{share: 0%, via: duty-cycle}, for: 1s"),
        client("client-memory", lands: "{megabytes: 2}, for: 2s", cannotLand: "{megabytes: 4000}, for: 1s", mix: large),
        client("client-clock", lands: "{by: 5m, direction: back}, for: 1s", cannotLand: "{by: 0s}, for: 1s"),
        client("client-slow-reader", lands: "{}, for: 2s", cannotLand: "{rate: 900MB/s}, for: 1s", mix: large),
    ]
}
