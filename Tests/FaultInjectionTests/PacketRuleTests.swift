import Glibc
import HostSystem
import RigModel
import Testing
import Threading

@testable import FaultInjection

/// What packet faults tell the programs of the system, and how they read the answers.
@Suite struct PacketRuleTests {
    private static func chain(_ rules: [PacketRule]) -> PacketChain {
        PacketChain(name: "chaosrig-run1-1", device: "lo", port: 5432, rules: rules)
    }

    @Test func everyRuleNamesThePortAndIsReachedThroughTheDeviceOnly() {
        let lines = Self.chain([
            PacketRule(direction: .toServer, which: .all, action: .drop),
            PacketRule(direction: .fromServer, which: .opening, action: .drop),
        ]).install.map { $0.joined(separator: " ") }
        #expect(
            lines == [
                "iptables -w 10 -N chaosrig-run1-1",
                "iptables -w 10 -A chaosrig-run1-1 -p tcp --dport 5432 -j DROP",
                "iptables -w 10 -A chaosrig-run1-1 -p tcp --sport 5432 --tcp-flags SYN,ACK SYN,ACK -j DROP",
                "iptables -w 10 -I INPUT -i lo -p tcp --dport 5432 -j chaosrig-run1-1",
                "iptables -w 10 -I OUTPUT -o lo -p tcp --sport 5432 -j chaosrig-run1-1",
            ])
    }

    @Test func manyConnectionsAreSpreadOverRulesOfFifteenPorts() {
        let ports = (1...31).map { UInt16($0) }
        let rules = Self.chain([PacketRule(direction: .toServer, which: .clientPorts(ports), action: .reset)]).install
            .filter { $0.contains("multiport") }
        #expect(rules.count == 3)
        let named = rules.flatMap { rule in
            rule[(rule.firstIndex(of: "--sports") ?? 0) + 1].split(separator: ",").compactMap { UInt16($0) }
        }
        #expect(named == ports)
        #expect(rules.allSatisfy { $0.suffix(4) == ["-j", "REJECT", "--reject-with", "tcp-reset"] })
    }

    @Test func theRemovalTakesBackWhatLeadsToTheChainAndThenTheChain() {
        let chain = Self.chain([PacketRule(direction: .toServer, which: .all, action: .drop)])
        #expect(
            chain.remove.map { $0.dropFirst(3).joined(separator: " ") } == [
                "-D INPUT -i lo -p tcp --dport 5432 -j chaosrig-run1-1", "-F chaosrig-run1-1", "-X chaosrig-run1-1",
            ])
    }

    @Test func packetsAreCountedOverAllRules() {
        let output = """
            Chain chaosrig-run1-1 (2 references)
                pkts      bytes target     prot opt in     out     source               destination
                  12     1234 DROP       tcp  --  *      *       0.0.0.0/0            0.0.0.0/0            tcp dpt:5432
                   3      180 DROP       tcp  --  *      *       0.0.0.0/0            0.0.0.0/0            tcp spt:5432
            """
        let ways = [PacketRule.Direction.toServer, .fromServer]
        let both = Self.chain(ways.map { PacketRule(direction: $0, which: .all, action: .drop) })
        #expect(both.packets(output) == 15)
        #expect(both.packets("Chain x (0 references)\n pkts bytes target\n") == 0)
        let one = Self.chain(
            ways.map { PacketRule(direction: $0, which: .all, action: .drop, isProof: $0 == .fromServer) })
        #expect(one.packets(output) == 3)
    }

    @Test func aTableThatOnlyRigsUseGoesWithTheLastOfThem() {
        let base = ":INPUT ACCEPT [0:0]\n:FORWARD ACCEPT [0:0]\n:OUTPUT ACCEPT [0:0]\n"
        let rigs = ":chaosrig-run1-1 - [0:0]\n-A INPUT -i lo -p tcp --dport 5432 -j chaosrig-run1-1\n"
        #expect(PacketChain.isTableOfRigs(""))
        #expect(PacketChain.isTableOfRigs("*nat\n:A ACCEPT [0:0]\nCOMMIT\n*filter\n\(base)\(rigs)COMMIT\n# done\n"))
        #expect(!PacketChain.isTableOfRigs("*filter\n\(base)COMMIT\n"))
        #expect(!PacketChain.isTableOfRigs("*filter\n\(base)\(rigs)-A INPUT -j DROP\nCOMMIT\n"))
        #expect(!PacketChain.isTableOfRigs("*filter\n\(base)\(rigs):docker - [0:0]\nCOMMIT\n"))
        #expect(
            !PacketChain.isTableOfRigs(
                "*filter\n\(base.replacing(":INPUT ACCEPT", with: ":INPUT DROP"))\(rigs)COMMIT\n"))
    }

    @Test func aChainIsFoundByItsWholeName() {
        let rules = "-P INPUT ACCEPT\n-N chaosrig-run1-12\n-A INPUT -i lo -j chaosrig-run1-12\n"
        #expect(PacketChain.names("chaosrig-run1-12", in: rules))
        #expect(!PacketChain.names("chaosrig-run1-1", in: rules))
        let words = rules.split(separator: "\n").map { $0.split(separator: " ").map(String.init) }
        #expect(Undoer.jumps(to: "chaosrig-run1-12", in: words) == [["INPUT", "-i", "lo", "-j", "chaosrig-run1-12"]])
        #expect(Undoer.jumps(to: "chaosrig-run1-1", in: words) == [])
    }

    @Test func flowsAreReadWithTheTimeSinceAnythingPassed() {
        let output = """
            0      0      10.77.0.2:5432   10.77.0.1:41000 cubic rto:204 lastsnd:1200 lastrcv:900 lastack:900 pmtu:1500
            0      0      10.77.0.2:5432   10.77.0.1:41002 cubic rto:204 lastsnd:4 lastrcv:8000
            """
        #expect(
            PacketFlow.read(output) == [
                PacketFlow(clientPort: 41000, idle: .milliseconds(900)),
                PacketFlow(clientPort: 41002, idle: .milliseconds(4)),
            ])
    }

    @Test func numbersOfQueuesAreReadByTheirWholeWord() {
        let shown = " Sent 10 bytes 1 pkt (dropped 3, overlimits 7 requeues 0)\n backlog 0b 0p requeues 0"
        #expect(LinkQueues.count("overlimits", in: shown) == 7)
        #expect(LinkQueues.count("dropped", in: shown) == 3)
        #expect(LinkQueues.count("limits", in: shown) == 0)
    }

    @Test func rulesOnLoopbackAreInTheJournalBeforeTheyAreMadeAndStayThereWhenTheyCannotBeRemoved() async throws {
        let fake = FakeStage(network: .loopback([.packetRules]))
        let fault = try #require(
            FaultCatalogue.make("blackhole", Parameters(["via": .choice("packets"), "direction": .choice("both")])))
        fake.state.withLock { $0.answers["iptables-save"] = (0, "*filter\n") }
        let injection = fault.makeInjection(seed: 1)
        // The first command fails, since this machine answers nothing else.
        await #expect(throws: InjectionError.self) { try await injection.inject(on: fake.stage) }
        let (undos, undone, programs) = fake.state.withLock { ($0.undos, $0.undone, $0.programs) }
        #expect(
            undos == [
                .removePacketRules(
                    chain: "chaosrig-run1-1", isTableNew: false, network: ProcessTable.network(of: getpid()))
            ])
        #expect(undone == 0)
        #expect(programs.first == ["iptables-save"])
        #expect(programs.contains(["iptables", "-w", "10", "-X", "chaosrig-run1-1"]))
    }

    @Test func loopbackIsTouchedOnlyByAFaultThatKnowsNoOtherWay() throws {
        let loopback = NetworkPlace.loopback([.packetRules, .netem, .packetQueue])
        func alternative(_ kind: String, _ parameters: [String: ParameterValue] = [:]) throws -> Set<Capability>? {
            try #require(FaultCatalogue.make(kind, Parameters(parameters))).alternative(at: loopback)
        }
        #expect(try alternative("blackhole") == [])
        #expect(try alternative("blackhole", ["via": .choice("packets")]) == [.packetRules])
        #expect(try alternative("blackhole", ["connections": .choice("new")]) == [.packetRules])
        #expect(try alternative("latency", ["latency": .duration(.seconds(1))]) == [])
        #expect(try alternative("link-down") == nil)
    }

    @Test func onAPrivateStageTheBestMeansThatWorksIsTaken() async throws {
        let network: NetworkNamespace
        do { network = try await NetworkNamespace.make() } catch {
            // Not as root: what a stage of one's own is made of is tried by the suites that run the rig.
            #expect(error.code == 1)
            return
        }
        func place(_ capabilities: Set<Capability>) -> NetworkPlace {
            NetworkPlace(
                serverNetwork: network, serverDevice: "s0", clientDevice: "c0", serverAddresses: ["10.77.0.2"],
                port: 5432, capabilities: capabilities, runID: "run1", folder: "/tmp/chaosrig-run1")
        }
        let latency = Latency(Parameters(["latency": .duration(.seconds(1))]))
        #expect(latency.means(at: place([.netem, .packetQueue])) == [.netem, .queue])
        #expect(latency.means(at: place([.packetQueue])) == [.queue])
        #expect(latency.means(at: place([])) == [.relay])
        #expect(latency.means(at: nil) == [.relay])
    }
}
