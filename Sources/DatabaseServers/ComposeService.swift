import HostSystem
package import RigModel

/// A PostgreSQL in a service of a compose file, as its container is now. A value.
///
/// All of it comes from the running container and not from the file: variables, `.env` and overrides have been applied
/// there.
package struct ComposeService: Sendable, Equatable {
    package let service: String
    package let project: String
    /// The container's full id, which stays over its restarts.
    package let container: String
    package let engine: EngineAddress
    /// Where its port is published, as it is reached from here.
    package let host: String
    package let port: Int
    private let user: String
    private let password: String?
    private let database: String

    /// Reads what `docker inspect` says of one container.
    ///
    /// - Parameters:
    ///   - file: absolute path of the compose file.
    ///   - engine: whose container it is.
    package init(
        inspection: JSONValue, service: String, file: String, engine: EngineAddress
    ) throws(ComposeError) {
        guard let id = inspection["Id"]?.stringValue else { throw .unreadable("Id") }
        let labels = inspection["Config"]?["Labels"]
        func label(_ name: String) -> String? { labels?["com.docker.compose.\(name)"]?.stringValue }
        guard let project = label("project"), label("service") == service,
            Self.names(file, label("project.config_files"), in: label("project.working_dir"))
        else {
            let seen = [label("service"), label("project"), label("project.config_files")].map { $0 ?? "?" }
            throw .notOurs(
                service: service, file: file, seen: "\(seen[0]) of the project \(seen[1]) (\(seen[2]))")
        }
        guard inspection["State"]?["Running"] == true else { throw .notRunning(service: service, file: file) }
        let environment = Self.environment(inspection["Config"]?["Env"]?.arrayValue ?? [])
        let inside = environment["PGPORT"].flatMap { Int($0) } ?? 5432
        let key = "\(inside)/tcp"
        guard let published = inspection["NetworkSettings"]?["Ports"]?[key]?.arrayValue?.first,
            let port = published["HostPort"]?.stringValue.flatMap({ Int($0) })
        else { throw .notPublished(service: service, port: inside) }
        let asked = inspection["HostConfig"]?["PortBindings"]?[key]?.arrayValue?.first?["HostPort"]?.stringValue
        guard let asked, !asked.isEmpty, asked != "0" else { throw .randomPort(service: service, port: inside) }
        let address = published["HostIp"]?.stringValue ?? ""
        if let other = engine.remoteHost, LoopbackAddress.contains(address) {
            throw .publishedElsewhere(service: service, port: inside, host: other)
        }
        self.service = service
        self.engine = engine
        self.project = project
        self.port = port
        container = id
        host = Self.reachable(address, engine)
        // As the official image has it.
        user = environment["POSTGRES_USER"] ?? "postgres"
        password = environment["POSTGRES_PASSWORD"]
        database = environment["POSTGRES_DB"] ?? user
    }

    /// For libpq. Holds the password: mask it before it is shown. Without one libpq looks where it always does.
    package var connectionString: String {
        var words = [("host", host), ("port", "\(port)"), ("user", user), ("dbname", database)]
        if let password { words.append(("password", password)) }
        return words.map { "\($0.0)='\(Self.escaped($0.1))'" }.joined(separator: " ")
    }

    private static func escaped(_ value: String) -> String {
        value.map { $0 == "'" || $0 == "\\" ? "\\\($0)" : String($0) }.joined()
    }

    private static func environment(_ lines: [JSONValue]) -> [String: String] {
        var variables: [String: String] = [:]
        for line in lines {
            guard let text = line.stringValue, let mark = text.firstIndex(of: "=") else { continue }
            variables[String(text[..<mark])] = String(text[text.index(after: mark)...])
        }
        return variables
    }

    /// An address that stands for all of the engine's host is reached on loopback, where that is this machine.
    private static func reachable(_ address: String, _ engine: EngineAddress) -> String {
        ["", "0.0.0.0", "::"].contains(address) ? engine.remoteHost ?? "127.0.0.1" : address
    }

    /// Whether the project was made of this file. Older engines' tools label it with a path relative to the project.
    private static func names(_ file: String, _ files: String?, in folder: String?) -> Bool {
        (files ?? "").split(separator: ",").contains { name in
            let path = name.hasPrefix("/") ? String(name) : "\(folder ?? "")/\(name)"
            return path == file || SmallFile.realPath(path) == SmallFile.realPath(file) ?? file
        }
    }
}
