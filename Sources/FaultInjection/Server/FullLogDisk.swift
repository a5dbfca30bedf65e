import HostSystem
import RigModel
import Threading

/// The write-ahead log is moved to a disk that has no room for another file of it. The server dies as soon as it needs one,
/// is started again, and dies again.
actor FullLogDisk: Injection {
    private static let limit = Duration.seconds(30)
    private static let stopPatience = Duration.seconds(5)
    private static let startLimit = Duration.seconds(5)
    private static let mark = "No space left on device"
    /// Less than the smallest file of the log (1 MB).
    private static let spare = 512 << 10

    private let restartEvery: Duration
    private var disk: SmallDisk?
    private var log = ""
    private var looping: Task<Void, Never>?
    private var markAtFirst = 0
    private var starts = 0
    private var deaths = 0

    init(restartEvery: Duration) { self.restartEvery = restartEvery }

    func inject(on stage: FaultStage) async throws {
        let server = try stage.needed(stage.server, .server)
        let place = try await server.place
        log = "\(place.dataDirectory)/pg_wal"
        markAtFirst = await marks(server)
        try await server.stopForGood(patience: Self.stopPatience)
        // What the log has now, in whole pages of memory; the last name is a folder for its archive.
        let used = try await SmallDisk.run(["du", "--bytes", "--summarize", log], on: stage)
        guard let bytes = used.split(whereSeparator: \.isWhitespace).first.flatMap({ Int($0) }) else {
            throw InjectionError("cannot tell the size of \(log): \(used)")
        }
        let disk = try await SmallDisk.mount("small-log", bytes: bytes + Self.spare, on: stage)
        self.disk = disk
        try await SmallDisk.run(["cp", "--archive", "\(log)/.", disk.path], on: stage)
        try await SmallDisk.run(["mv", log, "\(log).before"], on: stage)
        try await SmallDisk.run(["ln", "--symbolic", disk.path, log], on: stage)
        try await server.start(within: Self.limit)
        starts = 1
        _ = try disk.fill(1)
        looping = Task { await loop(stage, server) }
    }

    private func loop(_ stage: FaultStage, _ server: any ServerControl) async {
        while !Task.isCancelled {
            // Asks for the next file of the log at once, as the workload would sooner or later.
            _ = try? await stage.statements?.run("SELECT pg_switch_wal()", within: .seconds(2))
            _ = try? await stage.statements?.run("CHECKPOINT", within: .seconds(2))
            if await server.postmasterPID() == nil { deaths += 1 }
            guard (try? await Task.sleep(for: restartEvery)) != nil else { return }
            if await server.postmasterPID() == nil {
                starts += 1
                // Ends in vain as long as there is no room, or for moments only.
                try? await server.start(within: Self.startLimit)
            }
        }
    }

    /// How often the server has said in the last lines of its log that there is no room.
    private func marks(_ server: any ServerControl) async -> Int {
        await server.logTail(lines: 20_000).count { $0.contains(Self.mark) }
    }

    func prove(on stage: FaultStage) async -> Landing {
        guard let server = stage.server else { return Landing(landed: false, evidence: ["reason": "no server"]) }
        var said = 0
        var answer = ConnectAnswer.accepted
        let hasLanded = await eventually(within: Self.limit, every: .milliseconds(100)) {
            said = await marks(server) - markAtFirst
            answer = await server.tryConnect(within: .milliseconds(500))
            return said > 0 && answer != .accepted
        }
        var evidence: [JSONValue.Member] = [
            .init("no_space_in_log", JSONValue(said)), .init("connect", .string(answer.words)),
            .init("log", JSONValue(await server.logTail(lines: 200).last { $0.contains(Self.mark) })),
        ]
        if !hasLanded { evidence.append(.init("reason", "the server did not die of a full disk")) }
        return Landing(landed: hasLanded, evidence: .object(evidence))
    }

    func heal(on stage: FaultStage) async throws -> JSONValue {
        let server = try stage.needed(stage.server, .server)
        looping?.cancel()
        await looping?.value
        looping = nil
        if let disk {
            try await server.stopForGood(patience: Self.stopPatience)
            disk.empty()
            try await bringBack(disk, on: stage)
            try await disk.unmount(on: stage)
            self.disk = nil
        }
        try await server.start(within: Self.limit)
        try await server.waitUntilServing(within: Self.limit)
        return ["starts": JSONValue(starts), "deaths": JSONValue(deaths)]
    }

    /// The log as the server has left it, in the place where it was. Each step may have been done before.
    private func bringBack(_ disk: SmallDisk, on stage: FaultStage) async throws {
        if SmallFile.linkTarget(log) == nil {
            if !SmallFile.exists(log) { try await SmallDisk.run(["mv", "\(log).before", log], on: stage) }
            return
        }
        try await SmallDisk.run(["rm", "-rf", "\(log).new"], on: stage)
        try await SmallDisk.run(["cp", "--archive", disk.path, "\(log).new"], on: stage)
        try await SmallDisk.run(["rm", log], on: stage)
        try await SmallDisk.run(["mv", "\(log).new", log], on: stage)
        try await SmallDisk.run(["rm", "-rf", "\(log).before"], on: stage)
    }
}
