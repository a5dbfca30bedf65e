import FaultProxy
import Synchronization
import Threading

/// A relay with threads of its own, on a free port of 127.0.0.1.
final class RunningRelay: Sendable {
    let relay: Relay
    let threads: RelayThreads
    /// As the relay tells it.
    let address: String
    let events: Events

    /// What the relay has told so far.
    final class Events: Sendable {
        private let list = Lock<[RelayEvent]>([])
        var all: [RelayEvent] { list.withLock { $0 } }
        func add(_ event: RelayEvent) { list.withLock { $0.append(event) } }
        /// Why connections ended, in order.
        var reasons: [RelayEvent.Reason] {
            all.compactMap { if case .closed(_, let reason, _, _) = $0 { reason } else { nil } }
        }
    }

    init(
        to upstream: String, listen: String = "127.0.0.1:0", threads count: Int = 2,
        _ change: (inout Relay.Options) -> Void = { _ in }
    ) throws {
        let events = Events()
        var options = Relay.Options()
        options.feed = { events.add($0) }
        change(&options)
        threads = try RelayThreads(count: count)
        relay = Relay(
            listen: try ProxyAddress(listen), upstream: try ProxyAddress(upstream), options: options, threads: threads)
        address = try relay.start()
        self.events = events
    }

    static func started(
        toPort port: UInt16, _ change: (inout Relay.Options) -> Void = { _ in }
    ) throws -> RunningRelay {
        try RunningRelay(to: "127.0.0.1:\(port)", change)
    }

    var port: UInt16 { address.split(separator: ":").last.flatMap { UInt16($0) } ?? 0 }
    var statistics: RelayStatistics { relay.statistics }

    /// Replaces the toxics, told in the words of the command line. Blocks for moments.
    ///
    /// - Returns: their records.
    func set(_ words: String...) throws -> [ToxicRecord] {
        let toxics = try words.map { words in
            let read = try ToxicWords(words)
            return ActiveToxic(
                id: Self.nextID.add(1, ordering: .relaxed).newValue, name: "\(read.type.name)_\(read.stream)",
                stream: read.stream, toxicity: read.toxicity, toxic: read.toxic, record: ToxicRecord())
        }
        relay.setToxics(toxics)
        return toxics.map(\.record)
    }

    private static let nextID = Atomic<Int>(0)

    func stop() {
        relay.stop()
        threads.stop()
    }
}
