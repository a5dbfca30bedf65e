import HTTPService
package import RigModel

extension ProxyAPI {
    var index: HTTPResponse { .json(.object(proxies.proxies.map { .init($0.name, $0.json) })) }

    func create(_ body: [UInt8]) throws(ProxySetError) -> HTTPResponse {
        let definition = try Self.definition(RequestFields(body))
        return .json(try proxies.create(definition).json, status: 201)
    }

    func update(_ name: String, _ body: [UInt8]) throws(ProxySetError) -> HTTPResponse {
        _ = try proxies.proxy(name)
        let fields = try RequestFields(body)
        // A name must be a string, and is ignored.
        _ = try fields.string("name")
        let change = ProxyChange(
            listen: try fields.string("listen"), upstream: try fields.string("upstream"),
            isEnabled: try fields.bool("enabled"))
        return .json(try proxies.update(name, change).json)
    }

    func populate(_ body: [UInt8]) -> HTTPResponse {
        do throws(ProxySetError) {
            let (views, error) = proxies.populate(try Self.definitions(RequestFields.value(body)))
            return .populated(views.map(\.json), error)
        } catch {
            return .populated([], error)
        }
    }

    /// An array of proxies: the body of /populate, and what a configuration file holds.
    package static func definitions(_ value: JSONValue) throws(ProxySetError) -> [ProxyDefinition] {
        if value == .null { return [] }
        guard case .array(let items) = value else {
            throw .badRequest("expected an array of proxies, not \(value.kind)")
        }
        var definitions: [ProxyDefinition] = []
        for (position, item) in items.enumerated() {
            do throws(ProxySetError) {
                definitions.append(try definition(RequestFields(item, "a proxy")))
            } catch {
                guard case .badRequest(let problem) = error else { throw error }
                throw .badRequest("proxy \(position + 1): \(problem)")
            }
        }
        return definitions
    }

    private static func definition(_ fields: RequestFields) throws(ProxySetError) -> ProxyDefinition {
        ProxyDefinition(
            name: try fields.string("name") ?? "", listen: try fields.string("listen") ?? "",
            upstream: try fields.string("upstream") ?? "", isEnabled: try fields.bool("enabled") ?? true)
    }
}

extension ProxyView {
    /// In Toxiproxy's order. `Logger` is a field that it shows by accident, and that clients may expect since.
    var json: JSONValue {
        [
            "name": .string(name), "listen": .string(listen), "upstream": .string(upstream),
            "enabled": .bool(isEnabled), "Logger": [:], "toxics": .array(toxics.map(\.json)),
        ]
    }
}
