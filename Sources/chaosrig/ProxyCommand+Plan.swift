import FaultProxy
import Glibc
import HostSystem
import RigModel

/// Why the proxy was not started: nothing was.
enum ProxyPlanError: Error {
    /// The arguments make no sense.
    case usage(String)
    /// The configuration file cannot be read, or is not one. A whole line.
    case config(String)
}

/// What `chaosrig proxy` was asked for. A value: building it starts nothing.
struct ProxyPlan: Sendable {
    static let defaultAPI = "127.0.0.1:8474"

    /// Where the API is served; `nil` for not at all.
    var api: String?
    var proxies: [ProxyDefinition] = []
    /// For the proxy of the command line.
    var toxics: [ToxicDefinition] = []
    var cuts: [CutRule] = []
    var dialsFirst = false
    var seed: UInt64
    var isJSONLog: Bool
    var logLevel: LogLevel
    /// What the log says at the start.
    var warnings: [String] = []

    /// The name of the proxy of the command line.
    var commandLineProxy: String?

    init(_ arguments: ParsedArguments, environment: [String: String]) throws(ProxyPlanError) {
        guard arguments.positional.isEmpty else { throw .usage("proxy takes options only") }
        do { seed = try arguments.seed() ?? UInt64.random(in: 0..<(1 << 32)) } catch { throw .usage(error.message) }
        isJSONLog = try Self.isJSONLog(arguments.value("--log"))
        logLevel = try Self.logLevel(environment["LOG_LEVEL"])
        dialsFirst = arguments.has("--dial-first")
        api = arguments.value("--api") ?? (arguments.has("--listen") ? nil : Self.defaultAPI)
        if let api { try Self.checkAPI(api) }
        if let file = arguments.value("--config") { try load(file) }
        try takeProxy(arguments)
    }

    /// The proxy of the command line.
    private mutating func takeProxy(_ arguments: ParsedArguments) throws(ProxyPlanError) {
        guard let listen = arguments.value("--listen") else {
            for option in ["--upstream", "--name", "--toxic", "--cut"] where arguments.has(option) {
                throw .usage("\(option) belongs to one proxy: --listen ADDR --upstream ADDR")
            }
            return
        }
        guard let upstream = arguments.value("--upstream") else {
            throw .usage("--listen needs --upstream ADDR, the server that it leads to")
        }
        try Self.check(listen, "--listen")
        try Self.check(upstream, "--upstream")
        let name = arguments.value("--name") ?? "proxy"
        guard !name.isEmpty, !name.utf8.contains(UInt8(ascii: "/")) else {
            throw .usage("--name must not be empty, and holds no slash")
        }
        guard !proxies.contains(where: { ProxyName($0.name) == ProxyName(name) }) else {
            throw .usage("the configuration has a proxy \"\(name)\" already; choose another --name")
        }
        commandLineProxy = name
        proxies.append(ProxyDefinition(name: name, listen: listen, upstream: upstream))
        var names: Set<ProxyName> = []
        for words in arguments.list("--toxic") {
            var toxic: ToxicDefinition
            do { toxic = ToxicDefinition(try ToxicWords(words)) } catch { throw .usage("--toxic: \(error)") }
            // Two of a kind are fine here, where nobody could give them names.
            let standard = toxic.effectiveName
            var number = 2
            while !names.insert(ProxyName(toxic.effectiveName)).inserted {
                toxic.name = "\(standard)_\(number)"
                number += 1
            }
            toxics.append(toxic)
        }
        for words in arguments.list("--cut") {
            var rule: CutRule
            do { rule = try CutRule(words: words) } catch { throw .usage("--cut: \(error)") }
            if rule.seed == 0 { rule.seed = seed }
            cuts.append(rule)
        }
    }

    private mutating func load(_ file: String) throws(ProxyPlanError) {
        guard let bytes = SmallFile.bytes(file) else {
            throw .config("\(file): cannot be read: \(String(cString: strerror(errno)))")
        }
        let value: JSONValue
        do throws(JSONSyntaxError) { value = try JSONValue(parsing: bytes) } catch {
            let (line, column) = Self.place(error.offset, bytes)
            throw .config("\(file):\(line):\(column): \(error.problem)")
        }
        do throws(ProxySetError) { proxies = try ProxyAPI.definitions(value) } catch {
            // There is no request here.
            if case .badRequest(let problem) = error { throw .config("\(file): \(problem)") }
            throw .config("\(file): \(error)")
        }
        var names: Set<ProxyName> = []
        for (position, proxy) in proxies.enumerated() {
            let place = "\(file): proxy \(position + 1)"
            if proxy.name.isEmpty { throw .config("\(place): missing required field: name") }
            if proxy.upstream.isEmpty { throw .config("\(place) (\(proxy.name)): missing required field: upstream") }
            guard names.insert(ProxyName(proxy.name)).inserted else {
                throw .config("\(place): there is a proxy \"\(proxy.name)\" before it; names are unique")
            }
            do throws(ProxyError) {
                _ = try ProxyAddress(proxy.listen.isEmpty ? ":0" : proxy.listen)
                _ = try ProxyAddress(proxy.upstream)
            } catch {
                throw .config("\(place) (\(proxy.name)): \(error)")
            }
        }
        for proxy in proxies where proxy.name.utf8.contains(UInt8(ascii: "/")) {
            warnings.append("the API has no path for a name with a slash: \"\(proxy.name)\" in \(file)")
        }
        if value.arrayValue?.contains(where: { $0["toxics"]?.arrayValue?.isEmpty == false }) == true {
            warnings.append("toxics in \(file) are ignored, as by Toxiproxy; add them over the API")
        }
    }

    /// Line and column, from 1, of a byte.
    static func place(_ offset: Int, _ bytes: [UInt8]) -> (line: Int, column: Int) {
        let before = bytes.prefix(offset)
        let lineStart = before.lastIndex(of: UInt8(ascii: "\n")).map { $0 + 1 } ?? 0
        let column = String(decoding: before[lineStart...], as: UTF8.self).count
        return (before.count { $0 == UInt8(ascii: "\n") } + 1, column + 1)
    }

    private static func checkAPI(_ address: String) throws(ProxyPlanError) {
        do throws(ProxyError) { try ServiceSocket.check(address, for: "the API") } catch {
            throw .usage("--api: \(error)")
        }
    }

    private static func check(_ address: String, _ option: String) throws(ProxyPlanError) {
        do { _ = try ProxyAddress(address) } catch { throw .usage("\(option): \(error)") }
    }

    private static func isJSONLog(_ text: String?) throws(ProxyPlanError) -> Bool {
        switch text {
        case nil: isatty(STDOUT_FILENO) != 1
        case "json": true
        case "text": false
        case let other?: throw .usage("--log takes text or json, not \"\(other)\"")
        }
    }

    /// With the names that Toxiproxy's logger knows.
    private static func logLevel(_ text: String?) throws(ProxyPlanError) -> LogLevel {
        switch text?.lowercased() {
        case nil, "", "info": return .info
        case "trace", "debug": return .debug
        case "warn", "warning": return .warning
        case "error", "fatal", "panic", "disabled": return .error
        case let other?: throw .usage("LOG_LEVEL is one of debug, info, warn, error, not \"\(other)\"")
        }
    }
}

extension ToxicDefinition {
    init(_ words: ToxicWords) {
        self.init(
            type: words.type, stream: words.stream, toxicity: Float(words.toxicity), attributes: words.toxic.attributes)
    }
}
