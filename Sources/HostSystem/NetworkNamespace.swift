import CLinux
import Glibc

/// A network namespace of this process's own, with loopback up and nothing else. It has no name: it ends, with every device and
/// rule in it, when this object and the last process in it have gone, whatever ended them.
package final class NetworkNamespace: Sendable {
    let descriptor: Int32

    private init(descriptor: Int32) { self.descriptor = descriptor }

    deinit { close(descriptor) }

    /// - Throws: when this process may not have one.
    package static func make() async throws(SystemError) -> NetworkNamespace {
        // On a thread that ends at once: the others stay where they are.
        try await onOwnThread(
            "make network",
            throwing: { () throws(SystemError) in
                let descriptor = clinux_new_network()
                guard descriptor >= 0 else { throw SystemError("make a network namespace") }
                return NetworkNamespace(descriptor: descriptor)
            })
    }

    /// Moves the calling thread into it: sockets that the thread makes from now on belong there.
    package func enter() throws(SystemError) {
        guard clinux_enter_network(descriptor) == 0 else { throw SystemError("enter a network namespace") }
    }

    /// Under which other processes can open it, as `ip link … netns PATH` does.
    package var path: String { "/proc/\(getpid())/fd/\(descriptor)" }

    /// As the kernel names it: `net:[4026532201]`. Used again for others when it has ended.
    package var kernelName: String? { SmallFile.linkTarget("/proc/self/fd/\(descriptor)") }
}
