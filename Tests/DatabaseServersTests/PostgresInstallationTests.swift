import DatabaseServers
import Foundation
import HostSystem
import RigModel
import RigTestSupport
import Testing

@Suite struct PostgresInstallationTests {
    @Test(arguments: [
        ("postgres (PostgreSQL) 15.18 (Debian 15.18-0+deb12u1)\n", 15, "15.18"),
        ("postgres (PostgreSQL) 18beta1\n", 18, "18beta1"), ("postgres (PostgreSQL) 13.0", 13, "13.0"),
    ])
    func versionIsRead(_ output: String, major: Int, text: String) throws {
        let version = try #require(ServerVersion(programOutput: output))
        #expect(version.major == major)
        #expect(version.description == text)
    }

    @Test(arguments: ["", "postgres", "postgres (PostgreSQL) ", "postgres (PostgreSQL) devel", "mysqld  Ver 8.0"])
    func otherOutputIsNoVersion(_ output: String) { #expect(ServerVersion(programOutput: output) == nil) }

    @Test func versionsAreOrderedAsNumbers() {
        #expect(PostgresInstallation.newestFirst(["9.6", "15", "x", "13", "18"]) == ["18", "15", "13", "9.6", "x"])
    }

    @Test func programsOfThisMachineAreFound() async throws {
        let found = try await PostgresInstallation.find()
        #expect(ServerVersion.supported.contains(found.version.major))
        #expect(isExecutableFile(found.initdb) && isExecutableFile(found.postgres))
    }

    @Test func namedFolderIsTheOnlyOneLookedAt() async throws {
        let folder = try TemporaryFolder()
        let environment = [PostgresInstallation.variable: folder.path, "PATH": "/usr/bin"]
        let error = await #expect(throws: ServerError.self) {
            try await PostgresInstallation.find(environment: environment)
        }
        let words = "\(try #require(error))"
        #expect(words.contains("\(folder.path) (CHAOSRIG_PG_BINDIR): no initdb and postgres there"))
        #expect(words.contains("apt-get install postgresql"))

        let real = try await PostgresInstallation.find()
        let named = try await PostgresInstallation.find(environment: [PostgresInstallation.variable: real.binFolder])
        #expect(named == real)
    }

    @Test func linkToOneProgramLeadsToItsNeighbours() async throws {
        let real = try await PostgresInstallation.find()
        let folder = try TemporaryFolder()
        for name in ["initdb", "postgres"] {
            try FileManager.default.createSymbolicLink(
                atPath: folder.file(name), withDestinationPath: "\(real.binFolder)/\(name)")
        }
        #expect(try await PostgresInstallation.find(environment: [PostgresInstallation.variable: folder.path]) == real)
    }

    @Test func versionThatTheRigDoesNotKnowIsRefused() async throws {
        let folder = try TemporaryFolder()
        for name in ["initdb", "postgres"] {
            _ = try await folder.script(name, "echo 'postgres (PostgreSQL) 12.22'")
        }
        let error = await #expect(throws: ServerError.self) {
            try await PostgresInstallation.find(environment: [PostgresInstallation.variable: folder.path])
        }
        #expect("\(try #require(error))".contains("12.22"))
    }
}

@Suite struct ServerPortTests {
    @Test func portsOutsideTheEphemeralRangeAreCandidates() {
        var random = SeededGenerator(seed: 1)
        let usual = ServerPort.candidates(ephemeral: 32768...60999, using: &random)
        #expect(Set(usual) == Set(20000...32000))
        #expect(usual != usual.sorted())
        #expect(Set(ServerPort.candidates(ephemeral: 25000...61000, using: &random)) == Set(20000...24999))
        #expect(ServerPort.candidates(ephemeral: 1024...65535, using: &random) == [])
        #expect(ServerPort.candidates(ephemeral: nil, using: &random).count == 12001)
    }

    @Test func rangeOfTheKernelIsRead() {
        #expect(ServerPort.ephemeralRange("32768\t60999\n") == 32768...60999)
        #expect(ServerPort.ephemeralRange("") == nil)
        #expect(ServerPort.ephemeralRange("9 5") == nil)
    }

    @Test func portThatAServerHoldsIsNotFree() async throws {
        #expect(!ServerPort.isFree(try await TestPostgres.shared().port))
    }
}

@Suite struct ServerSettingsTests {
    @Test func quotesAndBackslashesSurvive() {
        let settings = ServerSettings(
            port: 20001, socketFolder: "/tmp/it's", maxConnections: 7, durability: .fast,
            extra: [("search_path", #"a\b"#), ("max_connections", "9")])
        let lines = settings.text.split(separator: "\n").map(String.init)
        #expect(lines.contains("port = '20001'"))
        #expect(lines.contains("unix_socket_directories = '/tmp/it''s'"))
        #expect(lines.contains(#"search_path = 'a\\b'"#))
        #expect(lines.last == "max_connections = '9'")  // the last one counts
    }

    @Test func fastServerGivesUpFsyncAndNothingElse() {
        func text(_ durability: Durability) -> Set<Substring> {
            let settings = ServerSettings(port: 1, socketFolder: "/s", maxConnections: 1, durability: durability)
            return Set(settings.text.split(separator: "\n"))
        }
        #expect(text(.fast).subtracting(text(.full)) == ["fsync = 'off'"])
        #expect(text(.full).subtracting(text(.fast)) == [])
    }
}
