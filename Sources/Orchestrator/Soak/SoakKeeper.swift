import Foundation
import HostSystem
import Reporting
import RigModel
import ScenarioFile
import Threading

/// A soak's folder, held for this process, and what is known so far: begins and ends windows, and writes `soak.json` after each.
/// Thread-safe.
final class SoakKeeper: Sendable {
    /// A window that is being run.
    struct Window: Sendable {
        let number: Int
        let seed: UInt64
        /// Absolute.
        let path: String
        var historyPath: String { path + "/history.jsonl" }
    }

    private struct State {
        var log: SoakLog
        var segment: Int
        /// Since when time counts; it is added to the log whenever that is written.
        var since = MonotonicInstant.now

        mutating func addTime() {
            let now = MonotonicInstant.now
            log.elapsedSeconds += since.duration(to: now).seconds
            since = now
        }
    }

    let folder: RunFolder
    private let scenario: Scenario
    private let keepBytes: Int
    private let lock: ProcessLock
    private let state: Lock<State>

    /// A new folder, or one that goes on.
    ///
    /// - Throws: ``RunError/usage(_:)`` when the folder to go on with holds no soak of this scenario, or one that is being run, or that
    ///   has run longer than it is to.
    init(_ scenario: Scenario, _ options: RunOptions, _ soak: SoakRun.Options) throws(RunError) {
        self.scenario = scenario
        keepBytes = soak.keepBytes
        if let path = soak.resume {
            folder = RunFolder(existing: path)
            // Only what is a soak is locked: that makes a file.
            _ = try StoredSoak.read(path)
            lock = try StoredSoak.lock(folder.path)
            var log = try StoredSoak.read(path)
            let yaml = SmallFile.text(folder.file("scenario.yaml"))
            guard log.scenario == scenario.name, yaml == ResolvedScenario.yaml(scenario) else {
                throw .usage(
                    "\(path) is a soak of another scenario: go on with its own file and settings, or begin a new one "
                        + "without --resume")
            }
            guard !log.isCutShort(by: soak.duration?.seconds) else {
                throw .usage(
                    "\(path) has run \(TimeText.words(seconds: log.elapsedSeconds)) already, longer than --for: name a longer "
                        + "time, or none, for the \(TimeText.words(seconds: log.plannedSeconds)) that were planned")
            }
            log.goOn(for: soak.duration?.seconds)
            state = Lock(State(log: log, segment: log.nextSegment - 1))
            dropTornWindow()
        } else {
            let startedAt = Date()
            folder = try RunFolder(out: options.out, name: scenario.name, startedAt: startedAt, seed: options.seed)
            lock = try StoredSoak.lock(folder.path)
            try folder.write(ResolvedScenario.yaml(scenario), to: "scenario.yaml")
            var log = SoakLog(
                scenario: scenario.name, scenarioSummary: scenario.summary, seed: options.seed,
                startedAt: RunFolder.timestamp(startedAt),
                plannedSeconds: (soak.duration ?? SoakRun.Options.defaultDuration).seconds, replay: options.replay)
            log.environment = RunReporter.environment()
            state = Lock(State(log: log, segment: 0))
            folder.linkLatest()
        }
        try save()
    }

    var log: SoakLog { state.withLock { $0.log } }
    var segment: Int { state.withLock { $0.segment } }

    /// There is time for another window.
    var wantsMore: Bool { left > .zero }

    /// Of the time in which windows begin.
    var left: Duration {
        let seconds = state.withLock { $0.log.leftSeconds - $0.since.duration(to: .now).seconds }
        return .nanoseconds(Int64(seconds * 1e9))
    }

    /// Of one window, by the number in its report.
    var replayOfWindow: String { "chaosrig run \(folder.path)/scenario.yaml" }

    /// The name of a file for the next journal. A segment that was cut has left one and no window.
    var newJournal: String {
        let names = sequence(first: 1) { $0 + 1 }.lazy.map { $0 == 1 ? "journal.jsonl" : "journal-\($0).jsonl" }
        return names.first { [folder] in !SmallFile.exists(folder.file($0)) } ?? "journal.jsonl"
    }

    func note(_ words: String) { state.withLock { $0.log.notes.append(words) } }

    func add(leftovers: [String]) { state.withLock { $0.log.leftovers += leftovers } }

    func loseWindow() { state.withLock { $0.log.lostWindows += 1 } }

    func beginSegment() { state.withLock { $0.segment += 1 } }

    func beginWindow() throws(RunError) -> Window {
        let (number, seed) = state.withLock { ($0.log.nextWindow, Self.seed($0.log.seed, window: $0.log.nextWindow)) }
        let path = folder.file(SoakWindow.folder(number))
        do throws(SystemError) { try SmallFile.makeFolders(path) } catch {
            throw .cannotProceed("cannot create \(error)")
        }
        return Window(number: number, seed: seed, path: path)
    }

