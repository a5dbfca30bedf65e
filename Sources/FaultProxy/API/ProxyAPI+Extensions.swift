import HTTPService
import RigModel
import Threading

/// What Toxiproxy lacks.
extension ProxyAPI {
    func connections(of proxy: String) throws(ProxySetError) -> HTTPResponse {
        let now = MonotonicInstant.now
        return .json(.array(try proxies.connections(of: proxy).map { $0.json(now) }))
    }

    /// The name stands among the keys of the rule; what was given out with it (`matches`, `hits`) may come back.
    func addCut(to proxy: String, _ body: [UInt8]) throws(ProxySetError) -> HTTPResponse {
        _ = try proxies.proxy(proxy)
        let value = try RequestFields.value(body)
        let fields = try RequestFields(value, "the body")
        let name = try fields.string("name")
        guard case .object(let members) = value else {
            throw .badRequest("the body must be an object, not \(value.kind)")
        }
        var rule: CutRule
        do {
            rule = try CutRule(
                json: .object(members.filter { !["name", "matches", "hits"].contains($0.key.lowercased()) }))
        } catch {
            throw .badRequest("\(error)")
        }
        if fields.value("seed") == nil { rule.seed = seed }
        return .json(try proxies.addCut(rule, name: name.flatMap { $0.isEmpty ? nil : $0 }, to: proxy).json)
    }
}

extension ActiveCut {
    /// Its name, its rule, and how often it was met.
    var json: JSONValue {
        var members: [JSONValue.Member] = [.init("name", .string(name))]
        if case .object(let fields) = rule.json { members += fields }
        members.append(.init("matches", JSONValue(record.matches)))
        members.append(.init("hits", JSONValue(record.hits)))
        return .object(members)
    }
}

extension RelayedConnection {
    func json(_ now: MonotonicInstant) -> JSONValue {
        [
            "number": JSONValue(number), "client": .string(client),
            "age_s": .double(openedAt.duration(to: now).seconds),
            "quiet_s": .double(lastBytesAt.duration(to: now).seconds),
            "upstream": ["received": JSONValue(bytesUpstream.received), "sent": JSONValue(bytesUpstream.sent)],
            "downstream": ["received": JSONValue(bytesDownstream.received), "sent": JSONValue(bytesDownstream.sent)],
            "toxics": .array(toxics.map(JSONValue.string)), "wire": facts.json,
        ]
    }
}

extension WireFacts {
    fileprivate var json: JSONValue {
        [
            "phase": .string(phase.rawValue), "user": JSONValue(user), "database": JSONValue(database),
            "application_name": JSONValue(applicationName), "backend_pid": JSONValue(backendPID.map(Int.init)),
            "transaction": JSONValue(transaction?.rawValue), "statements_in_flight": JSONValue(statementsInFlight),
            "last_command_tag": JSONValue(lastCommandTag), "last_sqlstate": JSONValue(lastSQLState),
            "messages": ["upstream": JSONValue(messagesUpstream), "downstream": JSONValue(messagesDownstream)],
        ]
    }
}
