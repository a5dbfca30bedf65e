import Glibc
import HostSystem
import Threading

/// What the kernel says about this process.
enum ProcessFigures {
    /// Resident memory now, in MB.
    static var residentMB: Double { status("VmRSS:") }
    /// The most that it ever was, in MB. Not getrusage(2): its peak is inherited from the parent through exec.
    static var peakResidentMB: Double { status("VmHWM:") }

    /// Processor time of all threads, in seconds.
    static var processorSeconds: Double {
        var time = timespec()
        clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &time)
        return Double(time.tv_sec) + Double(time.tv_nsec) / 1e9
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
