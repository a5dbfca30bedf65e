import CLinux
import Glibc

/// Descriptors that relays leave to others, so that the control API can still be reached, and used, when clients have taken
/// all the rest.
enum DescriptorReserve {
    /// What the process may open, as it was when it was first asked for.
    static let limit: Int = {
        var limit = rlimit()
        guard getrlimit(__rlimit_resource_t(RLIMIT_NOFILE.rawValue), &limit) == 0 else { return 1024 }
        return min(Int(clamping: limit.rlim_cur), Int(Int32.max))
    }()

    /// Relays take no more clients once they have got this number; the kernel gives the lowest that is free. Each thread may
    /// be one connection beyond it.
    static let first = Int32(limit - min(48, limit / 4))

    /// Whether a new descriptor would be one of the reserve, or there is none at all.
    static var isReached: Bool {
        let probe = eventfd(0, O_CLOEXEC)
        guard probe >= 0 else { return true }
        close(probe)
        return probe >= first
    }
}
