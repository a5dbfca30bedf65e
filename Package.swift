// swift-tools-version: 6.2
import PackageDescription

// Warnings are errors here, in the manifest, so that nobody can forget them on the command line.
let strict: [SwiftSetting] = [
    .treatAllWarnings(as: .error),
    .enableUpcomingFeature("ExistentialAny"),
    .enableUpcomingFeature("InternalImportsByDefault"),
    .enableUpcomingFeature("MemberImportVisibility"),
    // An async call stays on its caller's executor: without it each call asks the task for its preferred executor, which
    // costs more than an acquire.
    .enableUpcomingFeature("NonisolatedNonsendingByDefault"),
]

func target(_ name: String, _ dependencies: [Target.Dependency] = []) -> Target {
    .target(name: name, dependencies: dependencies, swiftSettings: strict)
}

func tests(_ name: String, _ dependencies: [Target.Dependency]) -> Target {
    .testTarget(
        name: "\(name)Tests", dependencies: [.byName(name: name), "RigTestSupport"] + dependencies,
        swiftSettings: strict)
}

let package = Package(
    name: "chaosrig",
    products: [
        .executable(name: "chaosrig", targets: ["chaosrig"]),
        // For other packages' tests: the rig against their own pool (docs/library.md).
        .library(name: "ChaosRig", targets: ["ChaosRig"]),
        .library(name: "ChaosRigTesting", targets: ["ChaosRigTesting"]),
    ],
    targets: [
        // System libraries and kernel calls.
        .systemLibrary(name: "CLibPQ", pkgConfig: "libpq", providers: [.apt(["libpq-dev"])]),
        .systemLibrary(name: "CSQLite", pkgConfig: "sqlite3", providers: [.apt(["libsqlite3-dev"])]),
        .systemLibrary(name: "CYAML", pkgConfig: "yaml-0.1", providers: [.apt(["libyaml-dev"])]),
        .systemLibrary(name: "CMicroHTTPD", pkgConfig: "libmicrohttpd", providers: [.apt(["libmicrohttpd-dev"])]),
        .systemLibrary(
            name: "CNetfilterQueue", pkgConfig: "libnetfilter_queue", providers: [.apt(["libnetfilter-queue-dev"])]),
        .systemLibrary(name: "CCrypto", pkgConfig: "libcrypto", providers: [.apt(["libssl-dev"])]),
        .target(name: "CLinux", cSettings: [.treatAllWarnings(as: .error)]),
        .target(
            name: "CSQLiteShim", cSettings: [.treatAllWarnings(as: .error)],
            linkerSettings: [.linkedLibrary("sqlite3")]),

        // Values, and the two lowest shells. Arrows point down only: a target names what lies below it.
        target("Threading", ["CLinux"]),
        target("RigModel"),
        target("EventLoop", ["CLinux", "Threading"]),
        target("HostSystem", ["CLinux", "Threading", "RigModel"]),
        target("HTTPService", ["CMicroHTTPD", "Threading"]),
        target("Exposition", ["RigModel"]),

        // The pool and its drivers.
        target("ConnectionPool", ["EventLoop", "Threading", "RigModel"]),
        target("PoolSimulator", ["ConnectionPool", "Threading", "RigModel"]),
        target("PostgresDriver", ["ConnectionPool", "EventLoop", "Threading", "RigModel", "CLibPQ", "CLinux"]),
        target("SQLiteDriver", ["ConnectionPool", "EventLoop", "Threading", "RigModel", "CSQLite", "CSQLiteShim"]),

        // The roles. No role imports another role; the orchestrator joins them.
        target("ScenarioFile", ["RigModel", "CYAML"]),
        target("Workloads", ["ConnectionPool", "EventLoop", "HostSystem", "Threading", "RigModel", "CLinux"]),
        target("FaultInjection", ["HostSystem", "CNetfilterQueue", "CLinux", "Threading", "RigModel"]),
        target("FaultProxy", ["HTTPService", "Exposition", "CLinux", "Threading", "RigModel"]),
        target("DatabaseServers", ["HostSystem", "Threading", "RigModel", "CLibPQ"]),
        target(
            "Probes",
            ["PostgresDriver", "ConnectionPool", "EventLoop", "HostSystem", "Threading", "RigModel", "CLinux"]),
        target("Checkers", ["RigModel"]),
        target("Reporting", ["RigModel", "CSQLite"]),

        target(
            "Orchestrator",
            [
                "ScenarioFile", "Workloads", "FaultInjection", "FaultProxy", "DatabaseServers", "Probes", "Checkers",
                "Reporting", "PostgresDriver", "SQLiteDriver", "ConnectionPool", "EventLoop", "HostSystem",
                "HTTPService",
                "Exposition", "Threading", "RigModel", "CCrypto",
            ]),
        // Defects around the pool, and the runs that must find them.
        target(
            "SelfTest",
            ["Orchestrator", "ScenarioFile", "Workloads", "ConnectionPool", "HostSystem", "Threading", "RigModel"]),
        target(
            "Benchmarks",
            [
                "PostgresDriver", "SQLiteDriver", "ConnectionPool", "EventLoop", "DatabaseServers", "HostSystem",
                "Threading", "RigModel", "CLibPQ", "CSQLite",
            ]),
        .executableTarget(
            name: "chaosrig",
            dependencies: [
                "Orchestrator", "SelfTest", "Benchmarks", "PoolSimulator", "FaultProxy", "FaultInjection",
                "ScenarioFile", "Reporting", "HostSystem", "Exposition", "Threading", "RigModel", "CLinux",
            ],
            swiftSettings: strict),

        // The library. It needs the program beside it: runs take their helpers from there.
        target(
            "ChaosRig",
            [
                "chaosrig", "Orchestrator", "ScenarioFile", "Workloads", "ConnectionPool", "Reporting", "HostSystem",
                "Threading", "RigModel",
            ]),
        // The only one that imports Testing.
        target("ChaosRigTesting", ["ChaosRig"]),

        // Tests.
        .target(
            name: "RigTestSupport",
            dependencies: [
                "PoolSimulator", "ConnectionPool", "EventLoop", "HostSystem", "DatabaseServers", "Threading",
                "RigModel",
            ],
            swiftSettings: strict),
        tests("Threading", []),
        tests("RigModel", []),
        tests("EventLoop", ["Threading", "CLinux"]),
        tests("HostSystem", ["Threading", "RigModel"]),
        tests("ConnectionPool", ["PoolSimulator", "Threading", "RigModel", "EventLoop"]),
        tests("PoolSimulator", ["ConnectionPool", "Threading", "RigModel", "CLinux"]),
        tests(
            "PostgresDriver", ["ConnectionPool", "EventLoop", "Threading", "RigModel", "DatabaseServers", "HostSystem"]),
        tests("SQLiteDriver", ["ConnectionPool", "EventLoop", "Threading", "RigModel", "CSQLite"]),
        tests("ScenarioFile", ["RigModel"]),
        tests("Workloads", ["ConnectionPool", "EventLoop", "HostSystem", "Threading", "RigModel"]),
        tests("FaultInjection", ["HostSystem", "Threading", "RigModel"]),
        tests("Exposition", ["RigModel"]),
        tests("FaultProxy", ["HTTPService", "HostSystem", "Threading", "RigModel", "CLinux"]),
        tests("DatabaseServers", ["HostSystem", "Threading", "RigModel"]),
        tests(
            "Probes",
            ["PostgresDriver", "ConnectionPool", "EventLoop", "HostSystem", "DatabaseServers", "Threading", "RigModel"]),
        tests("Checkers", ["RigModel"]),
        tests("Reporting", ["RigModel"]),
        tests(
            "Orchestrator",
            [
                "FaultInjection", "Checkers", "Workloads", "ConnectionPool", "EventLoop", "PostgresDriver",
                "SQLiteDriver",
                "ScenarioFile", "Exposition", "Reporting",
                "RigModel", "HostSystem", "DatabaseServers", "Threading",
            ]),
        tests("SelfTest", ["ConnectionPool", "Orchestrator", "Threading", "RigModel"]),
        // What the pool and its drivers do together, on real databases.
        .testTarget(
            name: "PoolFeatureTests",
            dependencies: [
                "ConnectionPool", "PostgresDriver", "SQLiteDriver", "EventLoop", "Workloads", "DatabaseServers",
                "HostSystem", "RigTestSupport", "Threading", "RigModel",
            ],
            swiftSettings: strict),
        tests("ChaosRig", ["HostSystem", "RigModel"]),
        tests("Benchmarks", ["Threading", "RigModel", "DatabaseServers"]),
        .testTarget(
            name: "InvariantSuites",
            dependencies: [
                "chaosrig", "ChaosRigTesting", "PostgresDriver", "ConnectionPool", "EventLoop", "DatabaseServers",
                "HostSystem", "RigTestSupport", "Threading", "RigModel", "CLinux",
            ],
            swiftSettings: strict),
    ],
    swiftLanguageModes: [.v6]
)
