package import Threading

/// Reads the bytes of one PostgreSQL connection in both directions as they pass, and stops at cut points. Pure; one per
/// connection.
package struct WireInspector: Sendable {
    /// A rule sees so much of a message at most, and so much is kept back per stream at most.
    static let keepLimit = 1 << 20

    var reader = WireReader()
    var plan = CutPlan()
    var answers = AnswerQueue()
    private var upstreamPlace = StreamPlace()
    private var downstreamPlace = StreamPlace()
    private var upstreamGate = StreamGate()
    private var downstreamGate = StreamGate()

    package init() {}

    /// What is known by now. Copies texts: for reports, not for every message.
    package var facts: WireFacts { reader.facts }

    /// There are cut points, and nothing can be seen of the connection any more: it is encrypted, or the bytes are not
    /// PostgreSQL's.
    package var blindPhase: WireFacts.Phase? {
        let phase = reader.phase
        return !plan.cuts.isEmpty && (phase == .encrypted || phase == .unknownProtocol) ? phase : nil
    }

    /// Without cut points ``observe(_:_:)`` is enough. Stays `true` for a while when they are removed and something is still
    /// kept back or to be answered.
    package private(set) var hasCuts = false

    /// Replaces the cut points. What was kept back for the old ones comes with the next bytes of its stream. A message that
    /// has gone on in part is no match for a new one.
    package mutating func setCuts(_ cuts: [ActiveCut]) {
        plan = CutPlan(cuts)
        if cuts.isEmpty { return relax() }
        if !hasCuts { answers = AnswerQueue(reader.groups, isCopyingIn: reader.isCopyingIn) }
        hasCuts = true
        for stream in ProxyStream.allCases {
            withGate(stream) { gate in
                gate.needed = 0
                gate.appointments.removeAll { appointment in !cuts.contains { $0.record === appointment.cut.record } }
            }
        }
    }

    /// Without cut points, and with nothing under way, the short way is enough.
    private mutating func relax() {
        upstreamGate.appointments = []
        downstreamGate.appointments = []
        upstreamGate.needed = 0
        downstreamGate.needed = 0
        let isBusy = upstreamGate.isBusy || downstreamGate.isBusy || answers.awaitsSomething
        hasCuts = isBusy || upstreamGate.isDead || downstreamGate.isDead
        guard !hasCuts else { return }
        upstreamGate = StreamGate()
        downstreamGate = StreamGate()
        answers = AnswerQueue()
        reader.texts.keepNamedOnly()
    }

    /// Looks at bytes that pass unchanged. No allocation, except in the first messages of a connection and for messages
    /// that came in pieces. O(messages), whatever their size.
    package mutating func observe(_ bytes: UnsafeRawBufferPointer, _ stream: ProxyStream) {
        if stream == .upstream {
            reader.walk(bytes, &upstreamPlace, .upstream)
        } else {
            reader.walk(bytes, &downstreamPlace, .downstream)
        }
    }

    /// Looks at bytes and decides what goes on. What a rule has to see as a whole may be kept back until the rest comes, at
    /// most 1 MiB; of a longer message the rules see so much.
    package mutating func intercept(
        _ bytes: UnsafeRawBufferPointer, _ stream: ProxyStream, now: MonotonicInstant, into effects: inout [WireEffect]
    ) {
        // Taken out, so that its arrays are not copied.
        var gate = StreamGate()
        withGate(stream) { swap(&gate, &$0) }
        if gate.kept.isEmpty {
            let rest = run(bytes, stream, &gate, into: &effects)
            if rest > 0 { gate.kept.append(contentsOf: bytes.suffix(rest)) }
        } else {
            gate.kept.append(contentsOf: bytes)
            if gate.kept.count >= gate.needed {
                var work: [UInt8] = []
                swap(&work, &gate.kept)
                let rest = work.withUnsafeBytes { run($0, stream, &gate, into: &effects) }
                gate.kept = rest == work.count ? work : Array(work.suffix(rest))
            }
        }
        withGate(stream) { swap(&gate, &$0) }
        if plan.cuts.isEmpty { relax() }
    }

    /// The stream has ended: gives what was kept back.
    package mutating func endOfStream(_ stream: ProxyStream, into effects: inout [WireEffect]) {
        let kept = gate(stream).kept
        if !kept.isEmpty {
            withGate(stream) { $0.kept = [] }
            kept.withUnsafeBytes { observe($0, stream) }
            effects.append(.pass(kept))
        }
        if !gate(stream).due.isEmpty {
            // Behind half a message nobody would understand an answer.
            withGate(stream) { $0.due = [] }
            effects.append(.close(.finish))
        }
    }

    // MARK: For the work on a stream

    func place(_ stream: ProxyStream) -> StreamPlace { stream == .upstream ? upstreamPlace : downstreamPlace }
    @inline(__always)
    func isAtBoundary(_ stream: ProxyStream) -> Bool {
        stream == .upstream ? upstreamPlace.isAtBoundary : downstreamPlace.isAtBoundary
    }
    func bytesToGo(_ stream: ProxyStream) -> Int {
        stream == .upstream ? upstreamPlace.bytesToGo : downstreamPlace.bytesToGo
    }
    private func gate(_ stream: ProxyStream) -> StreamGate { stream == .upstream ? upstreamGate : downstreamGate }

    mutating func withGate(_ stream: ProxyStream, _ body: (inout StreamGate) -> Void) {
        if stream == .upstream { body(&upstreamGate) } else { body(&downstreamGate) }
    }
}
