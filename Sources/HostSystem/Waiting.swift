import Glibc
package import Threading

/// Waiting inside blocking code: always with an end.
package enum Waiting {
    /// Waits until a descriptor is ready.
    ///
    /// - Returns: `false` when the deadline passed first.
    package static func forDescriptor(_ descriptor: Int32, events: Int32 = POLLIN, until deadline: MonotonicInstant)
        -> Bool
    {
        var polled = [pollfd(fd: descriptor, events: Int16(events), revents: 0)]
        while true {
            let ready = poll(&polled, 1, milliseconds(until: deadline))
            if ready > 0 { return true }
            if MonotonicInstant.now >= deadline { return false }
        }
    }

    /// Asks again and again, `every` apart, for what the kernel cannot report: other people's processes and files.
    ///
    /// - Returns: `true` as soon as `condition` held; `false` when it did not hold at the deadline. It is asked at
    ///   least once.
    package static func untilTrue(
        before deadline: MonotonicInstant, every pause: Duration = .milliseconds(10), _ condition: () -> Bool
    ) -> Bool {
        while true {
            if condition() { return true }
            let now = MonotonicInstant.now
            if now >= deadline { return false }
            sleep(until: min(deadline, now.advanced(by: pause)))
        }
    }

    /// Sleeps; not woken early by signals.
    package static func sleep(until deadline: MonotonicInstant) {
        var time = timespec(
            tv_sec: Int(deadline.nanoseconds / 1_000_000_000), tv_nsec: Int(deadline.nanoseconds % 1_000_000_000))
        while clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &time, nil) == EINTR {}
    }

    /// The rest of the time as poll(2) wants it, rounded up and clamped to a day.
    package static func milliseconds(until deadline: MonotonicInstant) -> Int32 {
        let rest = MonotonicInstant.now.duration(to: deadline).nanoseconds
        guard rest > 0 else { return 0 }
        return Int32(min((rest - 1) / 1_000_000 + 1, 86_400_000))
    }
}
