import HostSystem
import Threading

/// One connection between pool and server, as the server's side of the kernel sees it.
struct PacketFlow: Sendable, Equatable {
    let clientPort: UInt16
    /// For how long nothing was sent or received on it.
    let idle: Duration

    /// The words for `ss`: established connections to a port, one a line, with their times.
    static func list(port: UInt16) -> [String] {
        ["ss", "-HOtni", "state", "established", "sport = :\(port)"]
    }

    /// Reads what `ss` printed: queues, local and peer address, then facts like `lastsnd:120 lastrcv:80`, in ms.
    static func read(_ output: String) -> [PacketFlow] {
        output.split(separator: "\n").compactMap { line in
            let words = line.split(separator: " ", omittingEmptySubsequences: true)
            guard words.count > 4, let colon = words[3].lastIndex(of: ":"),
                let port = UInt16(words[3][words[3].index(after: colon)...])
            else { return nil }
            func milliseconds(_ name: String) -> Int {
                words.lazy.compactMap { word in
                    word.hasPrefix(name) ? Int(word.dropFirst(name.count)) : nil
                }.first ?? 0
            }
            let idle = min(milliseconds("lastsnd:"), milliseconds("lastrcv:"))
            return PacketFlow(clientPort: port, idle: .milliseconds(idle))
        }
    }

    /// Those that there are now.
    static func all(on stage: FaultStage) async throws -> [PacketFlow] {
        guard let place = stage.network else { throw InjectionError("the rig may not look at packets here") }
        return read(try await stage.mustRun(list(port: place.port), in: place.serverNetwork))
    }
}
