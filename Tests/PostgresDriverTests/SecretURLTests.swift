import Testing

@testable import PostgresDriver

/// The URL that another process gets says the same as the configuration.
@Suite struct SecretURLTests {
    @Test(
        "It comes back as the same configuration, with its password",
        arguments: [
            "postgresql://app:s%40cret%2F@db.example:6000/shop?connect_timeout=7", "postgresql://127.0.0.1/x",
            "postgresql:///postgres?host=/run/s&port=7001&user=u", "postgresql://a:1,b:2/x",
            "postgresql://[::1]:7000/x?options=-c%20a%3Db",
        ])
    func roundTrip(_ url: String) throws {
        var configuration = try PostgresConfiguration(url: url)
        configuration.applicationName = "rig/1"
        let back = try PostgresConfiguration(url: configuration.secretURL)
        #expect(back.servers == configuration.servers)
        #expect(back.user == configuration.user && back.database == configuration.database)
        #expect(back.source.values["password"] == configuration.source.values["password"])
        #expect(back.source.values["application_name"] == "rig/1")
        #expect(back.source.values["tcp_user_timeout"] == "3000")
        #expect(back.source.values["options"] == configuration.source.values["options"])
    }

    @Test("Through a relay it goes there, and still names the host that a certificate must bear")
    func relayIsNamed() throws {
        var configuration = try PostgresConfiguration(url: "postgresql://app:pw@db.example:6000/shop")
        configuration.endpoint = PostgresEndpoint(host: "127.0.0.1", port: 7777)
        configuration.serverStatementTimeout = .milliseconds(1500)
        let back = try PostgresConfiguration(url: configuration.secretURL)
        #expect(back.servers == [PostgresEndpoint(host: "127.0.0.1", port: 7777)])
        #expect(back.source.values["host"] == "db.example")
        #expect(back.source.values["options"] == "-c statement_timeout=1500")
    }
}
