package import RigModel

/// What all windows together come to. Pure.
///
/// Invalid when any window is, or when something drifts. Unknown when the soak gave up, when a kind of fault never landed or failed
/// to land more often than one time in ten, when an invariant was never judged, or when more than one window in ten could not be
/// judged or came to nothing. A single window without a judgement among many is only named: over a night some fault misses once.
package struct SoakVerdict: Sendable, Equatable {
    package struct Kind: Sendable, Equatable {
        package var kind: String
        package var injected: Int
        package var landed: Int
    }

    package private(set) var verdict: Verdict
    /// Why it is not valid, one sentence each, the worst first.
    package private(set) var reasons: [String]
    /// In the scenario's order; the worst that a window came to, but `unknown` only where it was never judged.
    package private(set) var invariants: [SoakWindow.Judged]
    /// By name.
    package private(set) var faults: [Kind]
    package private(set) var drift: [SoakDrift]
    /// The exit code, as in README.md.
    package private(set) var exitCode: Int32

    private static let tolerated = 0.1

    package init(_ log: SoakLog) {
        invariants = Self.invariants(log.windows)
        faults = Self.faults(log.windows)
        drift = SoakDrift.find(log.windows)
        let bad = Self.badNews(log.windows) + drift.map(\.words)
        let doubts = Self.doubts(log, invariants, faults)
        reasons = bad + doubts
        verdict = !bad.isEmpty ? .invalid : doubts.isEmpty ? .valid : .unknown
        exitCode =
            if !log.leftovers.isEmpty { 5 } else if let signal = log.signal { 128 + Int32(signal) } else {
                switch verdict {
                case .valid: 0
                case .invalid: 1
                case .unknown: log.gaveUp?.exitCode.map { Int32($0) } ?? 4
                }
            }
    }

    private static func invariants(_ windows: [SoakWindow]) -> [SoakWindow.Judged] {
        var order: [String] = []
        var seen: [String: Verdict] = [:]
        for judged in windows.flatMap(\.invariants) {
            guard let before = seen[judged.name] else {
                order.append(judged.name)
                seen[judged.name] = judged.verdict
                continue
            }
            if judged.verdict == .invalid || before == .unknown { seen[judged.name] = judged.verdict }
            if before == .invalid { seen[judged.name] = .invalid }
        }
        return order.map { SoakWindow.Judged(name: $0, verdict: seen[$0] ?? .unknown) }
    }

    private static func faults(_ windows: [SoakWindow]) -> [Kind] {
        Dictionary(grouping: windows.flatMap(\.faults), by: \.kind).map { kind, all in
            Kind(kind: kind, injected: all.count, landed: all.count { $0.landed })
        }.sorted { $0.kind < $1.kind }
    }

    private static func badNews(_ windows: [SoakWindow]) -> [String] {
        let red = windows.filter { $0.verdict == .invalid }
        let names = windows.flatMap(\.invariants).filter { $0.verdict == .invalid }.map(\.name)
        return Set(names).sorted().map { name in
            let where_ = red.filter { $0.invariants.contains { $0.name == name && $0.verdict == .invalid } }
            return "\(name) is violated in \(windowWords(where_.map(\.number)))"
        }
    }

    private static func doubts(
        _ log: SoakLog, _ invariants: [SoakWindow.Judged], _ faults: [Kind]
    ) -> [String] {
        var doubts: [String] = []
        if log.windows.isEmpty { doubts.append("no window was run to its end") }
        if let gaveUp = log.gaveUp {
            doubts.append(
                "given up after \(TimeText.words(seconds: log.elapsedSeconds)) of "
                    + "\(TimeText.words(seconds: log.plannedSeconds)): \(gaveUp.reason)")
        }
        if let signal = log.signal { doubts.append(SignalName.interruptionNote(Int32(signal))) }
        for judged in invariants where judged.verdict == .unknown {
            doubts.append("\(judged.name) could not be judged in any window")
        }
        for kind in faults {
            if kind.landed == 0 {
                doubts.append("\(kind.kind) never landed (\(kind.injected) injected)")
            } else if Double(kind.injected - kind.landed) > tolerated * Double(kind.injected),
                kind.injected - kind.landed > 1
            {
                doubts.append("\(kind.kind) landed in \(kind.landed) of \(kind.injected) injections only")
            }
        }
        if !log.windows.isEmpty, faults.isEmpty { doubts.append("no fault was injected") }
        let open = log.windows.filter { $0.verdict == .unknown }.map(\.number)
        let all = Double(log.windows.count + log.lostWindows)
        if Double(open.count + log.lostWindows) > tolerated * all {
            if open.count > 1 { doubts.append("\(windowWords(open)) could not be judged") }
            if log.lostWindows > 0 {
                let words = log.lostWindows == 1 ? "a window" : "\(log.lostWindows) windows"
                doubts.append("\(words) came to nothing: see the notes")
            }
        }
        return doubts
    }

    /// `window 3`, `windows 3, 7`, `windows 3, 7, 9 and 12 more`.
    static func windowWords(_ numbers: [Int]) -> String {
        let shown = numbers.prefix(8).map(String.init).joined(separator: ", ")
        let more = numbers.count > 8 ? " and \(numbers.count - 8) more" : ""
        return "\(numbers.count == 1 ? "window" : "windows") \(shown)\(more)"
    }
}
