import RigModel
import Threading

/// Who waits for which answer of an adapter. Each waiter gets exactly one. Pure but for the continuations that it holds: they
/// are handed out, and resumed by its owner outside the lock.
struct AdapterDesk {
    enum Answer: Sendable {
        case line(JSONValue)
        /// The process is gone.
        case ended(reason: String)
        /// The process runs, and gave no answer in time. One that comes later is thrown away.
        case silent
        /// No byte of the request left.
        case notSent
    }

    typealias Waiter = CheckedContinuation<Answer, Never>

    private struct Place {
        var waiter: Waiter
        var deadline: MonotonicInstant
    }

    private var places: [Int: Place] = [:]
    private var hello: Place?
    /// Said, or ended, before anybody waited for it.
    private var early: Answer?
    private var lastID = 0

    /// A new process is about to be started; the one before is gone.
    mutating func beginLife() { early = nil }

    mutating func newID() -> Int {
        lastID += 1
        return lastID
    }

    mutating func expect(_ waiter: Waiter, id: Int, until deadline: MonotonicInstant) {
        places[id] = Place(waiter: waiter, deadline: deadline)
    }

    /// - Returns: what has come before; then the waiter was not kept.
    mutating func expectHello(_ waiter: Waiter, until deadline: MonotonicInstant) -> Answer? {
        if let early {
            self.early = nil
            return early
        }
        hello = Place(waiter: waiter, deadline: deadline)
        return nil
    }

    mutating func withdraw(_ id: Int) -> Waiter? { places.removeValue(forKey: id)?.waiter }

    /// - Returns: who gets this line; `nil` for an answer that nobody waits for.
    mutating func take(_ line: JSONValue) -> (Waiter, Answer)? {
        if let id = line["id"]?.intValue { return withdraw(Int(clamping: id)).map { ($0, .line(line)) } }
        guard let place = hello.take() else {
            early = early ?? .line(line)
            return nil
        }
        return (place.waiter, .line(line))
    }

    /// - Returns: those whose time is over.
    mutating func expire(_ now: MonotonicInstant) -> [(Waiter, Answer)] {
        var late: [(Waiter, Answer)] = []
        for (id, place) in places where place.deadline <= now {
            places[id] = nil
            late.append((place.waiter, .silent))
        }
        if let place = hello, place.deadline <= now {
            hello = nil
            late.append((place.waiter, .silent))
        }
        return late
    }

    /// The process is gone.
    ///
    /// - Returns: everybody who still waits.
    mutating func end(_ reason: String) -> [(Waiter, Answer)] {
        let waiters = places.values.map { ($0.waiter, Answer.ended(reason: reason)) }
        places = [:]
        guard let place = hello.take() else {
            early = .ended(reason: reason)
            return waiters
        }
        return waiters + [(place.waiter, .ended(reason: reason))]
    }
}
