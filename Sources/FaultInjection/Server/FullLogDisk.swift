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
    private var logPosition: LogPosition?
    /// How often the server has said since the fault began that there is no room, and its last words.
    private var said = 0
    private var words: String?
    private var starts = 0
    private var deaths = 0

    init(restartEvery: Duration) { self.restartEvery = restartEvery }

    func inject(on stage: FaultStage) async throws {
        let server = try stage.needed(stage.server, .server)
        let place = try await server.place
        log = "\(place.dataDirectory)/pg_wal"
        logPosition = await stage.log?.position()
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
        _ = try await disk.fill(1)
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

    private func readLog(_ stage: FaultStage) async {
        guard let log = stage.log, let logPosition else { return }
        let (lines, end) = await log.lines(since: logPosition)
        self.logPosition = end
        let hits = lines.filter { $0.contains(Self.mark) }
        said += hits.count
        words = hits.last ?? words
    }

    func prove(on stage: FaultStage) async -> Landing {
        guard let server = stage.server else { return Landing(landed: false, evidence: ["reason": "no server"]) }
        var answer = ConnectAnswer.accepted
        let hasLanded = await eventually(within: Self.limit, every: .milliseconds(100)) {
            await readLog(stage)
            answer = await server.tryConnect(within: .milliseconds(500))
            return said > 0 && answer != .accepted
        }
        var evidence: [JSONValue.Member] = [
            .init("no_space_in_log", JSONValue(said)), .init("connect", .string(answer.words)),
            .init("log", JSONValue(words)),
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
            await disk.empty()
            try await bringBack(disk, on: stage)
            try await disk.unmount(on: stage)
            self.disk = nil
        }
        try await server.start(within: Self.limit)
        try await server.waitUntilServing(within: Self.limit)
        return ["starts": JSONValue(starts), "deaths": JSONValue(deaths)]
    }

    /// The log as the server has left it, in the place where it was.
    private func bringBack(_ disk: SmallDisk, on stage: FaultStage) async throws {
        for command in Self.wayBack(of: log, from: disk.path) { try await SmallDisk.run(command, on: stage) }
    }

    /// What is still to do, by what there is: any step may have been done before, or have failed.
    static func wayBack(of log: String, from disk: String) -> [[String]] {
        let (new, before) = ("\(log).new", "\(log).before")
        var commands: [[String]] = []
        if SmallFile.linkTarget(log) != nil {
            commands = [
                ["rm", "-rf", new], ["cp", "--archive", disk, new], ["rm", log], ["mv", new, log],
            ]
        } else if !SmallFile.exists(log) {
            // The link goes only when the copy is whole; without one nothing was written to the small disk.
            commands = [["mv", SmallFile.exists(new) ? new : before, log]]
        }
        return commands + [["rm", "-rf", before]]
    }
}
