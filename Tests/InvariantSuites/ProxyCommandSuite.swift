import Foundation
import HostSystem
import RigModel
import RigTestSupport
import Testing
import Threading

/// `chaosrig proxy` on the command line.
@Suite(.serialized, .timeLimit(.minutes(5)))
struct ProxyCommandSuite {
    private struct Refusal: Sendable, CustomTestStringConvertible {
        let arguments: [String]
        let words: String
        var testDescription: String { arguments.joined(separator: " ") }
    }

    private static let one = ["--listen", "127.0.0.1:0", "--upstream", "127.0.0.1:1"]

    private static let refusals = [
        Refusal(arguments: ["now"], words: "proxy takes options only"),
        Refusal(arguments: ["--lisen", "x"], words: "Did you mean --listen?"),
        Refusal(arguments: ["--listen", "127.0.0.1:0"], words: "--listen needs --upstream"),
        Refusal(arguments: ["--upstream", "127.0.0.1:0"], words: "--upstream belongs to one proxy"),
        Refusal(arguments: ["--toxic", "latency"], words: "--toxic belongs to one proxy"),
        Refusal(arguments: ["--listen", "here", "--upstream", "127.0.0.1:1"], words: "missing port in address"),
        Refusal(arguments: ["--listen", "127.0.0.1:0", "--upstream", "x:99999"], words: "a number from 0 to 65535"),
        Refusal(arguments: one + ["--toxic", "latncy=5ms"], words: "did you mean \"latency\"?"),
        Refusal(arguments: one + ["--toxic", "latency=fast"], words: "--toxic: "),
        Refusal(arguments: one + ["--cut", "before Nothing do reset"], words: "--cut: "),
        Refusal(arguments: one + ["--name", "a/b"], words: "--name must not be empty"),
        Refusal(arguments: ["--seed", "x"], words: "--seed takes a whole number"),
        Refusal(arguments: ["--log", "xml"], words: "--log takes text or json"),
        Refusal(arguments: ["--api", "nowhere"], words: "--api: "),
        Refusal(arguments: ["--api", ":8474"], words: "name the host"),
        Refusal(arguments: ["--config", "/nowhere.json"], words: "/nowhere.json: cannot be read: No such file"),
    ]

    @Test("Arguments that make no sense exit with 2, and nothing is started", arguments: refusals)
    private func badArgumentsAreRefused(_ row: Refusal) async throws {
        let result = try await Rig.command(["proxy"] + row.arguments, timeout: .seconds(60))
        #expect(result.exitCode == 2)
        #expect(result.errors.contains(row.words), "\(result.errors)")
        #expect(result.output.isEmpty)
    }

    private struct BadFile: Sendable {
        let text: String
        let words: String
    }