    /// Files what a window came to, and keeps of its history what is of use. Reads the history once.
    ///
    /// An interrupted window is no window, and the soak goes on with it when it is resumed; but that a finding was made stays true.
    func end(_ window: Window, _ report: RunReport, _ facts: RunFacts) async throws(RunError) {
        if facts.judge.record.signal != nil, report.verdict != .invalid {
            state.withLock { state in
                state.log.leftovers += facts.leftovers
                guard state.log.windows.isEmpty else { return }
                (state.log.target, state.log.environment) = (report.target, report.environment)
            }
            try? FileManager.default.removeItem(atPath: window.path)
            return try save()
        }
        let inFolder = SoakWindow.folder(window.number)
        var pageBytes = 0
        if report.verdict == .invalid {
            let path = window.path
            let page = try await onOwnThread(
                "report", throwing: { () throws(RunError) -> String in try StoredRun(path).page(of: report) })
            try folder.write(page, to: inFolder + "/report.html")
            pageBytes = page.utf8.count
        }
        let kept = await onOwnThread("excerpt") {
            WindowHistory(window.historyPath).condense(keepsAll: report.verdict != .valid, around: report.faults)
        }
        let text = ReportJSON.encode(report).prettyText
        try folder.write(text, to: inFolder + "/report.json")
        var entry = SoakWindow(
            report, number: window.number, segment: segment, numbers: kept.numbers, historyBytes: kept.written)
        entry.keptBytes = kept.kept
        entry.pageBytes = pageBytes
        entry.reportBytes = text.utf8.count
        if let problem = kept.problem { entry.notes.append(problem) }
        let done = entry
        state.withLock { state in
            state.log.target = report.target
            let changes = state.log.changes(in: report.environment)
            if !changes.isEmpty {
                state.log.notes.append("from window \(window.number) on: \(changes.joined(separator: "; "))")
            }
            state.log.environment = report.environment
            state.log.windows.append(done)
            state.log.leftovers += facts.leftovers
        }
        makeRoom()
        let path = folder.path
        await onOwnThread("logs") { LongLog.shortenAll(in: path) }
        try save()
    }

    /// The time is over, or a signal ended it, or it is no use to go on. The reports are written first: a soak that is finished has
    /// them.
    func end(signal: Int32?, gaveUp: SoakLog.GaveUp?) throws(RunError) {
        let log = state.withLock { state in
            state.addTime()
            if let signal { state.log.signal = Int(signal) }
            if let gaveUp { state.log.gaveUp = gaveUp }
            return state.log
        }
        let report = SoakReport.make(log)
        try folder.write(ReportJSON.encode(report).prettyText, to: "report.json")
        try folder.write(SoakPage.render(log), to: "report.html")
        try folder.write(SoakMarkdown.render(log), to: "report.md")
        try folder.write(JUnit.encode([report]), to: "junit.xml")
        state.withLock { $0.log.isFinished = log.leftSeconds <= 0 }
        try save()
    }

    // MARK: Files

    private func save() throws(RunError) {
        let json = state.withLock { state in
            state.addTime()
            return state.log.json
        }
        try folder.write(json.prettyText, to: "soak.json")
    }

    /// The rig ended within a window: what there is of it can be judged by nobody.
    private func dropTornWindow() {
        let number = log.nextWindow
        let path = folder.file(SoakWindow.folder(number))
        guard SmallFile.exists(path) else { return note("resumed before window \(number)") }
        try? FileManager.default.removeItem(atPath: path)
        note("window \(number) was cut by the end of the rig, and run again")
    }

    private func makeRoom() {
        for removal in SoakRoom.removals(log.windows, limit: keepBytes) {
            let path = folder.file(SoakWindow.folder(removal.window))
            switch removal.part {
            case .history:
                WindowHistory(path + "/history.jsonl").remove()
                unlink(path + "/report.html")
            case .report: unlink(path + "/report.json")
            }
            // Only when nothing is left in it.
            rmdir(path)
            state.withLock { state in
                guard let index = state.log.windows.firstIndex(where: { $0.number == removal.window }) else { return }
                switch removal.part {
                case .history: (state.log.windows[index].keptBytes, state.log.windows[index].pageBytes) = (0, 0)
                case .report: state.log.windows[index].reportBytes = 0
                }
            }
        }
    }

    /// Each window draws its own faults; the same window of the same soak always the same.
    private static func seed(_ seed: UInt64, window: Int) -> UInt64 {
        var generator = SeededGenerator(seed: seed, stream: "window-\(window)")
        return generator.next() >> 11
    }
}
