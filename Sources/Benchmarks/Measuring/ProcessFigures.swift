import Glibc
import HostSystem
import Threading

/// What the kernel says about this process.
package enum ProcessFigures {
    /// Resident memory now, in MB.
    static var residentMB: Double { status("VmRSS:") }
    /// The most that it ever was, in MB. Not getrusage(2): its peak is inherited from the parent through exec.
    package static var peakResidentMB: Double { status("VmHWM:") }

    /// Processor time of all threads, in seconds.
    static var processorSeconds: Double {
        var time = timespec()
        clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &time)
        return Double(time.tv_sec) + Double(time.tv_nsec) / 1e9
    }

    /// Processor time and memory while nobody asks for anything, half a second after the last work. Blocks the thread.
    static func whileIdle(seconds: Double) -> (cpuPercent: Double, residentMB: Double) {
        usleep(500_000)
        let start = MonotonicInstant.now
        let processorTime = processorSeconds
        usleep(UInt32(seconds * 1e6))
        return ((processorSeconds - processorTime) / start.duration(to: .now).seconds * 100, residentMB)
    }

    private static func status(_ key: String) -> Double {
        let text = SmallFile.text("/proc/self/status") ?? ""
        for line in text.split(separator: "\n") where line.hasPrefix(key) {
            let kibibytes = line.dropFirst(key.count).split(whereSeparator: \.isWhitespace).first.flatMap { Double($0) }
            return (kibibytes ?? 0) / 1024
        }
        return 0
    }
}
