import Threading

/// How to reach a PostgreSQL server, and as whom.
///
/// ```swift
/// var configuration = try PostgresConfiguration(url: "postgresql://app:secret@127.0.0.1/shop")
/// configuration.applicationName = "chaosrig-7f3a"
/// configuration.endpoint = PostgresEndpoint(host: "127.0.0.1", port: 20001)  // through a relay
/// ```
///
/// What neither the URL nor an override says comes from libpq's usual places (`PGUSER`, `~/.pgpass`, …). The password
/// appears in no description of this value.
package struct PostgresConfiguration: Sendable {
    /// Holds the password.
    private(set) var source: ConnectionString

    /// Where the URL says that the server listens, in the order in which libpq tries.
    package let servers: [PostgresEndpoint]

    /// Connects here instead, for example to a relay. The URL's host name is still the one that a TLS certificate must bear.
    package var endpoint: PostgresEndpoint?
    /// Where the server is now; wins over ``endpoint``. Copies of this value share it.
    package var route: PostgresRoute?
    /// Where the password comes from, instead of the URL, for every new connection. Copies of this value share it.
    package var secret: PostgresSecret?
    /// What the server shows in `pg_stat_activity`; replaces the URL's `application_name`.
    package var applicationName: String?
    /// Command-line options for the session, such as `-c lock_timeout=1s`; follow the URL's `options`.
    package var extraOptions: String?
    /// The server itself ends statements that run longer: those that a dead client left behind, too.
    package var serverStatementTimeout: Duration?
    /// How many prepared statements a connection keeps; 0: none.
    package var statementCacheSize = 256
    /// How long a COPY that is given up may take to end in good order, before its connection is declared unusable.
    package var copyWindDownLimit = Duration.seconds(2)

    /// - Throws: ``PostgresConfigurationError`` when libpq cannot read the URL, or a port is not a number.
    package init(url: String) throws(PostgresConfigurationError) {
        source = try ConnectionString(url)
        servers = try Self.servers(of: source)
    }

    /// Setting it replaces the URL's role; its password stays.
    package var user: String? {
        get { source.values["user"] }
        set { source.values["user"] = newValue }
    }
    /// Setting it replaces the URL's database.
    package var database: String? {
        get { source.values["dbname"] }
        set { source.values["dbname"] = newValue }
    }

    /// The URL as it may be shown: complete, but with `***` for the password and without other secrets.
    package var maskedURL: String {
        var text = "postgresql://"
        if let user {
            text += user.percentEncoded() + (source.values["password"] == nil ? "" : ":***") + "@"
        } else if source.values["password"] != nil {
            text += ":***@"
        }
        text += servers.map { server in
            (server.host.contains(":") ? "[\(server.host)]" : server.host.percentEncoded()) + ":\(server.port)"
        }.joined(separator: ",")
        text += "/" + (database ?? "").percentEncoded()
        let inPath = source.secretKeywords.union(["user", "host", "port", "dbname"])
        var rest = source.values.filter { !inPath.contains($0.key) }
        if let applicationName { rest["application_name"] = applicationName }
        let query = rest.sorted { $0.key < $1.key }.map { "\($0.key)=\($0.value.percentEncoded())" }
        return query.isEmpty ? text : text + "?" + query.joined(separator: "&")
    }

    // MARK: For the driver

    /// The servers to try, each with the name that libpq shall know it by.
    var targets: [ConnectTarget] {
        let named = source.values["hostaddr"] == nil ? [] : (source.values["host"] ?? "").splitList()
        guard let endpoint = route?.endpoint ?? endpoint else {
            return servers.enumerated().map { index, server in
                let name = index < named.count && !named[index].isEmpty ? named[index] : server.host
                return ConnectTarget(name: name, endpoint: server)
            }
        }
        let original = named.first ?? servers.first?.host ?? ""
        let isName = !PostgresEndpoint(host: original, port: 0).isUnixSocket && !endpoint.isUnixSocket
        return [ConnectTarget(name: isName ? original : endpoint.host, endpoint: endpoint)]
    }

    /// The parameters for PQconnectStartParams, for servers whose addresses are known.
    func parameters(for places: [ConnectPlace]) -> [String: String] {
        var result = source.values
        for (keyword, value) in Self.defaults where result[keyword] == nil { result[keyword] = value }
        // The decoder of values knows this encoding only.
        result["client_encoding"] = "UTF8"
        result["host"] = places.map(\.name).joined(separator: ",")
        result["hostaddr"] = places.map { $0.address ?? "" }.joined(separator: ",")
        result["port"] = places.map { String($0.port) }.joined(separator: ",")
        if let applicationName { result["application_name"] = applicationName }
        if let password = secret?.password { result["password"] = password }
        var options = [result["options"], extraOptions].compactMap { $0 }
        if let limit = serverStatementTimeout {
            options.append("-c statement_timeout=\(max(1, Int(limit.milliseconds.rounded(.up))))")
        }
        if !options.isEmpty { result["options"] = options.joined(separator: " ") }
        return result
    }

    /// A dead path is noticed after about 3 s while idle or waiting (keep-alives), and while data is unacknowledged
    /// (`tcp_user_timeout`, in milliseconds); it takes both. Measured, see the project's fault notes; a URL may say otherwise.
    static let defaults = [
        "keepalives": "1", "keepalives_idle": "1", "keepalives_interval": "1", "keepalives_count": "3",
        "tcp_user_timeout": "3000",
    ]

    private static func servers(of source: ConnectionString) throws(PostgresConfigurationError) -> [PostgresEndpoint] {
        let values = source.values
        var hosts = values["hostaddr"] ?? values["host"]
        if hosts == nil {
            hosts = ConnectionString.defaultValue(of: "hostaddr") ?? ConnectionString.defaultValue(of: "host")
        }
        let names = (hosts ?? "").splitList()
        let ports = (values["port"] ?? ConnectionString.defaultValue(of: "port") ?? "5432").splitList()
        guard ports.count == 1 || ports.count == names.count else {
            throw PostgresConfigurationError("it has \(names.count) hosts, but \(ports.count) ports")
        }
        var servers: [PostgresEndpoint] = []
        for (index, name) in names.enumerated() {
            let text = ports.count == 1 ? ports[0] : ports[index]
            guard let port = text.isEmpty ? 5432 : UInt16(text), port > 0 else {
                throw PostgresConfigurationError("a port is not a number in 1...65535")
            }
            servers.append(PostgresEndpoint(host: name, port: port))
        }
        return servers
    }
}

extension PostgresConfiguration: CustomStringConvertible, CustomDebugStringConvertible, CustomReflectable {
    package var description: String { maskedURL }
    package var debugDescription: String { maskedURL }
    /// `dump` and the test library look inside values: they see this.
    package var customMirror: Mirror { Mirror(self, children: ["maskedURL": maskedURL]) }
}

extension String {
    /// The parts of a list with commas, empty ones too.
    func splitList() -> [String] { split(separator: ",", omittingEmptySubsequences: false).map(String.init) }

    /// RFC 3986, section 2.1: everything but unreserved characters as `%XX`.
    func percentEncoded() -> String {
        utf8.map { byte in
            let character = Character(UnicodeScalar(byte))
            if byte < 0x80, character.isLetter || character.isNumber || "-._~".contains(character) {
                return String(character)
            }
            let digits = String(byte, radix: 16, uppercase: true)
            return "%" + (digits.count == 1 ? "0" : "") + digits
        }.joined()
    }
}
