/// A proxy as a client asks for it. A value.
package struct ProxyDefinition: Sendable, Equatable {
    package var name: String
    /// Where it listens. Empty means any address and any port.
    package var listen: String
    /// Where it leads to.
    package var upstream: String
    package var isEnabled: Bool

    package init(name: String, listen: String = "", upstream: String, isEnabled: Bool = true) {
        self.name = name
        self.listen = listen
        self.upstream = upstream
        self.isEnabled = isEnabled
    }
}

/// What is to become of a proxy; `nil` keeps.
package struct ProxyChange: Sendable, Equatable {
    package var listen: String?
    package var upstream: String?
    package var isEnabled: Bool?

    package init(listen: String? = nil, upstream: String? = nil, isEnabled: Bool? = nil) {
        self.listen = listen
        self.upstream = upstream
        self.isEnabled = isEnabled
    }
}

/// A proxy as it is now. A value.
package struct ProxyView: Sendable {
    package var name: String
    /// The bound address; what was asked for as long as it never listened.
    package var listen: String
    package var upstream: String
    package var isEnabled: Bool
    /// Those of the upstream, then those of the downstream, each in order of addition: the order in which bytes pass them.
    package var toxics: [ProxyToxic]
    package var cuts: [ActiveCut]
}

/// A toxic of a proxy as clients see it.
package struct ProxyToxic: Sendable {
    package var active: ActiveToxic
    /// The stream as the client wrote it: Toxiproxy gives it back so.
    package var streamText: String

    package var name: String { active.name }
    package var type: ToxicType { Swift.type(of: active.toxic).type }
}

/// A toxic as a client asks for it. A value.
package struct ToxicDefinition: Sendable {
    package var type: ToxicType
    /// `nil` for `<type>_<stream>`.
    package var name: String?
    package var streamText: String
    package var stream: ProxyStream
    package var toxicity: Float
    package var attributes: ToxicAttributes

    package init(
        type: ToxicType, name: String? = nil, streamText: String? = nil, stream: ProxyStream = .downstream,
        toxicity: Float = 1, attributes: ToxicAttributes
    ) {
        self.type = type
        self.name = name
        self.streamText = streamText ?? stream.rawValue
        self.stream = stream
        self.toxicity = toxicity
        self.attributes = attributes
    }

    package var effectiveName: String { name ?? "\(type.name)_\(streamText)" }
}
