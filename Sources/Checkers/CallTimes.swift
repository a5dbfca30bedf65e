import RigModel

/// How long calls of one sort took, and the worst of them. A mergeable fold in bounded memory: limits and stalls may be
/// told in another part of the history, so the worst thousand calls are kept and judged at the end.
struct CallTimes: Sendable {
    enum Sort: String, Sendable {
        case connect, acquire, query, release, close

        /// Where `pool/configured` tells the limit.
        var limitKey: String {
            switch self {
            case .connect: "connect_timeout_ns"
            case .acquire: "acquire_timeout_ns"
            case .query: "statement_timeout_ns"
            case .release: "release_timeout_ns"
            case .close: "close_timeout_ns"
            }
        }

        var subject: String {
            switch self {
            case .connect: "A connect"
            case .acquire: "An acquire"
            case .query: "A statement"
            case .release: "A release"
            case .close: "Closing the pool"
            }
        }
    }

    struct Call: Comparable, Sendable {
        var took: Int64
        /// The limit that the event itself names.
        var limit: Int64?
        /// The call lay somewhere between the two moments.
        var from: FaultTimeline.Moment
        var to: FaultTimeline.Moment
        /// The operation that called; `nil` for the pool's close.
        var operation: (function: String, process: Event.Process, connection: Int?, outcome: Event.Kind)?

        /// The connection that a connect opened.
        var opened: Int64?

        /// Longest first.
        static func < (a: Call, b: Call) -> Bool { a.took != b.took ? a.took > b.took : a.to.index < b.to.index }
        static func == (a: Call, b: Call) -> Bool { a.took == b.took && a.to.index == b.to.index }

        /// Indices of the events that show it.
        var events: [Int] { from.index == to.index ? [to.index] : [from.index, to.index] }

        /// Who called.
        var words: String {
            guard let operation else { return opened.map { " until connection \($0) was open" } ?? "" }
            let place = operation.connection.map { " on connection \($0)" } ?? ""
            return " in `\(operation.function)` of \(operation.process.words)\(place), which ended in "
                + operation.outcome.rawValue
        }
    }

    let sort: Sort
    private var slowest = Smallest<Call>(limit: 1000)
    private var histogram = LatencyHistogram()

    init(_ sort: Sort) { self.sort = sort }

    /// Adds the longest call of this sort in an operation, if it had one.
    mutating func add(_ took: Int64?, _ ended: OperationPairing.Ended) {
        guard let took else { return }
        keep(
            Call(
                took: took, from: FaultTimeline.Moment(index: ended.begun.index, time: ended.begun.time),
                to: FaultTimeline.Moment(index: ended.event.index, time: ended.event.time),
                operation: (
                    ended.begun.function, ended.begun.process, ended.event.completion?.connection, ended.event.kind
                )))
    }

    mutating func addClose(_ took: Int64, limit: Int64?, _ event: Event) {
        keep(
            Call(
                took: took, limit: limit,
                from: FaultTimeline.Moment(index: event.index, time: max(0, event.time - took)),
                to: FaultTimeline.Moment(index: event.index, time: event.time)))
    }

    mutating func addConnect(_ took: Int64, _ event: Event) {
        keep(
            Call(
                took: took, from: FaultTimeline.Moment(index: event.index, time: max(0, event.time - took)),
                to: event.moment, opened: event.value["conn"]?.intValue))
    }

    mutating func merge(_ other: CallTimes) {
        slowest.merge(other.slowest)
        histogram.merge(other.histogram)
    }

    var count: UInt64 { histogram.count }
    /// Nanoseconds.
    var longest: Int64 { histogram.maxNanoseconds }
    /// Nanoseconds; `nil` when there was no call.
    var p99: Int64? { histogram.nanoseconds(atQuantile: 0.99) }
    /// At most a thousand, longest first.
    var worst: [Call] { slowest.elements }

    private mutating func keep(_ call: Call) {
        histogram.add(nanoseconds: call.took)
        slowest.add(call)
    }
}
