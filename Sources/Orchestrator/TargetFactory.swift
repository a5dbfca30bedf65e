import DatabaseServers
import FaultInjection
import Foundation
import HostSystem
import PostgresDriver
import RigModel
import ScenarioFile

/// Brings the target of a scenario into being, and knows beforehand what it can do.
struct TargetFactory: Sendable {
    let scenario: Scenario
    let folder: RunFolder
    let scratch: RunScratch

    /// For the rig's own connections, superusers' reserved ones, and connections that are being closed.
    private static let connectionsBesideThePool = 30

    /// What faults will find on the stage.
    static func parts(of scenario: Scenario) -> Set<StagePart> {
        switch scenario.target {
        case .managedPostgres: client(scenario).union([.sessions, .statements, .settings, .server, .link])
        case .postgres: client(scenario).union([.sessions, .statements, .link])
        case .temporarySQLite, .sqlite: [.file]
        }
    }

    private static func client(_ scenario: Scenario) -> Set<StagePart> {
        scenario.pool.process == .child ? [.client] : []
    }

    /// Refuses what the scenario's target cannot do, before anything is started.
    static func check(
        _ scenario: Scenario, faults: [any Fault], allowedRemoteHosts: Set<String>
    ) throws(RunError) {
        let missing = FaultRequirements.missing(faults, available: parts(of: scenario))
        if !missing.isEmpty { throw .missing(missing.joined(separator: "\n")) }
        try PoolChild.check(scenario)
        for fault in faults {
            for disturbance in fault.disturbances(seed: 0) {
                do { try RelayLinkControl.check(disturbance) } catch {
                    throw .usage("faults: \(type(of: fault).shape.name): \(error)")
                }
            }
        }
        guard case .postgres(let url) = scenario.target else { return }
        let servers: [PostgresEndpoint]
        do throws(PostgresConfigurationError) {
            servers = try PostgresConfiguration(url: url).servers
        } catch {
            throw .usage("target.postgres.url: \(error)")
        }
        for server in servers where !LoopbackAddress.contains(server.host) && !allowedRemoteHosts.contains(server.host)
        {
            throw .usage(
                "the target \(server.host) is not on this machine. Faults will hit it; if that is what you want, "
                    + "name it: --allow-remote \(server.host)")
        }
    }

    func make(_ context: TargetContext) async throws(RunError) -> any RunTarget {
        switch scenario.target {
        case .managedPostgres:
            let server = try await startServer(context)
            let adminURL =
                "postgresql:///postgres?host=\(server.socketDirectory)&port=\(server.port)&user=\(server.role)"
            do {
                return try await PostgresTarget(
                    context: context, server: server, url: server.url, adminURL: adminURL, needsRelay: needsRelay,
                    readsLittle: readsLittle, child: child)
            } catch {
                // What cannot be removed here is still in the journal.
                try? await server.destroy()
                throw error
            }
        case .postgres(let url):
            return try await PostgresTarget(
                context: context, server: nil, url: url, adminURL: url, needsRelay: needsRelay,
                readsLittle: readsLittle, child: child)
        case .temporarySQLite:
            return SQLiteTarget(context: context, path: scratch.path + "/chaosrig.db", isTemporary: true)
        case .sqlite(let path):
            return SQLiteTarget(context: context, path: path, isTemporary: false)
        }
    }

    /// The relay costs a little on every query; it is there only where a fault may need it.
    private var needsRelay: Bool {
        scenario.faults.contains { entry in
            FaultCatalogue.make(entry.kind, entry.parameters)?.needs.contains(.link) ?? false
        }
    }

    private var readsLittle: Bool {
        scenario.faults.contains { FaultCatalogue.make($0.kind, $0.parameters) is ClientSlowReader }
    }

    /// The pool's process, where it has one of its own.
    private var child: PoolChild? {
        guard scenario.pool.process == .child else { return nil }
        let needsClock = scenario.faults.contains { entry in
            FaultCatalogue.make(entry.kind, entry.parameters)?.capabilities.contains { $0.contains(.fakeTime) } ?? false
        }
        return PoolChild(
            adapter: scenario.pool.adapter, logPath: folder.file("pool.log"), scratch: scratch.path,
            hasClock: needsClock)
    }

    private func startServer(_ context: TargetContext) async throws(RunError) -> ManagedPostgres {
        var options = ManagedPostgres.Options()
        options.maxConnections = scenario.pool.maxOpen + Self.connectionsBesideThePool
        options.logPath = folder.file("server.log")
        do {
            return try await ManagedPostgres.create(in: scratch, journal: context.journal, options: options)
        } catch {
            // Whatever it was: this machine does not give what the scenario needs.
            throw .missing(error.description)
        }
    }
}
