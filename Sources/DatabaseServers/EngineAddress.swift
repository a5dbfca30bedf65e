import HostSystem

/// Where a container engine answers. A value.
package struct EngineAddress: Sendable, Equatable {
    /// As its program takes it after `--host`: `unix:///var/run/docker.sock`, `tcp://10.1.2.3:2376`, `ssh://me@prod`.
    package let text: String

    package init(_ text: String) { self.text = text }

    /// The other machine that it is on; `nil` for this one.
    package var remoteHost: String? {
        guard let mark = text.firstRange(of: "://") else { return Self.remote(text[...]) }
        if ["unix", "npipe", "fd"].contains(text[..<mark.lowerBound].lowercased()) { return nil }
        let authority = text[mark.upperBound...].prefix { $0 != "/" }
        return Self.remote(authority.split(separator: "@").last ?? authority)
    }

    /// - Parameter text: a host, perhaps with a port.
    private static func remote(_ text: Substring) -> String? {
        let host = text.hasPrefix("[") ? text.dropFirst().prefix { $0 != "]" } : text.prefix { $0 != ":" }
        // Without a host its program asks this machine.
        return host.isEmpty || LoopbackAddress.contains(String(host)) ? nil : String(host)
    }
}
