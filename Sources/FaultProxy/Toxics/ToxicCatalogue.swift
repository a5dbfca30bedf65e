import RigModel

/// All kinds of toxics: Toxiproxy's in the order of its documentation, then the others.
package enum ToxicCatalogue {
    package static let types: [ToxicType] = [
        LatencyToxic.type, BandwidthToxic.type, SlowCloseToxic.type, TimeoutToxic.type, ResetPeerToxic.type,
        SlicerToxic.type, LimitDataToxic.type, NoopToxic.type,
        BlackholeToxic.type, ResetToxic.type, CutAfterToxic.type, RefuseFirstToxic.type, CorruptToxic.type,
        HalfOpenToxic.type,
    ]

    package static func type(named name: String) -> ToxicType? { types.first { $0.name == name } }

    /// The type that was probably meant, for an error.
    package static func nearest(to name: String) -> String? { NearestName.of(name, in: types.map(\.name)) }
}
