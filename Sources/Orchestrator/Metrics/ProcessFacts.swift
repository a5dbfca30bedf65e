import Exposition
import Glibc
import HostSystem
import Probes

/// This process under the names that Prometheus' own libraries give.
struct ProcessFacts {
    private static let cpu = MetricDefinition(
        "process_cpu_seconds_total", .counter, "Processor time of the rig, in user and system mode")
    private static let resident = MetricDefinition(
        "process_resident_memory_bytes", .gauge, "Resident memory of the rig")
    private static let virtual = MetricDefinition(
        "process_virtual_memory_bytes", .gauge, "Address space of the rig")
    private static let descriptors = MetricDefinition("process_open_fds", .gauge, "Open descriptors of the rig")
    private static let maxDescriptors = MetricDefinition(
        "process_max_fds", .gauge, "Descriptors that the rig may have open at the most")
    private static let start = MetricDefinition(
        "process_start_time_seconds", .gauge, "When the rig's process began, in seconds since 1970")

    static let metrics = [cpu, resident, virtual, descriptors, maxDescriptors, start]

    /// `nil`: /proc does not tell.
    private let startedAt: Double?

    init() { startedAt = Self.startTime() }

    func add(to metrics: inout MetricCollection) {
        var usage = rusage()
        if getrusage(__rusage_who_t(RUSAGE_SELF.rawValue), &usage) == 0 {
            metrics.add(Self.cpu, [], Self.seconds(usage.ru_utime) + Self.seconds(usage.ru_stime))
        }
        if let bytes = MemoryProbe.residentBytes() { metrics.add(Self.resident, [], bytes) }
        if let pages = SmallFile.text("/proc/self/statm")?.split(separator: " ").first.flatMap({ Int($0) }) {
            metrics.add(Self.virtual, [], pages * sysconf(Int32(_SC_PAGESIZE)))
        }
        if let count = DescriptorProbe.openDescriptors() { metrics.add(Self.descriptors, [], count) }
        var limit = rlimit()
        if getrlimit(__rlimit_resource_t(RLIMIT_NOFILE.rawValue), &limit) == 0 {
            metrics.add(Self.maxDescriptors, [], Double(limit.rlim_cur))
        }
        if let startedAt { metrics.add(Self.start, [], startedAt) }
    }

    private static func seconds(_ time: timeval) -> Double { Double(time.tv_sec) + Double(time.tv_usec) / 1e6 }

    /// From the process's start in ticks since boot, and the time of boot.
    private static func startTime() -> Double? {
        guard let status = SmallFile.text("/proc/self/stat").flatMap({ ProcessStatus(statLine: $0) }),
            let boot = SmallFile.text("/proc/stat")?.split(separator: "\n").first(where: { $0.hasPrefix("btime ") }),
            let booted = Double(boot.dropFirst("btime ".count))
        else { return nil }
        return booted + Double(status.startTicks) / Double(sysconf(Int32(_SC_CLK_TCK)))
    }
}
