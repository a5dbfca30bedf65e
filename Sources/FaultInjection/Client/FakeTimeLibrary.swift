import HostSystem

/// Where `libfaketime` is on this machine. Preloaded into a process it moves the wall clock of that process only.
package enum FakeTimeLibrary {
    private static let name = "libfaketime.so.1"
    /// Debian and its kin, Fedora and its kin, Arch, built by hand.
    private static let folders =
        ["x86_64-linux-gnu", "aarch64-linux-gnu", "arm-linux-gnueabihf"].map { "/usr/lib/\($0)/faketime" }
        + ["/usr/lib64/faketime", "/usr/lib/faketime", "/usr/local/lib/faketime"]

    /// Absolute; `nil` where there is none.
    package static var path: String? { folders.map { "\($0)/\(name)" }.first { SmallFile.exists($0) } }

    package static let install = "apt-get install libfaketime"
    package static let remedy = "client-clock needs libfaketime; to get it: \(install)"
}