    private static let badFiles = [
        BadFile(text: "[\n  {\"name\": \"a\", \"upstream\": x}\n]", words: ":2:29: expected a value, saw 'x'"),
        BadFile(text: "", words: ":1:1: expected a value, saw the end"),
        BadFile(text: "[] []", words: ":1:4: expected the end of the text"),
        BadFile(text: "{}", words: "expected an array of proxies, not an object"),
        BadFile(text: #"[{"name":"a"}]"#, words: "proxy 1 (a): missing required field: upstream"),
        BadFile(text: #"[{"upstream":"a:1"}]"#, words: "proxy 1: missing required field: name"),
        BadFile(
            text: #"[{"name":"a","upstream":"a:1","enabled":3}]"#,
            words: ": proxy 1: enabled must be true or false, not a number"),
        BadFile(
            text: #"[{"name":"a","upstream":"a:1"},7]"#, words: ": proxy 2: a proxy must be an object, not a number"),
        BadFile(text: #"[{"name":"a","upstream":"a"}]"#, words: "proxy 1 (a): a is no address to use"),
        BadFile(
            text: #"[{"name":"a","upstream":"a:1"},{"name":"a","upstream":"a:1"}]"#,
            words: "proxy 2: there is a proxy \"a\" before it"),
    ]

    @Test func brokenConfigurationTellsItsPlace() async throws {
        let folder = try TemporaryFolder()
        for row in Self.badFiles {
            let file = folder.file("proxies.json")
            try row.text.write(toFile: file, atomically: true, encoding: .utf8)
            let result = try await Rig.command(
                ["proxy", "--api", "127.0.0.1:0", "--config", file], timeout: .seconds(60))
            #expect(result.exitCode == 2, "\(row)")
            #expect(!result.errors.contains("request"))
            #expect(result.errors.hasPrefix(file) && result.errors.contains(row.words), "\(result.errors)")
            #expect(result.output.isEmpty)
        }
    }

    @Test func configurationIsLoadedAsPopulateWould() async throws {
        let folder = try TemporaryFolder()
        let file = folder.file("proxies.json")
        let text =
            #"[{"name":"a","listen":"127.0.0.1:0","upstream":"127.0.0.1:1","toxics":[{"type":"latency"}]},"#
            + #"{"name":"b","listen":"127.0.0.1:0","upstream":"127.0.0.1:1","enabled":false},"#
            + #"{"name":"c/d","listen":"127.0.0.1:0","upstream":"127.0.0.1:1","enabled":false}]"#
        try text.write(toFile: file, atomically: true, encoding: .utf8)
        let proxy = try await RunningProxy(["--api", "127.0.0.1:0", "--config", file])
        let proxies = try await proxy.json("GET", "/proxies").body
        #expect(proxies["a"]?["enabled"] == true && proxies["a"]?["toxics"] == [] && proxies["b"]?["enabled"] == false)
        #expect(proxy.lines.contains { $0["level"] == "warn" && $0["msg"]?.stringValue?.contains("toxics") == true })
        #expect(proxy.lines.contains { $0["level"] == "warn" && $0["msg"]?.stringValue?.contains("\"c/d\"") == true })
        #expect(await proxy.end() == 143)
    }

    @Test func addressInUseExitsWith3AndLeavesNothingOpen() async throws {
        let proxy = try await RunningProxy()
        let api = try await Rig.command(["proxy", "--api", proxy.address], timeout: .seconds(60))
        #expect(api.exitCode == 3)
        #expect(api.errors.contains("cannot listen on \(proxy.address): Address already in use"), "\(api.errors)")
        let listen = try await Rig.command(
            ["proxy", "--listen", proxy.address, "--upstream", "127.0.0.1:1"], timeout: .seconds(60))
        #expect(listen.exitCode == 3 && listen.errors.contains(proxy.address))
        #expect(await proxy.end() == 143)
    }

    @Test func oneProxyWorksWithoutAnyCall() async throws {
        let server = try EchoServer()
        defer { server.stop() }
        let proxy = try await RunningProxy([
            "--listen", "127.0.0.1:0", "--upstream", "127.0.0.1:\(server.port)", "--name", "echo", "--toxic",
            "latency=300ms", "--seed", "5",
        ])
        #expect(proxy.address.isEmpty)
        let started = try await proxy.line { $0["msg"] == "proxy started" }
        #expect(started["proxy"] == "echo")
        #expect(try await proxy.line { $0["msg"] == "ready" }["seed"] == 5)
        let listen = try #require(started["listen"]?.stringValue)
        let began = MonotonicInstant.now
        let socket = try HTTPClient(listen).open(saying: Array("x".utf8))
        var byte: UInt8 = 0
        #expect(recv(socket, &byte, 1, 0) == 1 && byte == UInt8(ascii: "x"))
        #expect(began.duration(to: .now) >= .milliseconds(300))
        close(socket)
        #expect(await proxy.end(SIGINT) == 130)
        #expect(throws: HTTPClientError.self) { try HTTPClient(listen).open() }
    }

    @Test func oneProxyAndItsAPITogether() async throws {
        let proxy = try await RunningProxy([
            "--listen", "127.0.0.1:0", "--upstream", "127.0.0.1:1", "--api", "[::1]:0", "--toxic", "latency=5ms",
            "--toxic", "latency@downstream~50%=9ms", "--cut", "lost-commit times=3",
        ])
        #expect(proxy.address.hasPrefix("[::1]:"))
        let toxics = try await proxy.json("GET", "/proxies/proxy/toxics").body.arrayValue
        #expect(toxics?.map { $0["name"] } == ["latency_downstream", "latency_downstream_2"])
        #expect(toxics?.map { $0["toxicity"] } == [1, 0.5])
        let cuts = try await proxy.json("GET", "/proxies/proxy/cuts").body.arrayValue
        #expect(cuts?.first?["name"] == "cut_1" && cuts?.first?["times"] == 3 && cuts?.first?["hits"] == 0)
        #expect(try await proxy.json("GET", "/proxies/proxy/cuts/cut_1").status == 200)
        let body = #"{"name":"second","message":"Parse","at":"after","action":"reset"}"#
        #expect(try await proxy.json("POST", "/proxies/proxy/cuts", body).status == 200)
        #expect(try await proxy.json("POST", "/proxies/proxy/cuts", body).status == 409)
        #expect(try await proxy.json("POST", "/proxies/proxy/cuts", #"{"message":"No"}"#).status == 400)
        #expect(try await proxy.json("DELETE", "/proxies/proxy/cuts/second").status == 204)
        #expect(try await proxy.json("DELETE", "/proxies/proxy/cuts/second").status == 404)
        #expect(await proxy.end() == 143)
    }

    @Test func logLevelHidesWhatIsBelowIt() async throws {
        let folder = try TemporaryFolder()
        let result = try await ProgramCall(
            path: "/usr/bin/timeout",
            arguments: ["--signal=TERM", "2", Rig.path, "proxy", "--api", "127.0.0.1:0", "--log", "text"],
            environment: currentEnvironment().merging(["LOG_LEVEL": "warn"]) { $1 }, workingDirectory: folder.path,
            timeout: .seconds(60)
        ).run()
        #expect(result.standardOutput.isEmpty, "\(result.standardOutput)")
        let bad = try await ProgramCall(
            path: Rig.path, arguments: ["proxy"],
            environment: currentEnvironment().merging(["LOG_LEVEL": "loud"]) { $1 }, timeout: .seconds(60)
        ).run()
        #expect(bad.exitCode == 2 && bad.standardError.contains("LOG_LEVEL is one of"))
    }

    @Test func publicAddressIsServedWithAWarning() async throws {
        let proxy = try await RunningProxy(["--api", "0.0.0.0:0"])
        #expect(
            proxy.lines.contains {
                $0["level"] == "warn" && $0["msg"]?.stringValue?.contains("open to other machines") == true
            })
        #expect(await proxy.end() == 143)
    }

    @Test func toxicsAreListedWithTheirAttributes() async throws {
        let result = try await Rig.command(["list", "toxics", "--json"])
        let toxics = try #require(try JSONValue(parsing: result.output).arrayValue)
        let names = toxics.compactMap { $0["name"]?.stringValue }
        for name in [
            "latency", "bandwidth", "slow_close", "timeout", "reset_peer", "slicer", "limit_data", "blackhole",
        ] {
            #expect(names.contains(name))
        }
        #expect(toxics.allSatisfy { $0["summary"]?.stringValue?.isEmpty == false })
        #expect(try await Rig.command(["list", "toxics"]).output.contains("jitter"))
    }
}
