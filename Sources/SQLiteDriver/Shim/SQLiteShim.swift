import CSQLite
import CSQLiteShim
import Glibc
import RigModel
import Threading

/// A file system of SQLite's (a VFS) in front of the default one: it counts the calls of every connection that was opened
/// through it, makes some of them fail, wait or read damaged pages, and can lead a file's name elsewhere. Thread-safe.
///
/// Nothing of it touches a file: what it says to SQLite ends with the process. It stays registered up to then, so make few.
package final class SQLiteShim: Sendable {
    /// What connections did through it.
    package struct Counts: Sendable, Equatable {
        package var calls: [SQLiteCall: Int] = [:]
        /// Tries for the write lock while somebody else had it.
        package var busy = 0

        package init() {}
    }

    package struct Effect: Sendable, Equatable {
        /// The calls that it might have happened to, and those that it did happen to.
        package var matches = 0
        package var hits = 0

        package init(matches: Int = 0, hits: Int = 0) {
            self.matches = matches
            self.hits = hits
        }
    }

    private struct State {
        var counts = Counts()
        var next = 1
        var active: [(id: Int, progress: DisturbanceProgress)] = []
        var ended: [Int: Effect] = [:]
        /// Absolute path of a file to the path of the one that is opened in its place.
        var elsewhere: [String: String] = [:]
        /// The files that were opened in place of others.
        var replacements: [String: String] = [:]
    }

    /// What happens to one call.
    private struct Verdict {
        var code = SQLITE_OK
        var delays: [(id: Int, length: Duration)] = []
    }

    /// A delay ends that soon after its disturbance.
    private static let slice = Duration.milliseconds(5)

    /// One of the names under which it is registered.
    private final class Entrance: Sendable {
        let shim: SQLiteShim
        let isCounted: Bool

        init(_ shim: SQLiteShim, isCounted: Bool) {
            self.shim = shim
            self.isCounted = isCounted
        }

        static func of(_ context: UnsafeMutableRawPointer?) -> Entrance? {
            context.map { Unmanaged<Entrance>.fromOpaque($0).takeUnretainedValue() }
        }
    }

    /// For ``SQLiteConfiguration/fileSystem``.
    package let name: String
    /// The same for who only looks: its calls fail as others do, without delays, but no count and no disturbance knows of them.
    package let uncountedName: String
    private let state = Lock(State())

    /// Registers it.
    package init() {
        SQLiteLibrary.prepare()
        var random = SystemRandomNumberGenerator()
        name = "chaosrig-\(String(UInt64.random(in: .min ... .max, using: &random), radix: 36))"
        uncountedName = name + "-uncounted"
        register(name, isCounted: true)
        register(uncountedName, isCounted: false)
    }

    private func register(_ name: String, isCounted: Bool) {
        var hooks = csqliteshim_hooks()
        // For good: connections may use it as long as the process lives.
        hooks.context = Unmanaged.passRetained(Entrance(self, isCounted: isCounted)).toOpaque()
        hooks.before = { context, call in
            guard let entrance = Entrance.of(context) else { return SQLITE_OK }
            return entrance.shim.before(call, isCounted: entrance.isCounted)
        }
        hooks.after = { context, call, code in
            guard let entrance = Entrance.of(context), entrance.isCounted else { return }
            entrance.shim.after(call, code)
        }
        hooks.resolve = { Entrance.of($0)?.shim.resolve($1, $2) ?? SQLITE_OK }
        hooks.has_moved = { context, path in
            guard let path else { return 0 }
            return Entrance.of(context)?.shim.hasMoved(String(cString: path)) ?? false ? 1 : 0
        }
        let status = csqliteshim_register(name, &hooks)
        precondition(status == SQLITE_OK, "cannot register an SQLite VFS: \(SQLiteCode.name(of: status))")
    }

    // MARK: Control

    package var counts: Counts { state.withLock { $0.counts } }

    /// Begins to disturb; it does when this returns.
    ///
    /// - Returns: a number for the other calls.
    package func begin(_ disturbance: SQLiteDisturbance) -> Int {
        state.withLock { state in
            defer { state.next += 1 }
            state.active.append((state.next, DisturbanceProgress(disturbance)))
            return state.next
        }
    }

    /// Ends it; calls that it delays go on at once. Does nothing when it has ended.
    package func end(_ disturbance: Int) {
        state.withLock { state in
            guard let index = state.active.firstIndex(where: { $0.id == disturbance }) else { return }
            let progress = state.active.remove(at: index).progress
            state.ended[disturbance] = Effect(matches: progress.matches, hits: progress.hits)
        }
    }

    /// What it has done so far; kept after its end.
    package func effect(of disturbance: Int) -> Effect {
        state.withLock { state in
            guard let progress = state.active.first(where: { $0.id == disturbance })?.progress else {
                return state.ended[disturbance] ?? Effect()
            }
            return Effect(matches: progress.matches, hits: progress.hits)
        }
    }

    /// The disturbances that last, by their numbers.
    package var active: [Int: SQLiteDisturbance] {
        state.withLock { state in
            Dictionary(uniqueKeysWithValues: state.active.map { ($0.id, $0.progress.disturbance) })
        }
    }

    /// Whether the name of this database leads to another file now.
    package func leadsElsewhere(_ path: String) -> Bool { state.withLock { $0.elsewhere[path] != nil } }

    /// Lets the name of a database lead to another file, with a log of its own: connections from now on open that one. Those
    /// that are open keep their file, and can see that its name leads elsewhere.
    ///
    /// - Parameters:
    ///   - path: absolute, without symbolic links.
    ///   - other: the same; `nil` to let it lead to its own file again.
    package func lead(_ path: String, to other: String?) {
        state.withLock { state in
            state.elsewhere[path] = other
            if let other { state.replacements[other] = path }
        }
    }

    // MARK: Hooks

    private func before(_ call: csqliteshim_call, isCounted: Bool) -> Int32 {
        guard let kind = SQLiteCall(call.kind) else { return SQLITE_OK }
        let verdict = state.withLock { state -> Verdict in
            if isCounted { state.counts.calls[kind, default: 0] += 1 }
            var verdict = Verdict()
            for index in state.active.indices {
                var progress = state.active[index].progress
                let happens = progress.meets(kind, readsPage: call.reads_page != 0)
                if isCounted { state.active[index].progress = progress }
                guard happens else { continue }
                switch progress.disturbance.effect {
                case .fail(let failure): verdict.code = failure.code(of: kind)
                case .delay(let length): if isCounted { verdict.delays.append((state.active[index].id, length)) }
                case .spoil: if verdict.code == SQLITE_OK { verdict.code = csqliteshim_spoil }
                }
            }
            return verdict
        }
        for delay in verdict.delays { wait(delay.length, while: delay.id) }
        return verdict.code
    }

    /// Blocks the thread, as a slow disk does.
    private func wait(_ length: Duration, while disturbance: Int) {
        let end = MonotonicInstant.now.advanced(by: length)
        while state.withLock({ $0.active.contains { $0.id == disturbance } }) {
            let rest = MonotonicInstant.now.duration(to: end)
            guard rest > .zero else { return }
            var time = timespec(tv_sec: 0, tv_nsec: Int(min(rest, Self.slice).nanoseconds))
            nanosleep(&time, nil)
        }
    }

    private func after(_ call: csqliteshim_call, _ code: Int32) {
        guard call.kind == csqliteshim_write_lock, code & 0xFF == SQLITE_BUSY else { return }
        state.withLock { $0.counts.busy += 1 }
    }

    private func resolve(_ path: UnsafeMutablePointer<CChar>?, _ capacity: Int32) -> Int32 {
        guard let path else { return SQLITE_OK }
        guard let other = state.withLock({ $0.elsewhere[String(cString: path)] }) else { return SQLITE_OK }
        let bytes = other.utf8CString
        guard bytes.count <= Int(capacity) else { return SQLITE_CANTOPEN }
        bytes.withUnsafeBufferPointer { if let base = $0.baseAddress { path.update(from: base, count: bytes.count) } }
        return SQLITE_OK
    }

    private func hasMoved(_ path: String) -> Bool {
        state.withLock { state in
            if let original = state.replacements[path] { return state.elsewhere[original] != path }
            return state.elsewhere[path] != nil
        }
    }
}

extension SQLiteCall {
    fileprivate init?(_ kind: csqliteshim_kind) {
        switch kind {
        case csqliteshim_open: self = .open
        case csqliteshim_read: self = .read
        case csqliteshim_write: self = .write
        case csqliteshim_sync: self = .sync
        case csqliteshim_write_lock: self = .writeLock
        default: return nil
        }
    }
}
