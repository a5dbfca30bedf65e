/// When which fault was injected, proven and healed, and when the phases began. A mergeable fold; memory grows with the
/// number of injections.
public struct FaultTimeline: Sendable, Equatable {
    /// One injection, as far as the history tells.
    public struct Injection: Sendable, Equatable {
        /// Counts from 0 in the run.
        public var number: Int
        public var kind: String
        /// For example `restart immediate, down for 2 s`.
        public var detail = ""
        public var inject: Moment?
        public var landed: Bool?
        public var evidence: JSONValue?
        /// Of the last try, where it took several.
        public var heal: Moment?
        public var healOK: Bool?
        public var forced = false
    }

    /// Where an event stands in the history. `time` in nanoseconds since the run's start.
    public struct Moment: Sendable, Equatable, Comparable {
        public var index: Int
        public var time: Int64

        public init(index: Int, time: Int64) {
            self.index = index
            self.time = time
        }

        public static func < (a: Moment, b: Moment) -> Bool { (a.time, a.index) < (b.time, b.index) }
    }

    private var byNumber: [Int: Injection] = [:]
    private var phaseBegins: [String: Moment] = [:]
    /// The latest time of any event that was observed.
    public private(set) var lastTime: Int64 = 0

    public init() {}

    public mutating func observe(_ event: Event) {
        lastTime = max(lastTime, event.time)
        // Few events are; the others are not even copied.
        guard event.process == .nemesis, let fact = NemesisFact(event) else { return }
        let moment = Moment(index: event.index, time: event.time)
        switch fact {
        case .phase(let name): note(moment, beginOf: name)
        case .inject(let number, let kind, let detail):
            change(number, kind) {
                $0.inject = moment
                $0.detail = detail
            }
        case .landed(let number, let kind, let landed, let evidence):
            change(number, kind) {
                $0.landed = landed
                $0.evidence = evidence
            }
        case .heal(let number, let kind, let ok, let forced, _):
            change(number, kind) {
                $0.heal = moment
                $0.healOK = ok
                $0.forced = forced
            }
        }
    }

    public mutating func merge(_ other: FaultTimeline) {
        lastTime = max(lastTime, other.lastTime)
        for (name, moment) in other.phaseBegins { note(moment, beginOf: name) }
        byNumber.merge(other.byNumber) { mine, theirs in
            var both = mine
            if mine.inject == nil { both.detail = theirs.detail }
            both.inject = mine.inject ?? theirs.inject
            both.landed = mine.landed ?? theirs.landed
            both.evidence = mine.evidence ?? theirs.evidence
            if let heal = theirs.heal, mine.heal.map({ $0 < heal }) ?? true {
                (both.heal, both.healOK, both.forced) = (heal, theirs.healOK, theirs.forced)
            }
            return both
        }
    }

    /// All injections in no particular order, without the price of sorting them.
    public var unordered: some Collection<Injection> { byNumber.values }

    /// All injections, in the order of their numbers. O(n log n).
    public var injections: [Injection] { byNumber.values.sorted { $0.number < $1.number } }

    public subscript(number: Int) -> Injection? { byNumber[number] }

    /// When the phase began; the first time, should it have begun twice.
    public func begin(ofPhase name: String) -> Int64? { phaseBegins[name]?.time }

    /// From the phase's begin to the begin of the next one, or to the last event.
    public func span(ofPhase name: String) -> Range<Int64>? {
        guard let begin = phaseBegins[name] else { return nil }
        let next = phaseBegins.values.filter { $0 > begin }.min()
        return begin.time..<max(begin.time, next?.time ?? lastTime)
    }

    private mutating func note(_ moment: Moment, beginOf name: String) {
        phaseBegins[name] = phaseBegins[name].map { min($0, moment) } ?? moment
    }

    private mutating func change(_ number: Int, _ kind: String, _ body: (inout Injection) -> Void) {
        body(&byNumber[number, default: Injection(number: number, kind: kind)])
    }
}

extension FaultTimeline.Injection {
    /// `restart #0`.
    public var shortName: String { "\(kind) #\(number)" }

    /// `restart #0 (immediate, down for 2 s)`: the detail without the kind, which it may begin with.
    public var name: String {
        let rest =
            detail.hasPrefix(kind) ? String(detail.dropFirst(kind.count).drop { $0 == " " || $0 == ":" }) : detail
        return rest.isEmpty ? shortName : "\(shortName) (\(rest))"
    }
}
