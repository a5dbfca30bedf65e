import HTTPService
import RigModel

extension ProxyAPI {
    /// Checks in Toxiproxy's order: the proxy exists, the JSON, the stream, the type, the name is free, the attributes.
    func addToxic(to proxy: String, _ body: [UInt8]) throws(ProxySetError) -> HTTPResponse {
        let view = try proxies.proxy(proxy)
        let fields = try RequestFields(body)
        let name = try fields.string("name")
        let typeName = try fields.string("type") ?? ""
        let streamText = try fields.string("stream") ?? ProxyStream.downstream.rawValue
        let toxicity = try fields.toxicity() ?? 1
        guard let stream = ProxyStream(rawValue: streamText.lowercased()) else { throw .invalidStream }
        guard let type = ToxicCatalogue.type(named: typeName) else {
            throw .invalidToxicType(nearest: ToxicCatalogue.nearest(to: typeName))
        }
        var definition = ToxicDefinition(
            type: type, name: name.flatMap { $0.isEmpty ? nil : $0 }, streamText: streamText, stream: stream,
            toxicity: toxicity, attributes: type.standardAttributes)
        if view.toxics.contains(where: { $0.name.isName(definition.effectiveName) }) { throw .toxicExists }
        definition.attributes = try Self.attributes(of: type, type.standardAttributes, fields)
        return .json(try proxies.addToxic(definition, to: proxy).json)
    }

    func updateToxic(_ name: String, of proxy: String, _ body: [UInt8]) throws(ProxySetError) -> HTTPResponse {
        _ = try proxies.toxic(name, of: proxy)
        let fields = try RequestFields(body)
        let toxicity = try fields.toxicity()
        let updated = try proxies.updateToxic(name, of: proxy) { (toxic) throws(ProxySetError) in
            let attributes = try Self.attributes(of: toxic.type, toxic.active.toxic.attributes, fields)
            return (attributes, toxicity ?? Float(toxic.active.toxicity))
        }
        return .json(updated.json)
    }

    private static func attributes(
        of type: ToxicType, _ current: ToxicAttributes, _ fields: RequestFields
    ) throws(ProxySetError) -> ToxicAttributes {
        guard let json = fields.value("attributes") else { return current }
        do { return try current.merged(with: json, of: type) } catch { throw .badRequest("\(error)") }
    }
}

extension ProxyToxic {
    /// In Toxiproxy's order.
    var json: JSONValue {
        [
            "attributes": .object(active.toxic.attributes.values), "name": .string(name), "type": .string(type.name),
            "stream": .string(streamText), "toxicity": Self.json(Float(active.toxicity)),
        ]
    }

    /// The shortest text that is this number of 32 bits: 0.1, not 0.10000000149011612.
    private static func json(_ number: Float) -> JSONValue { .double(Double(number.description) ?? Double(number)) }
}
