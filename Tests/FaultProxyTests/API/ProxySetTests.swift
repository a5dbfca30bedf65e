import Dispatch
import RigModel
import Testing
import Threading

@testable import FaultProxy

@Suite(.timeLimit(.minutes(3))) struct ProxySetTests {
    private let network = FakeNetwork()
    private var latency: ToxicType { get throws { try #require(ToxicCatalogue.type(named: "latency")) } }

    private func add(
        _ set: ProxySet, _ name: String?, _ stream: ProxyStream, to proxy: String = "pg", toxicity: Float = 1
    ) throws {
        let type = try latency
        try set.addToxic(
            ToxicDefinition(
                type: type, name: name, stream: stream, toxicity: toxicity, attributes: type.standardAttributes),
            to: proxy)
    }

    @Test func createdProxyShowsTheBoundAddress() throws {
        let set = network.makeSet()
        let view = try set.create(ProxyDefinition(name: "pg", listen: "localhost:0", upstream: "db:5432"))
        #expect(view.listen == "127.0.0.1:20001" && view.isEnabled && view.toxics.isEmpty)
        #expect(try set.create(ProxyDefinition(name: "any", upstream: "db:5432")).listen == "[::]:20002")
    }

    @Test func missingHostIsEveryAddressOfWhateverFamily() throws {
        let set = network.makeSet()
        for (name, shown) in [("six", "[::]:7000"), ("four", "0.0.0.0:7001")] {
            try set.create(ProxyDefinition(name: name, listen: shown, upstream: "db:5432"))
            let port = shown.suffix(5)
            try set.update(name, ProxyChange(listen: String(port)))
            #expect(network.relay(name)?.stops == 0)
            // One family only is something else.
            try set.update(name, ProxyChange(listen: "127.0.0.1" + port))
            #expect(network.relay(name)?.definition.listen == "127.0.0.1" + port)
        }
        #expect(try set.update("six", ProxyChange(listen: "")).listen == "[::]:20001")
    }

    @Test func disabledProxyIsListedWithoutARelay() throws {
        let set = network.makeSet()
        let view = try set.create(
            ProxyDefinition(name: "pg", listen: "localhost:0", upstream: "db:5432", isEnabled: false))
        #expect(view.listen == "localhost:0" && !view.isEnabled)
        #expect(network.relays.isEmpty)
        #expect(try set.update("pg", ProxyChange(isEnabled: true)).listen == "127.0.0.1:20001")
    }

    @Test func duplicateIsRefusedBeforeItIsBound() throws {
        let set = network.makeSet()
        try set.create(ProxyDefinition(name: "pg", listen: "a:1", upstream: "db:5432"))
        #expect(throws: ProxySetError.proxyExists) {
            try set.create(ProxyDefinition(name: "pg", listen: "a:1", upstream: "db:5432"))
        }
        #expect(network.relays.count == 1)
    }

    @Test func failedCreateLeavesNothingBehind() throws {
        let set = network.makeSet()
        network.occupy("a:1")
        #expect(throws: ProxySetError.failed(.listenFailed(address: "a:1", reason: "Address already in use"))) {
            try set.create(ProxyDefinition(name: "pg", listen: "a:1", upstream: "db:5432"))
        }
        #expect(set.proxies.isEmpty)
        network.free("a:1")
        try set.create(ProxyDefinition(name: "pg", listen: "a:1", upstream: "db:5432"))
    }

    @Test func sameAddressesInOtherWordsKeepTheConnections() throws {
        let set = network.makeSet()
        try set.create(ProxyDefinition(name: "pg", listen: "localhost:5000", upstream: "db:5432"))
        try set.update("pg", ProxyChange(listen: "localhost:5000", upstream: "db:5432", isEnabled: true))
        try set.update("pg", ProxyChange(listen: "127.0.0.1:5000"))
        #expect(network.relay("pg")?.stops == 0)
    }

    @Test func otherUpstreamStopsAndStartsAgainWithTheToxics() throws {
        let set = network.makeSet()
        try set.create(ProxyDefinition(name: "pg", listen: "localhost:0", upstream: "db:5432"))
        try add(set, nil, .downstream)
        let first = try #require(network.relay("pg"))
        let view = try set.update("pg", ProxyChange(upstream: "other:5432"))
        #expect(!first.isRunning && view.isEnabled && view.listen == "127.0.0.1:20001")
        let second = try #require(network.relay("pg"))
        #expect(second !== first && second.isRunning && second.definition.upstream == "other:5432")
        #expect(second.toxics.map(\.name) == ["latency_downstream"] && second.toxics[0].id == first.toxics[0].id)
    }

    @Test func portZeroAlwaysPicksANewPort() throws {
        let set = network.makeSet()
        try set.create(ProxyDefinition(name: "pg", listen: "localhost:0", upstream: "db:5432"))
        #expect(try set.update("pg", ProxyChange(listen: "localhost:0")).listen == "127.0.0.1:20002")
    }

    @Test func disabledAndEnabledAgainKeepsItsPort() throws {
        let set = network.makeSet()
        try set.create(ProxyDefinition(name: "pg", listen: "localhost:0", upstream: "db:5432"))
        #expect(try set.update("pg", ProxyChange(isEnabled: false)).listen == "127.0.0.1:20001")
        #expect(network.relay("pg")?.isRunning == false)
        let view = try set.update("pg", ProxyChange(isEnabled: true))
        #expect(view.listen == "127.0.0.1:20001" && view.isEnabled)
    }

    @Test func failedRestartLeavesTheProxyDisabled() throws {
        let set = network.makeSet()
        try set.create(ProxyDefinition(name: "pg", listen: "a:1", upstream: "db:5432"))
        network.occupy("a:2")
        #expect(throws: ProxySetError.self) { try set.update("pg", ProxyChange(listen: "a:2")) }
        let view = try set.proxy("pg")
        #expect(!view.isEnabled && view.listen == "a:2")
    }

    @Test func addressThatIsNoneChangesNothing() throws {
        let set = network.makeSet()
        try set.create(ProxyDefinition(name: "pg", listen: "a:1", upstream: "db:5432"))
        #expect(throws: ProxySetError.self) { try set.update("pg", ProxyChange(listen: "nowhere")) }
        #expect(try set.proxy("pg").listen == "a:1" && set.proxy("pg").isEnabled)
    }

    @Test func upstreamThatIsNoAddressStopsNothing() throws {
        let set = network.makeSet()
        try set.create(ProxyDefinition(name: "pg", listen: "a:1", upstream: "db:5432"))
        let reason = ProxySetError.badRequest(
            "upstream: db is no address to use: missing port in address; write HOST:PORT, or the path of a Unix socket")
        #expect(throws: reason) { try set.update("pg", ProxyChange(upstream: "db")) }
        #expect(throws: reason) {
            try set.create(ProxyDefinition(name: "x", listen: "a:2", upstream: "db", isEnabled: false))
        }
        let (proxies, error) = set.populate([
            ProxyDefinition(name: "y", listen: "a:3", upstream: "db:1"),
            ProxyDefinition(name: "pg", listen: "a:1", upstream: "db"),
        ])
        #expect(proxies.isEmpty && error?.description.contains("upstream at proxy 2: db is no address") == true)
        #expect(set.proxies.map(\.name) == ["pg"])
        #expect(try set.proxy("pg").isEnabled && set.proxy("pg").upstream == "db:5432")
        #expect(network.relays.count == 1 && network.relay("pg")?.stops == 0)
        try set.reset()
    }

    @Test func pathThatEndsLikePortZeroIsAPath() throws {
        let set = network.makeSet()
        try set.create(ProxyDefinition(name: "pg", listen: "/tmp/x:0", upstream: "db:5432", isEnabled: false))
        try set.update("pg", ProxyChange(listen: "unix:/tmp/x:0"))
        #expect(try set.proxy("pg").listen == "/tmp/x:0")
    }

    @Test func deletedProxyIsStoppedAndForgotten() throws {
        let set = network.makeSet()
        try set.create(ProxyDefinition(name: "pg", listen: "a:1", upstream: "db:5432"))
        try set.delete("pg")
        #expect(network.relay("pg")?.isRunning == false && set.proxies.isEmpty)
        #expect(throws: ProxySetError.proxyNotFound) { try set.delete("pg") }
        try set.create(ProxyDefinition(name: "pg", listen: "a:1", upstream: "db:5432"))
    }

    @Test func countersGoOnOverARestart() throws {
        let set = network.makeSet()
        try set.create(ProxyDefinition(name: "pg", listen: "localhost:0", upstream: "db:5432"))
        var statistics = RelayStatistics()
        statistics.accepted = 3
        statistics.upstreamSent = 100
        network.relay("pg")?.set(statistics)
        try set.update("pg", ProxyChange(upstream: "other:1"))
        network.relay("pg")?.set(statistics)
        #expect(try set.statistics(of: "pg").accepted == 6 && set.statistics(of: "pg").upstreamSent == 200)
    }

    // MARK: populate and reset

    @Test func populateTouchesNothingWhenOneIsIncomplete() throws {
        let set = network.makeSet()
        let (proxies, error) = set.populate([
            ProxyDefinition(name: "a", listen: "a:1", upstream: "db:1"), ProxyDefinition(name: "b", upstream: ""),
        ])
        #expect(proxies.isEmpty && error == .missingField("upstream at proxy 2") && set.proxies.isEmpty)
    }

    @Test func populateKeepsReplacesAndAdds() throws {
        let set = network.makeSet()
        for name in ["same", "other", "untouched"] {
            try set.create(ProxyDefinition(name: name, listen: "\(name):1", upstream: "db:1"))
            try add(set, nil, .upstream, to: name)
        }
        try set.update("same", ProxyChange(isEnabled: false))
        let (proxies, error) = set.populate([
            ProxyDefinition(name: "same", listen: "same:1", upstream: "db:1"),
            ProxyDefinition(name: "other", listen: "other:1", upstream: "db:2"),
            ProxyDefinition(name: "new", listen: "new:1", upstream: "db:1"),
        ])
        #expect(error == nil && proxies.map(\.name) == ["same", "other", "new"])
        // Kept as it is: `enabled` is not applied, its toxics stay.
        #expect(!proxies[0].isEnabled && proxies[0].toxics.count == 1)
        #expect(proxies[1].isEnabled && proxies[1].toxics.isEmpty && proxies[1].upstream == "db:2")
        #expect(set.proxies.map(\.name) == ["new", "other", "same", "untouched"])
        #expect(try set.proxy("untouched").toxics.count == 1)
    }

    @Test func populateStopsAtTheFirstThatFailsAndKeepsTheOldOneStopped() throws {
        let set = network.makeSet()
        try set.create(ProxyDefinition(name: "b", listen: "b:1", upstream: "db:1"))
        network.occupy("b:2")
        let (proxies, error) = set.populate([
            ProxyDefinition(name: "a", listen: "a:1", upstream: "db:1"),
            ProxyDefinition(name: "b", listen: "b:2", upstream: "db:1"),
            ProxyDefinition(name: "c", listen: "c:1", upstream: "db:1"),
        ])
        #expect(proxies.map(\.name) == ["a"] && error?.description.contains("b:2") == true)
        #expect(set.proxies.map(\.name) == ["a", "b"])
        #expect(try set.proxy("b").listen == "b:1" && !set.proxy("b").isEnabled)
    }

    @Test func resetStartsEverythingAndRemovesToxicsAndCuts() throws {
        let set = network.makeSet()
        try set.create(ProxyDefinition(name: "a", listen: "a:1", upstream: "db:1", isEnabled: false))
        try set.create(ProxyDefinition(name: "b", listen: "b:1", upstream: "db:1"))
        try add(set, nil, .upstream, to: "b")
        try set.reset()
        #expect(set.proxies.allSatisfy { $0.isEnabled && $0.toxics.isEmpty && $0.cuts.isEmpty })
        #expect(network.relay("b")?.toxics.isEmpty == true && network.relay("b")?.stops == 0)
    }

    @Test func resetStopsAtTheFirstThatCannotStart() throws {
        let set = network.makeSet()
        try set.create(ProxyDefinition(name: "a", listen: "a:1", upstream: "db:1", isEnabled: false))
        try set.create(ProxyDefinition(name: "b", listen: "b:1", upstream: "db:1"))
        try add(set, nil, .upstream, to: "b")
        network.occupy("a:1")
        #expect(throws: ProxySetError.self) { try set.reset() }
        #expect(try set.proxy("b").toxics.count == 1)
    }

    // MARK: toxics

    @Test func toxicsAreOrderedByStreamThenByAddition() throws {
        let set = network.makeSet()
        try set.create(ProxyDefinition(name: "pg", listen: "a:1", upstream: "db:1"))
        try add(set, "d1", .downstream)
        try add(set, "u1", .upstream)
        try add(set, nil, .downstream)
        try add(set, "u2", .upstream)
        #expect(try set.proxy("pg").toxics.map(\.name) == ["u1", "u2", "d1", "latency_downstream"])
        #expect(network.relay("pg")?.toxics.map(\.name) == ["u1", "u2", "d1", "latency_downstream"])
        try set.removeToxic("u1", of: "pg")
        #expect(network.relay("pg")?.toxics.map(\.name) == ["u2", "d1", "latency_downstream"])
    }

    @Test func toxicNamesAreUniqueOverBothStreams() throws {
        let set = network.makeSet()
        try set.create(ProxyDefinition(name: "pg", listen: "a:1", upstream: "db:1"))
        try add(set, "slow", .downstream)
        #expect(throws: ProxySetError.toxicExists) { try add(set, "slow", .upstream) }
        #expect(throws: ProxySetError.toxicNotFound) { try set.removeToxic("fast", of: "pg") }
        #expect(throws: ProxySetError.proxyNotFound) { try set.removeToxic("slow", of: "nowhere") }
    }

    @Test func updatedToxicKeepsItsIdentityRecordAndPlace() throws {
        let set = network.makeSet()
        try set.create(ProxyDefinition(name: "pg", listen: "a:1", upstream: "db:1"))
        try add(set, "a", .downstream, toxicity: 0.5)
        try add(set, "b", .downstream)
        let before = try #require(network.relay("pg")?.toxics)
        try set.updateToxic("a", of: "pg") { (old) throws(ProxySetError) in
            var attributes = old.active.toxic.attributes
            attributes.values[0].value = 70
            return (attributes, 0.25)
        }
        let after = try #require(network.relay("pg")?.toxics)
        #expect(after.map(\.id) == before.map(\.id) && after.map(\.name) == ["a", "b"])
        #expect(after[0].record === before[0].record && after[0].toxicity == 0.25)
        #expect(after[0].toxic.attributes.integer("latency") == 70)
    }

    @Test func removedIdIsNotUsedAgain() throws {
        let set = network.makeSet()
        try set.create(ProxyDefinition(name: "pg", listen: "a:1", upstream: "db:1"))
        try add(set, "a", .downstream)
        let first = network.relay("pg")?.toxics[0].id
        try set.removeToxic("a", of: "pg")
        try add(set, "a", .downstream)
        #expect(network.relay("pg")?.toxics[0].id != first)
    }

    // MARK: concurrency

    @Test func slowProxyBlocksNobodyElse() throws {
        let set = network.makeSet()
        for name in ["slow", "quick"] {
            try set.create(ProxyDefinition(name: name, listen: "\(name):1", upstream: "db:1"))
        }
        let (entered, leave) = (DispatchSemaphore(value: 0), DispatchSemaphore(value: 0))
        network.relay("slow")?.holdStops(entered: entered, leave: leave)
        let deleting = ServiceThread(name: "delete") { try? set.delete("slow") }
        #expect(entered.wait(timeout: .now() + 60) == .success)
        // All of this returns while the other one is stuck in its stop; looking at that one does too.
        try set.update("quick", ProxyChange(isEnabled: false))
        try set.update("quick", ProxyChange(isEnabled: true))
        try add(set, nil, .upstream, to: "quick")
        #expect(set.proxies.count == 2)
        #expect(try !set.proxy("slow").isEnabled)
        leave.signal()
        deleting.join()
        #expect(set.proxies.map(\.name) == ["quick"])
    }

    @Test func changesThatWaitedForADeleteFindNothing() throws {
        let set = network.makeSet()
        try set.create(ProxyDefinition(name: "pg", listen: "a:1", upstream: "db:1"))
        let (entered, leave) = (DispatchSemaphore(value: 0), DispatchSemaphore(value: 0))
        network.relay("pg")?.holdStops(entered: entered, leave: leave)
        let deleting = ServiceThread(name: "delete") { try? set.delete("pg") }
        #expect(entered.wait(timeout: .now() + 60) == .success)
        let error = Lock<ProxySetError?>(nil)
        let outcome = Box(error)
        let changing = ServiceThread(name: "change") {
            do throws(ProxySetError) { try set.update("pg", ProxyChange(isEnabled: true)) } catch {
                outcome.value.withLock { $0 = error }
            }
        }
        leave.signal()
        deleting.join()
        changing.join()
        #expect(outcome.value.withLock { $0 } == .proxyNotFound)
        #expect(network.relays.allSatisfy { !$0.isRunning })
    }

    @Test func parallelPopulatesAndChangesOfOneNameNeverFail() throws {
        let set = network.makeSet()
        let errors = Box(Lock(nil))
        @Sendable func note(_ error: ProxySetError) { errors.value.withLock { $0 = error } }
        for round in 0..<100 {
            let threads = (0..<6).map { number in
                ServiceThread(name: "populate") {
                    let upstream = "db:\(number < 3 ? 1 : round + number)"
                    let result = set.populate([ProxyDefinition(name: "pg", listen: "a:1", upstream: upstream)])
                    if let error = result.error { note(error) }
                    // It exists from now on, whichever of them it is.
                    do throws(ProxySetError) { try set.update("pg", ProxyChange()) } catch { note(error) }
                }
            }
            for thread in threads { thread.join() }
            #expect(network.relays.filter(\.isRunning).count == 1)
            try set.delete("pg")
        }
        #expect(errors.value.withLock { $0 } == nil)
    }

    private final class Box: Sendable {
        let value: Lock<ProxySetError?>
        init(_ value: consuming Lock<ProxySetError?>) { self.value = value }
    }

    @Test func manyThreadsThatChangeEverythingLeaveAConsistentSet() throws {
        let set = network.makeSet()
        let type = try latency
        let threads = (0..<8).map { number in
            ServiceThread(name: "changer") {
                for round in 0..<200 {
                    let name = "p\((number + round) % 3)"
                    switch (number + round) % 7 {
                    case 0: _ = try? set.delete(name)
                    case 1:
                        _ = set.populate([ProxyDefinition(name: name, listen: "\(name):1", upstream: "db:\(round)")])
                    case 2: _ = try? set.update(name, ProxyChange(isEnabled: round % 2 == 0))
                    case 3: _ = try? set.reset()
                    case 4:
                        let toxic = ToxicDefinition(type: type, attributes: type.standardAttributes)
                        _ = try? set.addToxic(toxic, to: name)
                    case 5: _ = try? set.removeToxic("latency_downstream", of: name)
                    default: _ = try? set.create(ProxyDefinition(name: name, listen: "\(name):1", upstream: "db:1"))
                    }
                }
            }
        }
        for thread in threads { thread.join() }
        // Exactly the relays of the enabled proxies run.
        let enabled = set.proxies.filter(\.isEnabled).count
        #expect(network.relays.filter(\.isRunning).count == enabled)
        set.stopAll()
        #expect(network.relays.allSatisfy { !$0.isRunning })
    }
}
