import ConnectionPool
import RigModel
import Testing
import Threading
import Workloads

/// How a client behaves is drawn from the seed, as often as the scenario says.
struct BehaviourPlanTests {
    private let transaction = UseRequest(isTransaction: true, site: .here()) { _ in [] }
    private let autocommit = UseRequest(site: .here()) { _ in [] }

    private func draws(_ shares: ClientBehaviour, _ request: UseRequest, count: Int = 20_000) -> [UseBehaviour] {
        let plan = BehaviourPlan(shares, statementTime: .milliseconds(5))
        var generator = SeededGenerator(seed: 3)
        return (0..<count).compactMap { plan.draw(for: request, number: Int64($0), &generator) }
    }

    @Test("Nothing is drawn where nothing is wanted, and not a single number is taken")
    func nothing() {
        let plan = BehaviourPlan(ClientBehaviour(), statementTime: .zero)
        var generator = SeededGenerator(seed: 3)
        #expect(plan.draw(for: autocommit, number: 0, &generator) == nil)
        var untouched = SeededGenerator(seed: 3)
        #expect(generator.next() == untouched.next())
    }

    @Test("Each behaviour comes as often as its share says")
    func shares() {
        var wanted = ClientBehaviour()
        wanted.cancel = ClientBehaviour.Cancel(share: 0.05)
        wanted.throwShare = 0.02
        wanted.abandonTransaction = 0.03
        wanted.abandonResult = 0.01
        wanted.hold = ClientBehaviour.Hold(share: 0.04, duration: .milliseconds(70))
        wanted.nested = 0.06
        wanted.residue = [.init(.role, 0.02), .init(.advisoryLock, 0.05)]
        let drawn = draws(wanted, transaction)
        func expect(_ share: Double, _ matches: (UseBehaviour) -> Bool, _ location: SourceLocation = #_sourceLocation) {
            let seen = Double(drawn.count(where: matches)) / 20_000
            #expect(abs(seen - share) < 0.2 * share, "\(seen) of \(share)", sourceLocation: location)
        }
        expect(0.05) { $0.cancel != nil }
        expect(0.02) { $0.throwsInside }
        expect(0.03) { $0.abandons == .transaction }
        expect(0.01) { $0.abandons == .result }
        expect(0.04) { $0.hold == .milliseconds(70) }
        expect(0.06) { $0.isNested }
        expect(0.02) { $0.residue.contains(.role) }
        expect(0.05) { $0.residue.contains(.advisoryLock) }
        #expect(drawn.allSatisfy { !($0.throwsInside && $0.abandons != nil) })
        #expect(drawn == draws(wanted, transaction))
    }

    @Test("A cancel of no name meets every moment that the operation has; one with a name that one only")
    func cancelMoments() {
        var wanted = ClientBehaviour()
        wanted.cancel = ClientBehaviour.Cancel(share: 1)
        #expect(Set(draws(wanted, transaction).compactMap(\.cancel?.at)) == Set(CancelMoment.allCases))
        let outside = Set(CancelMoment.allCases).subtracting([.begin, .commit])
        #expect(Set(draws(wanted, autocommit).compactMap(\.cancel?.at)) == outside)
        wanted.cancel?.at = .commit
        #expect(Set(draws(wanted, transaction).compactMap(\.cancel?.at)) == [.commit])
        #expect(draws(wanted, autocommit).isEmpty)
        wanted.cancel?.at = .query
        #expect(draws(wanted, autocommit).allSatisfy { ($0.cancel?.delay ?? .zero) <= .milliseconds(5) })
    }

    @Test("Who comes to a moment that few come to is chosen there, and a named moment is not waited out")
    func quota() {
        var wanted = ClientBehaviour()
        for moment in [CancelMoment.queue, .connect, .check] {
            wanted.cancel = ClientBehaviour.Cancel(share: 0.01, at: moment)
            let drawn = draws(wanted, autocommit, count: 100)
            #expect(drawn.count == 100 && drawn.allSatisfy { $0.cancel?.isByQuota == true })
        }
        wanted.cancel = ClientBehaviour.Cancel(share: 1, at: .commit)
        #expect(draws(wanted, transaction).allSatisfy { $0.cancel?.delay == .zero && $0.cancel?.isByQuota == false })
        // In a process of its own a use is met anywhere, also at its end.
        #expect(draws(wanted, transaction).contains { ($0.cancel?.delayElsewhere ?? .zero) > .milliseconds(9) })

        let quota = CancelQuota(share: 0.25)
        for _ in 0..<7 { quota.add() }
        #expect([quota.take(), quota.take()] == [true, false])
        quota.add()
        #expect(quota.take())
        for _ in 0..<1_000 { quota.add() }
        #expect((0..<100).count { _ in quota.take() } == 8)
    }

    @Test("An inspection is not ended in another way, and a leak is left alone")
    func exceptions() {
        var wanted = ClientBehaviour()
        wanted.throwShare = 1
        wanted.abandonTransaction = 1
        wanted.residue = [.init(.listen, 1)]
        var inspection = autocommit
        inspection.isInspection = true
        #expect(draws(wanted, inspection).allSatisfy { !$0.throwsInside && $0.abandons == nil })
        let leak = UseRequest(leaks: true, site: .here()) { _ in [] }
        #expect(draws(wanted, leak).isEmpty)
    }

    @Test("Nothing is left on a connection whose transaction is left open: it would go with it")
    func abandonedHasNoResidue() {
        var wanted = ClientBehaviour()
        wanted.abandonTransaction = 1
        wanted.residue = [.init(.settings, 1)]
        #expect(draws(wanted, transaction).allSatisfy { $0.abandons == .transaction && $0.residue.isEmpty })
    }
}
