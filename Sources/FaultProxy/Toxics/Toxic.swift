package import RigModel
package import Threading

/// One kind of toxic with its attributes: a value. Building it changes nothing.
package protocol Toxic: Sendable {
    /// Wire name, summary and attributes; shown by `chaosrig list toxics`.
    static var type: ToxicType { get }

    /// - Parameter attributes: all attributes of the type, each within its bounds.
    init(_ attributes: ToxicAttributes)

    var attributes: ToxicAttributes { get }

    /// Its word on a connection that a client wants to open.
    ///
    /// - Parameter index: how many came since the toxic was added, from 0.
    func admits(connection index: Int) -> Bool

    /// Begins its work in one stream of a connection; `nil` when it has none there.
    func makeStage(_ context: StageContext) -> (any ToxicStage)?
}

extension Toxic {
    package func admits(connection index: Int) -> Bool { true }
}

/// Where and when a stage begins.
package struct StageContext: Sendable {
    package var stream: ProxyStream
    /// The connection was opened before the toxic was added.
    package var isOlderThanToxic: Bool
    /// The stage will see this stream from its first byte on.
    package var seesStart: Bool
    /// When bytes last passed on this connection in any direction; when it was accepted where none did.
    package var lastBytesAt: MonotonicInstant
    package var now: MonotonicInstant
    /// This connection's, stream's and toxic's own numbers.
    package var generator: SeededGenerator

    package init(
        stream: ProxyStream, isOlderThanToxic: Bool, seesStart: Bool, lastBytesAt: MonotonicInstant,
        now: MonotonicInstant, generator: SeededGenerator
    ) {
        self.stream = stream
        self.isOlderThanToxic = isOlderThanToxic
        self.seesStart = seesStart
        self.lastBytesAt = lastBytesAt
        self.now = now
        self.generator = generator
    }
}
