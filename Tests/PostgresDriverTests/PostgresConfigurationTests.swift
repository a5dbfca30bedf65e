import Testing

@testable import PostgresDriver

struct PostgresConfigurationTests {
    @Test func urlIsTakenApart() throws {
        let configuration = try PostgresConfiguration(
            url: "postgresql://app:s%40crt@db.example:6543/shop?sslmode=require")
        #expect(configuration.servers == [PostgresEndpoint(host: "db.example", port: 6543)])
        #expect(configuration.user == "app")
        #expect(configuration.database == "shop")
        let parameters = configuration.parameters(for: [place("db.example", "10.0.0.7", 6543)])
        #expect(parameters["password"] == "s@crt")
        #expect(parameters["sslmode"] == "require")
        #expect(parameters["hostaddr"] == "10.0.0.7")
    }

    @Test func secretAndRouteOfACopyAreThoseOfTheOriginal() throws {
        var configuration = try PostgresConfiguration(url: "postgresql://app:first@127.0.0.1:5001/shop")
        configuration.secret = PostgresSecret()
        configuration.route = PostgresRoute()
        let copy = configuration
        #expect(copy.parameters(for: [])["password"] == "first", "until another one is known")
        #expect(copy.targets.map(\.endpoint.port) == [5001])
        configuration.secret?.password = "second"
        configuration.route?.endpoint = PostgresEndpoint(host: "127.0.0.1", port: 5002)
        #expect(copy.parameters(for: [])["password"] == "second")
        #expect(copy.targets.map(\.endpoint.port) == [5002])
        #expect(!"\(copy)".contains("second"))
    }

    @Test func keywordStringsWorkToo() throws {
        let configuration = try PostgresConfiguration(url: "host=/run/pg port=5433 dbname=shop user=app")
        #expect(configuration.servers == [PostgresEndpoint(host: "/run/pg", port: 5433)])
        #expect(configuration.servers[0].isUnixSocket)
        #expect(configuration.maskedURL == "postgresql://app@%2Frun%2Fpg:5433/shop")
    }

    @Test func severalServersKeepTheirOrderAndPorts() throws {
        let two = try PostgresConfiguration(url: "postgresql://a:5001,b:5002/x")
        #expect(two.servers == [PostgresEndpoint(host: "a", port: 5001), PostgresEndpoint(host: "b", port: 5002)])
        let onePort = try PostgresConfiguration(url: "host=a,b port=5001")
        #expect(onePort.servers.map(\.port) == [5001, 5001])
        let parameters = two.parameters(for: [
            place("a", "127.0.0.1", 5001), place("a", "::1", 5001), place("b", "10.0.0.1", 5002),
        ])
        #expect(parameters["host"] == "a,a,b")
        #expect(parameters["hostaddr"] == "127.0.0.1,::1,10.0.0.1")
        #expect(parameters["port"] == "5001,5001,5002")
    }

    @Test func defaultsNoticeADeadPathAndYieldToTheURL() throws {
        let plain = try PostgresConfiguration(url: "postgresql://h/x").parameters(for: [])
        #expect(plain["keepalives"] == "1")
        #expect(plain["keepalives_idle"] == "1")
        #expect(plain["keepalives_interval"] == "1")
        #expect(plain["keepalives_count"] == "3")
        #expect(plain["tcp_user_timeout"] == "3000")
        #expect(plain["client_encoding"] == "UTF8")
        #expect(plain["options"] == nil)
        let own = try PostgresConfiguration(url: "postgresql://h/x?tcp_user_timeout=500&client_encoding=LATIN1")
            .parameters(for: [])
        #expect(own["tcp_user_timeout"] == "500")
        #expect(own["client_encoding"] == "UTF8", "the decoder knows no other")
    }

    @Test func optionsOfAllSourcesAreJoined() throws {
        var configuration = try PostgresConfiguration(url: "postgresql://h/x?options=-c%20geqo%3Doff")
        configuration.extraOptions = "-c lock_timeout=1s"
        configuration.serverStatementTimeout = .microseconds(1_500_100)
        #expect(
            configuration.parameters(for: [])["options"]
                == "-c geqo=off -c lock_timeout=1s -c statement_timeout=1501")
    }

    @Test func relayTakesTheServersPlaceButNotItsName() throws {
        var configuration = try PostgresConfiguration(url: "postgresql://db.example,other:5000/x")
        configuration.endpoint = PostgresEndpoint(host: "127.0.0.1", port: 20001)
        #expect(
            configuration.targets == [
                ConnectTarget(name: "db.example", endpoint: PostgresEndpoint(host: "127.0.0.1", port: 20001))
            ])
        var socket = try PostgresConfiguration(url: "host=/run/pg")
        socket.endpoint = PostgresEndpoint(host: "127.0.0.1", port: 20001)
        #expect(socket.targets.map(\.name) == ["127.0.0.1"])
    }

    @Test func applicationNameReplacesTheURLs() throws {
        var configuration = try PostgresConfiguration(url: "postgresql://h/x?application_name=theirs")
        #expect(configuration.parameters(for: [])["application_name"] == "theirs")
        configuration.applicationName = "ours"
        #expect(configuration.parameters(for: [])["application_name"] == "ours")
        #expect(configuration.maskedURL.hasSuffix("application_name=ours"))
    }

    @Test(
        "No description shows a secret",
        arguments: [
            "postgresql://app:hunter2@h/x", "postgresql://h/x?user=app&password=hunter2",
            "host=h user=app password=hunter2 sslpassword=hunter2",
        ])
    func secretsStaySecret(url: String) throws {
        let configuration = try PostgresConfiguration(url: url)
        var dumped = ""
        dump(configuration, to: &dumped)
        for text in [
            configuration.maskedURL, "\(configuration)", String(reflecting: configuration), dumped,
            "\(String(describing: Optional(configuration)))", "\([configuration])",
        ] {
            #expect(!text.contains("hunter2"))
            #expect(text.contains("app:***@h"))
        }
    }

    @Test(
        "A URL that cannot be used is refused in words without its secrets",
        arguments: [
            ("postgresql://app:hunter2@h:port/x", "a port is not a number"),
            ("postgresql://app:hunter2@h:99999/x", "a port is not a number"),
            ("postgresql://app:hun/ter2@h/x", "a port is not a number"),
            ("postgresql://app:hunter2@h/x?aplication_name=y", "no parameter named aplication_name"),
            ("postgresql://app:hunter2@[::1/x", "end of string"),
            ("postgresql://app:hunter2%zz@h/x", "percent-encoded"),
            ("app:hunter2@h/x", "missing"),
            ("host=a,b port=1,2,3", "2 hosts, but 3 ports"),
            ("password='hunter2", "unterminated"),
        ])
    func badURLIsRefused(url: String, expected: String) throws {
        let error = try #require(throws: PostgresConfigurationError.self) { try PostgresConfiguration(url: url) }
        #expect(error.description.contains(expected))
        #expect(error.description.contains("postgresql://user:password@host:port/database"))
        #expect(!error.description.contains("ter2"))
        #expect(!error.description.contains("hun"))
    }

    private func place(_ name: String, _ address: String?, _ port: UInt16) -> ConnectPlace {
        ConnectPlace(name: name, address: address, port: port)
    }
}
