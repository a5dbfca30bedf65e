package import RigModel

/// The first line of an adapter: who it is and what it can do.
package struct AdapterHello: Sendable, Equatable {
    /// What an adapter may say that it can.
    package enum Capability: String, Sendable, CaseIterable {
        case cancel
        case cancelQuery = "cancel-query"
        case transaction
        case stats
        case check
        case maintain
        case reopen
        /// Tells of its own accord what happens to its connections: `{"event": …}`.
        case events
        /// Understands `"leak": true` in a use: borrow and never give back.
        case leak
        /// `{"op":"take-all","count":n}`: asks for so many connections at once, gives them back, and tells how many were there.
        case takeAll = "take-all"
    }

    package static let protocolVersion: Int64 = 1

    package var pool: String
    package var version: String
    /// Words that this rig does not know are left out.
    package var capabilities: Set<Capability>
    /// Options that are this pool's own, and what they mean.
    package var options: [JSONValue.Member]

    package init(pool: String, version: String, capabilities: Set<Capability>, options: [JSONValue.Member] = []) {
        self.pool = pool
        self.version = version
        self.capabilities = capabilities
        self.options = options
    }

    /// A use, or at least its query.
    var canCancel: Bool { capabilities.contains(.cancel) || capabilities.contains(.cancelQuery) }

    package var line: JSONValue {
        [
            "hello": [
                "protocol": .int(Self.protocolVersion), "pool": .string(pool), "version": .string(version),
                "capabilities": .array(
                    capabilities.map { .string($0.rawValue) }.sorted { $0.compactText < $1.compactText }),
                "options": .object(options),
            ]
        ]
    }

    /// - Returns: the hello, or what is wrong with the line.
    package static func read(_ line: JSONValue) -> Result<AdapterHello, AdapterHelloProblem> {
        guard let hello = line["hello"] else {
            return .failure(AdapterHelloProblem("\"hello\" was expected, not \(line.compactText.prefix(200))"))
        }
        guard hello["protocol"]?.intValue == protocolVersion else {
            return .failure(
                AdapterHelloProblem("protocol 1 was expected, not \(hello["protocol"]?.compactText ?? "nothing")"))
        }
        guard let pool = hello["pool"]?.stringValue else {
            return .failure(AdapterHelloProblem("\"pool\", the name of the pool, is missing"))
        }
        let words = (hello["capabilities"]?.arrayValue ?? []).compactMap { $0.stringValue }
        var options: [JSONValue.Member] = []
        if case .object(let members)? = hello["options"] { options = members }
        return .success(
            AdapterHello(
                pool: pool, version: hello["version"]?.stringValue ?? "",
                capabilities: Set(words.compactMap(Capability.init)), options: options))
    }
}

package struct AdapterHelloProblem: Error, Equatable, CustomStringConvertible {
    package let description: String
    init(_ description: String) { self.description = description }
}
