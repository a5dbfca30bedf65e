/// What the server still has to answer, in order: tells which statement a message of the server belongs to, and which
/// messages answer what the proxy has sent itself.
struct AnswerQueue: Sendable {
    enum Kind: Sendable {
        case parse, bind, close, describe, execute
        case sync
        /// Query or FunctionCall.
        case query
    }

    struct Entry: Sendable {
        var kind: Kind
        /// Of the statement.
        var text: String?
        /// The proxy has sent it; the client must not see the answer, except an error.
        var isOurs = false
        /// The next CommandComplete answers a rollback that the proxy has sent in the same Query.
        var hidesTag = false
        /// An error that the server is made to send in place of the answer.
        var injection: Injection?

        /// The queue must live until it is answered.
        fileprivate var isAwaited: Bool { isOurs || hidesTag || injection != nil }
    }

    struct Injection: Sendable {
        let sqlState: String
        let claim: HitClaim
    }

    struct Answer: Sendable, Equatable {
        var text: String?
        var isHidden = false
        /// It is an error, and this one was asked for.
        var injection: Injection?

        static func == (a: Self, b: Self) -> Bool {
            a.text == b.text && a.isHidden == b.isHidden && a.injection?.claim === b.injection?.claim
        }
    }

    private static let limit = 65_536
    /// Close, Parse, Bind and Execute, for a rollback and for the error: they are noted all, or the client would see an answer.
    private static let entriesOfInjection = 8
    /// Of all texts; those of statements sent ahead beyond it are not known.
    private static let textLimit = 4 << 20
    private var entries: [Entry] = []
    private var head = 0
    /// The server skips, or has sent before this queue began, everything up to the next Sync.
    private(set) var skipsToSync: Bool
    /// More was sent ahead than is kept: of what is not kept nothing is known until all is answered.
    private(set) var isLost = false
    private var isCopyingIn = false
    private var lastText: String?
    private var awaitedCount = 0
    /// An error was injected: the server skips everything up to the next Sync.
    private var failsToSync = false
    private var textBytes = 0

    /// - Parameters:
    ///   - groups: what is on its way already.
    ///   - isCopyingIn: the server reads a COPY FROM STDIN now.
    init(_ groups: StatementGroups = StatementGroups(), isCopyingIn: Bool = false) {
        if isCopyingIn, groups.beginsWithSync { entries = [Entry(kind: .execute)] }
        entries += Array(repeating: Entry(kind: .query), count: groups.count)
        self.isCopyingIn = isCopyingIn
        skipsToSync = groups.hasUnsynced
    }

    /// Nothing is left to be answered, and nothing is wrong.
    var isFresh: Bool { first == nil && !isLost && !skipsToSync }
    /// An error can be put at the right place now.
    var takesErrors: Bool {
        !isLost && !skipsToSync && !failsToSync && entries.count - head <= Self.limit - Self.entriesOfInjection
    }
    /// Answers that have to be hidden, or that tell whether an error was hit, are still to come.
    var awaitsSomething: Bool { awaitedCount > 0 }

    private var first: Entry? { head < entries.count ? entries[head] : nil }

    mutating func note(_ entry: Entry) {
        guard !isLost else { return }
        if entry.kind == .sync { failsToSync = false }
        if skipsToSync {
            guard entry.kind == .sync else { return }
            skipsToSync = false
        }
        guard entries.count - head < Self.limit else {
            isLost = true
            dropNewest()
            return
        }
        if entry.isAwaited { awaitedCount += 1 }
        if entry.kind == .execute, entry.injection != nil { failsToSync = true }
        var entry = entry
        let more = entry.text?.utf8.count ?? 0
        if textBytes + more > Self.textLimit { entry.text = nil } else { textBytes += more }
        entries.append(entry)
    }

    /// Keeps what stands in front of the last answer that is awaited, since it says when that one comes, and nothing where
    /// none is.
    private mutating func dropNewest() {
        let kept = entries[head...].lastIndex(where: \.isAwaited).map { $0 + 1 } ?? head
        entries = Array(entries[head..<kept])
        head = 0
        textBytes = entries.reduce(0) { $0 + ($1.text?.utf8.count ?? 0) }
    }

    /// The client has ended its COPY FROM STDIN. Where an Execute began it, the server has ignored each Sync until now.
    mutating func noteCopyEnded() {
        guard isCopyingIn, first?.kind == .execute else { return }
        while entries.count > head + 1 {
            let entry = entries.removeLast()
            textBytes -= entry.text?.utf8.count ?? 0
            if entry.isAwaited { awaitedCount -= 1 }
        }
        isCopyingIn = false
    }

    /// The server has sent a message of this type.
    mutating func answered(_ type: UInt8) -> Answer {
        guard let front = first else { return Answer(text: isLost ? nil : lastText) }
        switch (type, front.kind) {
        case (UInt8(ascii: "1"), .parse), (UInt8(ascii: "2"), .bind), (UInt8(ascii: "3"), .close),
            (UInt8(ascii: "T"), .describe), (UInt8(ascii: "n"), .describe), (UInt8(ascii: "C"), .execute),
            (UInt8(ascii: "I"), .execute), (UInt8(ascii: "s"), .execute):
            pop()
            return Answer(text: front.text, isHidden: front.isOurs)
        case (UInt8(ascii: "C"), .query) where front.hidesTag:
            entries[head].hidesTag = false
            if !entries[head].isAwaited { awaitedCount -= 1 }
            return Answer(text: front.text, isHidden: true)
        case (UInt8(ascii: "G"), _):
            isCopyingIn = true
            return Answer(text: front.text)
        case (UInt8(ascii: "E"), _):
            // What fails at a Sync (a deferred constraint) is the last statement in front of it.
            let text = front.kind == .sync ? lastText : front.text
            fail(front)
            lastText = text
            return Answer(text: text, injection: front.injection)
        case (UInt8(ascii: "Z"), _): return Answer(text: ready(front))
        default: return Answer(text: front.kind == .sync ? lastText : front.text)
        }
    }

    /// The server answers nothing more up to the next Sync, not even a Query in front of it; for a Query that fails up to
    /// its ReadyForQuery.
    private mutating func fail(_ front: Entry) {
        // The Syncs that came until now were ignored.
        noteCopyEnded()
        isCopyingIn = false
        if front.kind == .query {
            if front.isAwaited {
                entries[head].hidesTag = false
                entries[head].injection = nil
                awaitedCount -= 1
            }
        } else {
            while let entry = first, entry.kind != .sync { pop() }
        }
        if first == nil { skipsToSync = true }
    }

    private mutating func ready(_ front: Entry) -> String? {
        isCopyingIn = false
        while let entry = first {
            pop()
            if entry.kind == .query || entry.kind == .sync { break }
        }
        let text = front.kind == .query ? front.text : lastText
        lastText = nil
        return text
    }

    private mutating func pop() {
        let entry = entries[head]
        // What was answered is not kept.
        entries[head].text = nil
        entries[head].injection = nil
        textBytes -= entry.text?.utf8.count ?? 0
        if entry.isAwaited { awaitedCount -= 1 }
        if entry.kind == .execute { lastText = entry.text }
        head += 1
        if head == entries.count {
            entries.removeAll(keepingCapacity: true)
            head = 0
        } else if head >= 1024 {
            entries.removeFirst(head)
            head = 0
        }
    }
}
