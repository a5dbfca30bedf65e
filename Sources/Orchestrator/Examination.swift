import DatabaseServers
import FaultInjection
import HostSystem
import RigModel
package import ScenarioFile

/// What `chaosrig doctor` finds out. A value.
package struct Examination: Sendable {
    /// Something that was looked for.
    package struct Item: Sendable, Equatable {
        package let name: String
        package let isAvailable: Bool
        /// What was found, or why it was not.
        package let detail: String
        /// The command that gets it; `nil` where nothing is missing, or nothing helps.
        package let remedy: String?
    }

    /// A kind of fault, the capabilities that would back it here, and those that are missing for it.
    package struct FaultItem: Sendable, Equatable {
        package let kind: String
        package let by: [String]
        package let missing: [String]
    }

    /// The database server's programs.
    package let server: Item
    package let capabilities: [Item]
    package let faults: [FaultItem]
    /// The machine was asked for certain scenarios: what those lack counts.
    private let isForScenarios: Bool

    /// - Parameter scenarios: none: everything is tried.
    package static func make(of scenarios: [Scenario]) async -> Examination {
        let faults: [any Fault] =
            scenarios.isEmpty
            ? FaultCatalogue.all.map { $0.init(Catalogue.defaults(of: $0.shape)) }
            : scenarios.flatMap { ScenarioRun.faults(of: $0) }
        let wanted = faults.flatMap(\.capabilities).reduce(into: Set<Capability>()) { $0.formUnion($1) }
        let answers = await probe(scenarios.isEmpty ? Set(Capability.allCases) : wanted)
        var kinds: [FaultItem] = []
        for fault in faults {
            let item = FaultItem(type(of: fault).shape.name, FaultSupport(fault, answers))
            if !kinds.contains(item) { kinds.append(item) }
        }
        return Examination(
            server: await findServer(),
            capabilities: Capability.allCases.compactMap { capability in
                answers[capability].map { Item(capability.rawValue, $0) }
            }, faults: kinds, isForScenarios: !scenarios.isEmpty)
    }

    /// The programs of a database server are on this machine.
    package static func hasServer() async -> Bool { await findServer().isAvailable }

    /// Asks this machine.
    static func probe(_ capabilities: Set<Capability>) async -> [Capability: Availability] {
        await CapabilityProbes.probe(
            capabilities, with: SystemPrograms(), serverMajor: { try await PostgresInstallation.find().version.major })
    }

    private static func findServer() async -> Item {
        do throws(ServerError) {
            let found = try await PostgresInstallation.find()
            return Item(
                name: "postgresql", isAvailable: true, detail: "PostgreSQL \(found.version) in \(found.binFolder)",
                remedy: nil)
        } catch {
            return Item(name: "postgresql", isAvailable: false, detail: "\(error)", remedy: nil)
        }
    }

    /// Nothing that was asked for is missing.
    package var isComplete: Bool {
        server.isAvailable && (!isForScenarios || faults.allSatisfy(\.missing.isEmpty))
    }
}

extension Examination.Item {
    init(_ name: String, _ answer: Availability) {
        switch answer {
        case .available(let words): self.init(name: name, isAvailable: true, detail: words, remedy: nil)
        case .missing(let reason, let remedy):
            self.init(name: name, isAvailable: false, detail: reason, remedy: remedy.isEmpty ? nil : remedy)
        }
    }
}

extension Examination.FaultItem {
    init(_ kind: String, _ support: FaultSupport) {
        switch support {
        case .backed(let by):
            self.init(kind: kind, by: Capability.allCases.filter(by.contains).map(\.rawValue), missing: [])
        case .missing(let lacking): self.init(kind: kind, by: [], missing: lacking.map(\.rawValue))
        }
    }
}
