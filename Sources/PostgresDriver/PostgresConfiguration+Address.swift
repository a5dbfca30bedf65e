import Threading

extension PostgresConfiguration {
    /// The whole of it as a URL for another program, **with its password**: never show it. Where ``endpoint`` replaces the
    /// server, the URL goes there, and `host` is still the name that a TLS certificate must bear.
    package var secretURL: String {
        var values = source.values
        for (keyword, value) in Self.defaults where values[keyword] == nil { values[keyword] = value }
        if let applicationName { values["application_name"] = applicationName }
        var options = [values["options"], extraOptions].compactMap { $0 }
        if let limit = serverStatementTimeout {
            options.append("-c statement_timeout=\(max(1, Int(limit.milliseconds.rounded(.up))))")
        }
        if !options.isEmpty { values["options"] = options.joined(separator: " ") }
        if let target = targets.first, endpoint != nil {
            values["host"] = target.name
            values["hostaddr"] =
                target.endpoint.isUnixSocket || target.name == target.endpoint.host
                ? nil : target.endpoint.host
            values["port"] = "\(target.endpoint.port)"
        }
        // The authority holds what every program understands; a socket or several servers do not fit there.
        var authority = ""
        if let host = values["host"], let port = values["port"] ?? Optional("5432"), !host.hasPrefix("/"),
            !host.contains(","),
            !host.contains(":"), !host.isEmpty
        {
            var login = values["user"].map { $0.percentEncoded() } ?? ""
            if let password = values["password"] { login += ":" + password.percentEncoded() }
            authority = (login.isEmpty ? "" : login + "@") + "\(host.percentEncoded()):\(port)"
            for keyword in ["host", "port", "user", "password"] { values[keyword] = nil }
        }
        let database = values.removeValue(forKey: "dbname") ?? ""
        let query = values.sorted { $0.key < $1.key }.map { "\($0.key)=\($0.value.percentEncoded())" }
        return "postgresql://\(authority)/\(database.percentEncoded())?" + query.joined(separator: "&")
    }
}
