import Foundation
import HostSystem
import RigModel
import RigTestSupport
import Testing
import Threading

/// Existing clients of Toxiproxy drive the running program unchanged: those of PyPI themselves, those of npm, RubyGems and Go
/// by the requests that they send. Those are replayed since no registry but PyPI's can be relied on where this test runs
/// (npm's did not answer when it was written, and there is no Ruby); the requests were read from the clients' sources.
@Suite(.serialized, .timeLimit(.minutes(10)))
struct ProxyClientsSuite {
    private static let fixtures = Rig.root + "/Tests/Fixtures/toxiproxy-clients"

    @Test func pythonClientsDriveIt() async throws {
        let python = try #require(
            findProgram("python3"), "python3 with venv and pip is needed for this test (apt install python3-venv)")
        let folder = try TemporaryFolder()
        try await Self.run(python, ["-m", "venv", folder.file("venv")])
        // From whatever index pip is configured for here.
        try await Self.run(
            folder.file("venv/bin/python"),
            [
                "-m", "pip", "install", "--quiet", "--disable-pip-version-check", "toxiproxy-python==0.1.1",
                "chaostoolkit-toxiproxy==0.3.1",
            ])
        let server = try EchoServer()
        defer { server.stop() }
        let proxy = try await RunningProxy()
        let port = try #require(proxy.address.split(separator: ":").last.map(String.init))
        let output = try await Self.run(
            folder.file("venv/bin/python"), [Self.fixtures + "/drive.py", port, "\(server.port)"])
        #expect(output.contains("all done"))
        #expect(await proxy.end() == 143)
    }

    @discardableResult
    private static func run(_ program: String, _ arguments: [String]) async throws -> String {
        let result = try await runProgram(path: program, arguments: arguments, timeout: .seconds(300))
        guard result.succeeded else {
            let words = "\(program) \(arguments.joined(separator: " ")): \(result.status)"
            throw RigTestError("\(words)\n\(result.standardOutput)\n\(result.standardError)")
        }
        return result.standardOutput
    }

    private struct Recorded: Sendable, CustomTestStringConvertible {
        let json: JSONValue
        var testDescription: String { json["client"]?.stringValue ?? "" }
    }

    private static func recorded() throws -> [Recorded] {
        let text = try String(contentsOfFile: fixtures + "/requests.json", encoding: .utf8)
        return try #require(try JSONValue(parsing: text)["clients"]?.arrayValue).map(Recorded.init)
    }

    @Test("The requests of a client have the answers that it reads", arguments: try recorded())
    private func recordedRequests(_ client: Recorded) async throws {
        let proxy = try await RunningProxy()
        var headers: [(String, String)] = []
        if case .object(let members)? = client.json["headers"] {
            headers = members.map { ($0.key, $0.value.stringValue ?? "") }
        }
        var listen = ""
        let steps = try #require(client.json["steps"]?.arrayValue)
        #expect(steps.count > 10)
        for step in steps {
            func filled(_ value: JSONValue?) throws -> JSONValue? {
                try value.map {
                    try JSONValue(
                        parsing: $0.compactText.replacingOccurrences(of: "{upstream}", with: "127.0.0.1:1")
                            .replacingOccurrences(of: "{listen}", with: listen))
                }
            }
            let method = try #require(step["method"]?.stringValue)
            let path = try #require(step["path"]?.stringValue)
            let body = try filled(step["body"])?.compactText ?? ""
            let reply = try await proxy.client.send(method, path, body, headers: headers)
            #expect(JSONValue(reply.status) == step["status"], "\(step.compactText): \(reply.body)")
            guard let expected = try filled(step["answer"]) else { continue }
            let answer = try JSONValue(parsing: reply.body)
            #expect(answer.holds(expected), "\(step.compactText): \(reply.body)")
            listen = answer["listen"]?.stringValue ?? listen
        }
        #expect(await proxy.end() == 143)
    }
}

extension JSONValue {
    /// Everything of the other value is in this one; objects may have more.
    fileprivate func holds(_ other: JSONValue) -> Bool {
        switch (self, other) {
        case (.object, .object(let members)):
            members.allSatisfy { member in self[member.key].map { $0.holds(member.value) } ?? false }
        case (.array(let own), .array(let others)):
            own.count == others.count && zip(own, others).allSatisfy { $0.holds($1) }
        default: doubleValue != nil ? doubleValue == other.doubleValue : self == other
        }
    }
}
