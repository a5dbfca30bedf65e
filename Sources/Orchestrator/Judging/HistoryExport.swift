package import RigModel

/// Turns a history into one that checkers of other people accept: Jepsen's maps with `index`, `time`, `process`, `type`, `f` and
/// `value`, as a model of theirs wants them. Pure; knows only what the model needs, event by event.
///
/// Formats and models: Knossos, Jepsen and Elle read EDN, one map a line; elle-cli reads a JSON array, too.
package struct HistoryExport: Sendable {
    package enum Format: String, CaseIterable, Sendable {
        case edn
        case json
    }

    package enum Model: String, CaseIterable, Sendable {
        /// Appends as `add` of a number, and the final `read` of all: nothing lost, nothing that was never added.
        case set
        /// The same as transactions on lists, one for each element: also doubled elements. One list for all would claim an
        /// order of the appends, which the rows do not have, and a checker would take that for the order in which they were done.
        case listAppend = "list-append"
        /// Transfers, and the total of all accounts before and after, as one account.
        case bank
        /// `acquire` and `release` of one connection; a lease that was never given back has no `release`.
        case mutex
    }

    /// One operation of the exported history.
    private struct Operation {
        var time: Int64
        var type: Event.Kind
        var process: Int
        var function: String
        var value: ExportValue
    }

    private let format: Format
    private let model: Model
    /// For ``Model/mutex``.
    private let connection: Int?
    private var index = 0
    private var elements: [Int64] = []
    /// All that somebody tried to append, for ``Model/listAppend``.
    private var appended: Set<Int64> = []
    /// Reads of the whole state at the end are of a process that nobody else is.
    private var highestProcess = 0
    private var pendingMutex: [Operation] = []

    package init(_ format: Format, _ model: Model, connection: Int? = nil) {
        self.format = format
        self.model = model
        self.connection = connection
    }

    /// Whether each line ends with a line feed.
    package var isByLine: Bool { format == .edn }
    /// How many events of clients it has by now. What the rig itself reads at the end says nothing without them.
    package private(set) var clientEvents = 0
    /// The read of the whole state at the end is there.
    private var hasFinalRead = false

    /// Why no checker could find anything wrong with what was written, in words; `nil`: one could.
    package var emptiness: String? {
        guard clientEvents > 0 else {
            return
                "this run has nothing for this model, and every checker calls an empty history valid; it needs \(need)"
        }
        guard model == .mutex || hasFinalRead else {
            return
                "the read of the whole state at the end is missing (\(finalRead) of history.jsonl: the run was ended before, or "
                + "the database could not be read), and without it every checker calls the history valid; run it again to its end"
        }
        return nil
    }

    private var finalRead: String { model == .bank ? "final-balances" : "final-appends" }

    /// What must be in the run for an export by this model, in words.
    private var need: String {
        switch model {
        case .set, .listAppend: "append or append-transaction in its mix"
        case .bank: "transfer or pausing-transfer in its mix"
        case .mutex:
            "connection \(connection.map(String.init) ?? "") among those that were lent (\"conn\" of an operation)"
        }
    }
    /// Before the first line.
    package var head: String { format == .json ? "[" : "" }
    /// Behind the last one.
    package var tail: String { format == .json ? "\n]" : "" }

    /// The lines that this event makes.
    package mutating func lines(for event: Event) -> [String] {
        let operations = operations(for: event)
        if case .worker(let number) = event.process {
            highestProcess = max(highestProcess, number)
            clientEvents += operations.count
        } else if model == .mutex {
            clientEvents += operations.count
        }
        return operations.map { line($0) }
    }

    private mutating func operations(for event: Event) -> [Operation] {
        switch (model, event.process, event.function) {
        case (.set, .worker(let worker), "append"), (.set, .worker(let worker), "append-transaction"):
            return [operation(event, worker, "add", .number(event.value.intValue ?? 0))]
        case (.listAppend, .worker(let worker), "append"), (.listAppend, .worker(let worker), "append-transaction"):
            let element = event.value.intValue ?? 0
            appended.insert(element)
            return [
                operation(
                    event, worker, "txn", .list([.list([.word("append"), .number(element), .number(element)])]))
            ]
        case (.set, .probe, "final-appends"), (.listAppend, .probe, "final-appends"): return finalRead(event)
        case (.bank, .worker(let worker), "transfer"), (.bank, .worker(let worker), "pausing-transfer"):
            let members = ["from", "to", "amount"].map { ($0, ExportValue.number(event.value[$0]?.intValue ?? 0)) }
            return [operation(event, worker, "transfer", .map(members))]
        case (.bank, .probe, "accounts"), (.bank, .probe, "final-balances"):
            if event.function == "final-balances" { hasFinalRead = true }
            return read(event, before: .null, after: .map([("0", .number(event.value["total"]?.intValue ?? 0))]))
        case (.mutex, .worker(let worker), _): return holding(event, worker)
        case (.mutex, .probe, "end"): return holders()
        default: return []
        }
    }

    private func operation(_ event: Event, _ worker: Int, _ function: String, _ value: ExportValue) -> Operation {
        Operation(time: event.time, type: event.kind, process: worker, function: function, value: value)
    }

    /// The rows may come in several parts. Each is an id with the attempt that wrote it in its lowest bits.
    private mutating func finalRead(_ event: Event) -> [Operation] {
        elements += (event.value["ids"]?.arrayValue ?? []).compactMap { $0.intValue.map { $0 & ~15 } }
        guard let part = event.value["part"]?.intValue, let parts = event.value["parts"]?.intValue, part + 1 == parts
        else { return [] }
        hasFinalRead = true
        defer { elements = [] }
        guard model == .listAppend else {
            return read(event, before: .null, after: .list(elements.map { .number($0) }))
        }
        let found = Dictionary(elements.map { ($0, 1) }, uniquingKeysWith: +)
        let lists = appended.union(found.keys).sorted()
        func transaction(_ rows: (Int64) -> ExportValue) -> ExportValue {
            .list(lists.map { .list([.word("r"), .number($0), rows($0)]) })
        }
        return read(
            event, "txn", before: transaction { _ in .null },
            after: transaction { list in .list(Array(repeating: .number(list), count: found[list] ?? 0)) })
    }

    private func read(
        _ event: Event, _ function: String = "read", before: ExportValue, after: ExportValue
    ) -> [Operation] {
        [(Event.Kind.invoke, before), (.ok, after)].map { type, value in
            Operation(time: event.time, type: type, process: highestProcess + 1, function: function, value: value)
        }
    }

    // MARK: Mutex

    /// A client held the connection from the hand-over to the begin of its release; both are known at its completion only, and
    /// another one may have held it earlier and end later, so they wait for the end of the history. Who never gave it back holds
    /// it for good: whoever is lent it then is a second holder.
    private mutating func holding(_ event: Event, _ worker: Int) -> [Operation] {
        guard event.kind != .invoke, let completion = event.completion, completion.connection == connection,
            let from = completion.leasedAt
        else { return [] }
        var moments = [(from, "acquire")]
        if let returned = completion.returnedAt {
            moments.append((max(from, returned - (completion.releaseNanoseconds ?? 0)), "release"))
        }
        for (time, function) in moments {
            for type in [Event.Kind.invoke, .ok] {
                pendingMutex.append(
                    Operation(time: time, type: type, process: worker, function: function, value: .null))
            }
        }
        return []
    }

    private mutating func holders() -> [Operation] {
        defer { pendingMutex = [] }
        return pendingMutex.enumerated().sorted { ($0.element.time, $0.offset) < ($1.element.time, $1.offset) }.map(
            \.element)
    }

    // MARK: Text

    private mutating func line(_ operation: Operation) -> String {
        defer { index += 1 }
        let members: [(String, ExportValue)] = [
            ("index", .number(Int64(index))), ("time", .number(operation.time)),
            ("type", .word(operation.type.rawValue)),
            ("process", .number(Int64(operation.process))), ("f", .word(operation.function)),
            ("value", operation.value),
        ]
        let text = ExportValue.map(members).text(format)
        return format == .edn ? text : (index == 0 ? "\n" : ",\n") + text
    }
}
