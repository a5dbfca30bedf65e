package import RigModel
import Threading

/// The server does not let the pool's role in any more: a changed rule, a wrong password. Open sessions live on.
///
/// Landed: a new connection of the pool's role gets 28000 or 28P01.
package struct RefuseAuthentication: Fault {
    package static let shape = Shape(
        name: "refuse-authentication", summary: "the server refuses the pool's role (28000, or 28P01: wrong password)",
        parameters: [
            Parameter(
                "how", .choice(Way.allCases.map(\.rawValue)), default: .choice("reject"),
                summary: "reject (a rule of pg_hba.conf) or password (one is asked for, and the pool's is wrong)"),
            Parameter(
                "address", .text, default: .text("all"),
                summary: "for clients from there only, as in pg_hba.conf: all, samehost, 192.0.2.0/24"),
        ], isLasting: true)

    enum Way: String, CaseIterable {
        case reject
        case password

        var method: String { self == .reject ? "reject" : "scram-sha-256" }
    }

    private let way: Way
    private let address: String

    package init(_ parameters: Parameters) {
        way = parameters.choice("how").flatMap(Way.init) ?? .reject
        address = parameters.text("address") ?? "all"
    }

    package var needs: Set<StagePart> {
        Set([.server, .settings, .statements]).union(way == .password ? [.secret] : [])
    }
    package var claims: Set<Claim> { [.authentication] }
    package var ownDuration: Duration? { nil }
    package var detail: String { "\(way.rawValue), clients from \(address)" }
    package func makeInjection(seed: UInt64) -> any Injection { ClosedDoor(way: way, address: address) }

    private actor ClosedDoor: Injection {
        private static let limit = Duration.seconds(10)
        private static let codes: Set<String> = ["28000", "28P01"]

        private let way: Way
        private let address: String
        private var rules: AccessRules?

        init(way: Way, address: String) {
            self.way = way
            self.address = address
        }

        func inject(on stage: FaultStage) async throws {
            guard !address.isEmpty, !address.contains(where: \.isWhitespace) else {
                throw InjectionError("address: one word as in pg_hba.conf was expected, not \"\(address)\"")
            }
            let role = try stage.needed(stage.statements, .statements).poolRole
            if way == .password { await stage.server?.tellPool(password: "not the password") }
            let rules = try await AccessRules(of: stage)
            self.rules = rules
            try await rules.prepend("host all \(role) \(address) \(way.method)", on: stage)
        }

        func prove(on stage: FaultStage) async -> Landing {
            guard let server = stage.server else { return Landing(landed: false, evidence: ["reason": "no server"]) }
            let answer = await server.answer(orRefusalBy: Self.codes)
            let hasLanded = Self.codes.contains(answer.sqlState ?? "")
            var evidence: [JSONValue.Member] = [
                .init("connect_sqlstate", JSONValue(answer.sqlState)), .init("connect", .string(answer.words)),
            ]
            if !hasLanded { evidence.append(.init("reason", "a connection of the pool's role was not refused")) }
            return Landing(landed: hasLanded, evidence: .object(evidence))
        }

        func heal(on stage: FaultStage) async throws -> JSONValue {
            let server = try stage.needed(stage.server, .server)
            await server.tellPool(password: nil)
            guard let rules else { return ["nothing_to_undo": true] }
            try await Retrying.undo { try await rules.restore(on: stage) }
            try await server.waitUntilServing(without: Self.codes, within: Self.limit)
            self.rules = nil
            return ["rules_restored": true]
        }
    }
}
