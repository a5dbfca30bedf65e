import ConnectionPool
import RigModel
import Testing
import Threading

struct WaiterQueueTests {
    @Test("Waiters leave in the order of their tickets, wherever they came in")
    func fifoByTicket() {
        var queue = WaiterQueue()
        for ticket in [3, 4, 7, 1, 2, 5] { queue.enqueue(ticket, deadline: 100) }
        #expect(queue.drain() == [1, 2, 3, 4, 5, 7])
        #expect(queue.popFirst() == nil)
    }

    @Test("A waiter can leave from the front, the middle and the end, but only once")
    func removalFromAnywhere() {
        var queue = WaiterQueue()
        for ticket in 0..<5 { queue.enqueue(ticket, deadline: 100) }
        for ticket in [0, 2, 4] {
            #expect(queue.remove(ticket: ticket) == true)
            #expect(queue.remove(ticket: ticket) == false)
        }
        #expect(queue.count == 2)
        #expect(queue.drain() == [1, 3])
        #expect(queue.remove(ticket: 1) == false)
    }

    @Test("Waiters expire in the order of their deadlines, at their deadline and not before")
    func expiry() {
        var queue = WaiterQueue()
        for (ticket, deadline) in [30, 10, 20].enumerated() { queue.enqueue(ticket, deadline: deadline) }
        #expect(queue.earliestDeadline == .at(10))
        #expect(queue.popExpired(now: .at(9)) == nil)
        #expect(queue.popExpired(now: .at(10))?.turn.ticket == 1)
        #expect(queue.popExpired(now: .at(19)) == nil)
        #expect(queue.popExpired(now: .at(100))?.turn.ticket == 2)
        #expect(queue.popExpired(now: .at(100))?.turn.ticket == 0)
        #expect(queue.popExpired(now: .at(100)) == nil)
        #expect(queue.earliestDeadline == nil)
    }

    @Test("The earliest deadline is of someone who still waits")
    func earliestDeadlineIgnoresThoseWhoLeft() {
        var queue = WaiterQueue()
        for (ticket, deadline) in [10, 20, 30].enumerated() { queue.enqueue(ticket, deadline: deadline) }
        #expect(queue.remove(ticket: 0) == true)
        #expect(queue.earliestDeadline == .at(20))
        #expect(queue.popFirst()?.turn.ticket == 1)
        #expect(queue.earliestDeadline == .at(30))
        #expect(queue.popExpired(now: .at(25)) == nil)
    }

    @Test("A place that was used before does not inherit its former deadline")
    func recycledPlace() {
        var queue = WaiterQueue()
        queue.enqueue(0, deadline: 10)
        queue.enqueue(1, deadline: 50)
        #expect(queue.remove(ticket: 0) == true)
        queue.enqueue(2, deadline: 90)
        #expect(queue.popExpired(now: .at(40)) == nil)
        #expect(queue.popExpired(now: .at(50))?.turn.ticket == 1)
        #expect(queue.earliestDeadline == .at(90))
    }

    @Test("A random life agrees with a sorted list")
    func randomLife() {
        var generator = SeededGenerator(seed: 11)
        var queue = WaiterQueue()
        var model: [Int: Int] = [:]
        for ticket in 0..<20_000 {
            let deadline = ticket + Int.random(in: 1...3_000, using: &generator)
            queue.enqueue(ticket, deadline: deadline)
            model[ticket] = deadline
            switch Int.random(in: 0..<4, using: &generator) {
            case 0:
                let first = queue.popFirst()?.turn.ticket
                #expect(first == model.keys.min())
                if let first { model[first] = nil }
            case 1:
                let victim = Int.random(in: max(0, ticket - 20)...ticket, using: &generator)
                #expect(queue.remove(ticket: victim) == (model.removeValue(forKey: victim) != nil))
            case 2:
                while let expired = queue.popExpired(now: .at(ticket)) {
                    #expect(model.removeValue(forKey: expired.turn.ticket).map { $0 <= ticket } == true)
                }
            default:
                if model.count > 40 {
                    while model.count > 20, let first = queue.popFirst() { model[first.turn.ticket] = nil }
                }
            }
            #expect(queue.count == model.count)
            if ticket.isMultiple(of: 100) { #expect(queue.earliestDeadline == model.values.min().map { .at($0) }) }
        }
        #expect(queue.drain() == model.keys.sorted())
    }
}

extension WaiterQueue {
    fileprivate mutating func enqueue(_ ticket: Int, deadline: Int) {
        enqueue(Turn(ticket: ticket, arrivedAt: .at(0)), deadline: .at(deadline), site: nil)
    }

    fileprivate mutating func drain() -> [Int] {
        var tickets: [Int] = []
        while let waiter = popFirst() { tickets.append(waiter.turn.ticket) }
        return tickets
    }
}

extension MonotonicInstant {
    fileprivate static func at(_ time: Int) -> MonotonicInstant { MonotonicInstant(nanoseconds: UInt64(time)) }
}
