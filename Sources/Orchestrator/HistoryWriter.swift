import CCrypto
import Dispatch
import Foundation
import HostSystem
package import RigModel
package import Threading

/// Puts events in order, and writes them to `history.jsonl` from a thread of its own. Thread-safe.
///
/// Recording costs a short lock; encoding, digest, disk and folds happen on the writer's thread. When that thread falls
/// behind by ``backlogLimit`` events, recording waits for it: memory stays bounded.
package final class HistoryWriter: EventSink {
    private static let backlogLimit = 1_000_000

    private struct State: Sendable {
        var nextIndex = 0
        var backlog: [Event] = []
        var isFinished = false
        var isWriterAsleep = false
        var failure: String?
    }

    private let state = Lock(State())
    private let wake = DispatchSemaphore(value: 0)
    private let startedAt: MonotonicInstant
    private let path: String
    private let descriptor: Int32
    private let fold: Lock<any EventFold>
    private let thread = Lock<ServiceThread?>(nil)

    /// - Parameters:
    ///   - path: the file; must not exist yet.
    ///   - fold: sees each event once, in order, on the writer's thread.
    /// - Throws: when the file cannot be created.
    package init(path: String, startedAt: MonotonicInstant, fold: any EventFold) throws {
        descriptor = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0o666)
        guard descriptor >= 0 else { throw RunError.internalFailure("cannot create \(path): \(errorText(errno))") }
        self.path = path
        self.startedAt = startedAt
        self.fold = Lock(fold)
        let writer = ServiceThread(name: "history") { [self] in write() }
        thread.withLock { $0 = writer }
    }

    @discardableResult
    package func record(
        _ kind: Event.Kind, _ process: Event.Process, _ function: String, _ value: JSONValue, _ completion: Completion?
    ) -> Int64 {
        let (time, mustWake, backlog) = state.withLock { state -> (Int64, Bool, Int) in
            // The clock is read inside, so that time never runs backwards along the history.
            let time = startedAt.duration(to: .now).nanoseconds
            guard !state.isFinished else { return (time, false, 0) }
            state.backlog.append(
                Event(
                    index: state.nextIndex, time: time, kind: kind, process: process, function: function, value: value,
                    completion: completion))
            state.nextIndex += 1
            defer { state.isWriterAsleep = false }
            return (time, state.isWriterAsleep, state.backlog.count)
        }
        if mustWake { wake.signal() }
        if backlog >= Self.backlogLimit { waitForWriter() }
        return time
    }

    /// Closes the history with its `end` event. Nothing can be recorded afterwards.
    ///
    /// - Returns: the fold, which has seen everything.
    /// - Throws: when some of it could not be written: then the history must not be trusted.
    package func finish() throws -> any EventFold {
        let mustWake = state.withLock { state in
            state.isFinished = true
            defer { state.isWriterAsleep = false }
            return state.isWriterAsleep
        }
        if mustWake { wake.signal() }
        thread.withLock { $0.take() }?.join()
        if let failure = state.withLock({ $0.failure }) { throw RunError.internalFailure(failure) }
        return fold.withLock { $0 }
    }

    /// Looks at the fold between two batches of events, while the history is being written. Must be quick: the writer waits.
    package func readFold<R>(_ body: (any EventFold) -> R) -> R { fold.withLock { body($0) } }

    private func waitForWriter() {
        while state.withLock({ $0.backlog.count >= Self.backlogLimit / 2 && $0.failure == nil }) { usleep(1000) }
    }

    // MARK: The writer's thread

    private func write() {
        var digest = SHA256Digest()
        var events = 0
        var lastTime: Int64 = 0
        var bytes: [UInt8] = []
        defer { close(descriptor) }
        do throws(SystemError) {
            while let batch = nextBatch() {
                bytes.removeAll(keepingCapacity: true)
                for event in batch {
                    event.write(to: &bytes)
                    bytes.append(UInt8(ascii: "\n"))
                }
                fold.withLock { fold in for event in batch { fold.observe(event) } }
                events += batch.count
                lastTime = batch.last?.time ?? lastTime
                digest.update(bytes)
                try SmallFile.writeAll(bytes, to: descriptor, path: path)
            }
            bytes.removeAll()
            HistoryRules.end(events: events, time: lastTime, digest: digest.finish()).write(to: &bytes)
            bytes.append(UInt8(ascii: "\n"))
            try SmallFile.writeAll(bytes, to: descriptor, path: path)
            guard fsync(descriptor) == 0 else { throw SystemError("fsync \(path)") }
        } catch {
            let words = "the history could not be written: \(error)"
            state.withLock { state in
                state.failure = words
                state.backlog = []
            }
        }
    }

    /// Waits for events; `nil` when the history is finished and everything is taken.
    private func nextBatch() -> [Event]? {
        while true {
            let (batch, isFinished) = state.withLock { state -> ([Event], Bool) in
                defer { state.backlog = [] }
                state.isWriterAsleep = state.backlog.isEmpty && !state.isFinished
                return (state.backlog, state.isFinished)
            }
            if !batch.isEmpty { return batch }
            if isFinished { return nil }
            wake.wait()
        }
    }
}

/// Something that reads a history once, event by event.
package protocol EventFold: Sendable {
    mutating func observe(_ event: Event)
}
