import RigModel

/// Which direction of the connections a fault of the relay disturbs.
enum StreamChoice: String, CaseIterable {
    case both
    case upstream
    case downstream

    static let parameter = Parameter(
        "stream", .choice(allCases.map(\.rawValue)), default: .choice("both"),
        summary: "upstream (to the server), downstream (to the pool), or both")

    init(_ parameters: Parameters) { self = parameters.choice("stream").flatMap(Self.init) ?? .both }

    /// A toxic of this type for each direction.
    ///
    /// - Parameter attributes: as in `rate=100KB/s`.
    func toxics(_ type: String, _ attributes: String = "") -> [Disturbance] {
        let streams = self == .both ? [Self.upstream, .downstream] : [self]
        return streams.map { .toxic("\(type)@\($0.rawValue)" + (attributes.isEmpty ? "" : ":\(attributes)")) }
    }

    /// For the detail of a fault.
    var words: String {
        switch self {
        case .both: "both ways"
        case .upstream: "to the server"
        case .downstream: "to the pool"
        }
    }
}
