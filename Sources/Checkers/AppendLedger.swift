import RigModel

/// What every append came to, by operation id. A mergeable fold; 20 bytes for each operation, in pages of 64 neighbouring
/// sequence numbers.
struct AppendLedger: Sendable {
    struct Entry: Sendable {
        fileprivate static let invoked: UInt8 = 1
        fileprivate static let ok: UInt8 = 2
        fileprivate static let fail: UInt8 = 4
        fileprivate static let info: UInt8 = 8

        fileprivate var state: UInt8 = 0
        fileprivate var beginIndex: UInt32 = 0
        fileprivate var endIndex: UInt32 = 0
        fileprivate var beginMilliseconds: UInt32 = 0
        fileprivate var endMilliseconds: UInt32 = 0

        var wasInvoked: Bool { state & Self.invoked != 0 }

        /// How it ended; `info` also when it never ended.
        var outcome: Outcome {
            if state & Self.ok != 0 { return .ok }
            return state & Self.fail != 0 && state & Self.info == 0 ? .fail : .info
        }
        private var ended: Bool { state & ~Self.invoked != 0 }

        /// Indices of the invoke and the completion.
        var events: [Int] { ended ? [Int(beginIndex), Int(endIndex)] : [Int(beginIndex)] }
        /// From the invoke to the completion, to the millisecond; to the end of the run when there was none.
        var span: (from: Int64, to: Int64) {
            (
                Int64(beginMilliseconds) * 1_000_000,
                ended ? Int64(endMilliseconds) * 1_000_000 + 999_999 : Event.timeLimit
            )
        }

        fileprivate mutating func merge(_ other: Entry) {
            if !wasInvoked {
                beginIndex = other.beginIndex
                beginMilliseconds = other.beginMilliseconds
            }
            if !ended {
                endIndex = other.endIndex
                endMilliseconds = other.endMilliseconds
            }
            state |= other.state
        }
    }

    private static let functions: Set = ["append", "append-transaction"]
    private static let pageBits: Int64 = 6
    private var pages: [Int64: [Entry]] = [:]
    private(set) var okCount = 0
    private(set) var failCount = 0
    private(set) var infoCount = 0
    private(set) var invokedCount = 0

    mutating func observe(_ event: Event) {
        guard case .worker = event.process, Self.functions.contains(event.function), let id = event.value.intValue,
            id >= 0
        else { return }
        let index = UInt32(clamping: event.index)
        let milliseconds = UInt32(clamping: event.time / 1_000_000)
        change(OperationID(rawValue: id)) { entry in
            switch event.kind {
            case .invoke:
                entry.state |= Entry.invoked
                entry.beginIndex = index
                entry.beginMilliseconds = milliseconds
            case .ok: entry.state |= Entry.ok
            case .fail: entry.state |= Entry.fail
            case .info: entry.state |= Entry.info
            case .end: break
            }
            if event.kind != .invoke {
                entry.endIndex = index
                entry.endMilliseconds = milliseconds
            }
        }
        switch event.kind {
        case .invoke: invokedCount += 1
        case .ok: okCount += 1
        case .fail: failCount += 1
        case .info: infoCount += 1
        case .end: break
        }
    }

    mutating func merge(_ other: AppendLedger) {
        okCount += other.okCount
        failCount += other.failCount
        infoCount += other.infoCount
        invokedCount += other.invokedCount
        pages.merge(other.pages) { mine, theirs in
            var both = mine
            for position in both.indices { both[position].merge(theirs[position]) }
            return both
        }
    }

    /// `nil` when nothing was ever said about the operation.
    subscript(id: OperationID) -> Entry? {
        let (page, position) = Self.place(of: id)
        guard let entry = pages[page]?[position], entry.state != 0 else { return nil }
        return entry
    }

    /// Every operation with its id, in the order of the ids.
    func forEach(_ body: (OperationID, Entry) -> Void) {
        for page in pages.keys.sorted() {
            for (position, entry) in (pages[page] ?? []).enumerated() where entry.state != 0 {
                body(OperationID(rawValue: (page << Self.pageBits + Int64(position)) << 4), entry)
            }
        }
    }

    private mutating func change(_ id: OperationID, _ body: (inout Entry) -> Void) {
        let (page, position) = Self.place(of: id)
        body(&pages[page, default: Array(repeating: Entry(), count: 1 << Int(Self.pageBits))][position])
    }

    private static func place(of id: OperationID) -> (page: Int64, position: Int) {
        let number = id.rawValue >> 4
        return (number >> pageBits, Int(number & (1 << pageBits - 1)))
    }
}
