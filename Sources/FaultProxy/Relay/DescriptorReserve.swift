import CLinux
import Glibc
import Synchronization

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
    /// be one connection beyond it, however many relays it works for.
    static let first = Int32(limit - min(48, limit / 4))

    /// The number of the shortage that is on; 0 for none. For the whole process: what one relay has found out keeps all others
    /// from accepting, on every thread.
    private static let shortage = Atomic<Int>(0)
    private static let shortages = Atomic<Int>(0)

    /// A relay has got a descriptor of the reserve, or none.
    static func noteShortage() {
        shortage.store(shortages.add(1, ordering: .relaxed).newValue, ordering: .releasing)
    }

    /// Notes it when the descriptor is one of the reserve.
    ///
    /// - Returns: whether it is.
    @discardableResult
    static func has(_ descriptor: Int32) -> Bool {
        guard descriptor >= first else { return false }
        noteShortage()
        return true
    }

    /// Relays must not take clients now. To be asked in front of each accept; a load, unless there was a shortage.
    static var isShort: Bool {
        let seen = shortage.load(ordering: .acquiring)
        guard seen != 0 else { return false }
        let probe = eventfd(0, O_CLOEXEC)
        guard probe >= 0 else { return true }
        close(probe)
        guard probe < first else { return true }
        // It is over, unless a new one was noted meanwhile.
        return !shortage.compareExchange(expected: seen, desired: 0, ordering: .acquiringAndReleasing).exchanged
    }
}
