import RigModel
import Testing

@testable import Orchestrator

@Suite struct HistoryExportTests {
    private static func event(
        _ index: Int, _ kind: Event.Kind, _ process: Event.Process, _ function: String, _ value: JSONValue = .null,
        _ completion: Completion? = nil
    ) -> Event {
        Event(
            index: index, time: Int64(index) * 10, kind: kind, process: process, function: function, value: value,
            completion: completion)
    }

    private static let appends: [Event] = [
        event(0, .info, .nemesis, "phase", ["phase": "begin", "name": "steady"]),
        event(1, .invoke, .worker(3), "append", 32), event(2, .invoke, .worker(4), "append-transaction", 48),
        event(3, .ok, .worker(3), "append", 32, Completion()),
        event(4, .info, .worker(4), "append-transaction", 48, Completion()),
        event(5, .info, .probe, "final-appends", ["ids": [33], "part": 0, "parts": 2]),
        event(6, .info, .probe, "final-appends", ["ids": [50], "part": 1, "parts": 2]), event(7, .end, .probe, "end"),
    ]

    private static func text(_ export: HistoryExport, _ events: [Event]) -> String {
        var export = export
        let lines = events.flatMap { export.lines(for: $0) }
        return export.head + lines.joined(separator: export.isByLine ? "\n" : "") + export.tail
    }

    @Test func appendsAreASetInEDN() {
        #expect(
            Self.text(HistoryExport(.edn, .set), Self.appends) == """
                {:index 0, :time 10, :type :invoke, :process 3, :f :add, :value 32}
                {:index 1, :time 20, :type :invoke, :process 4, :f :add, :value 48}
                {:index 2, :time 30, :type :ok, :process 3, :f :add, :value 32}
                {:index 3, :time 40, :type :info, :process 4, :f :add, :value 48}
                {:index 4, :time 60, :type :invoke, :process 5, :f :read, :value nil}
                {:index 5, :time 60, :type :ok, :process 5, :f :read, :value [32 48]}
                """)
    }

    @Test func appendsAreTransactionsOnAListInJSON() throws {
        let array = try #require(
            JSONValue(parsing: Self.text(HistoryExport(.json, .listAppend), Self.appends)).arrayValue)
        #expect(array.count == 6)
        #expect(array.enumerated().allSatisfy { $0.element["index"] == JSONValue($0.offset) })
        // A list for each element: no order of appends is claimed, which the rows do not have.
        #expect(array[0]["value"] == [["append", 32, 32]])
        #expect(array[1]["value"] == [["append", 48, 48]])
        #expect(array[4]["value"] == [["r", 32, .null], ["r", 48, .null]])
        #expect(array[5]["value"] == [["r", 32, [32]], ["r", 48, [48]]])
        #expect(array[5]["type"] == "ok" && array[5]["f"] == "txn")
        #expect(try JSONValue(parsing: Self.text(HistoryExport(.json, .bank), Self.appends)) == [])
    }

    @Test func listsShowWhatIsLostDoubledAndNeverAppended() throws {
        var events = Self.appends
        events[5].value = ["ids": [50, 51, 64], "part": 0, "parts": 1]
        events.remove(at: 6)
        let array = try #require(
            JSONValue(parsing: Self.text(HistoryExport(.json, .listAppend), events)).arrayValue)
        #expect(array.last?["value"] == [["r", 32, []], ["r", 48, [48, 48]], ["r", 64, [64]]])
    }

    @Test func exportSaysHowMuchItHas() {
        var export = HistoryExport(.edn, .bank)
        for event in Self.appends { _ = export.lines(for: event) }
        _ = export.lines(for: Self.event(8, .info, .probe, "accounts", ["accounts": 4, "total": 400]))
        // The rig's own read of the accounts is not enough.
        #expect(export.clientEvents == 0 && export.emptiness?.contains("transfer or pausing-transfer") == true)
    }

    @Test(arguments: [HistoryExport.Model.set, .listAppend, .bank])
    func historyWithoutItsFinalReadCannotFailAndIsNone(_ model: HistoryExport.Model) {
        let transfer: JSONValue = ["from": 1, "to": 2, "amount": 5]
        let begun =
            model == .bank
            ? [
                Self.event(0, .info, .probe, "accounts", ["accounts": 4, "total": 400]),
                Self.event(1, .invoke, .worker(0), "transfer", transfer),
            ] : Array(Self.appends.prefix(6))
        let rest =
            model == .bank
            ? [Self.event(2, .info, .probe, "final-balances", ["accounts": 4, "total": 400, "negative": 0])]
            : [Self.appends[6]]
        var export = HistoryExport(.edn, model)
        for event in begun { _ = export.lines(for: event) }
        #expect(export.emptiness?.contains("the read of the whole state at the end is missing") == true)
        for event in rest { _ = export.lines(for: event) }
        #expect(export.emptiness == nil)
    }

    @Test func transfersKeepTheTotalOfOneAccount() {
        let transfer: JSONValue = ["from": 1, "to": 2, "amount": 5]
        let events = [
            Self.event(0, .info, .probe, "accounts", ["accounts": 4, "total": 400]),
            Self.event(1, .invoke, .worker(0), "transfer", transfer),
            Self.event(2, .fail, .worker(0), "transfer", transfer, Completion()),
            Self.event(3, .info, .probe, "final-balances", ["accounts": 4, "total": 400, "negative": 0]),
        ]
        let lines = Self.text(HistoryExport(.edn, .bank), events).split(separator: "\n")
        #expect(lines.count == 6)
        #expect(lines[1].hasSuffix(":f :read, :value {0 400}}"))
        #expect(lines[3].contains(":type :fail, :process 0, :f :transfer, :value {:from 1, :to 2, :amount 5}"))
    }

    private static func use(_ index: Int, _ worker: Int, _ connection: Int, _ from: Int64, _ to: Int64?) -> Event {
        event(
            index, .ok, .worker(worker), "read", .null,
            Completion(connection: connection, releaseNanoseconds: 5, leasedAt: from, returnedAt: to))
    }

    @Test func connectionThatWasNeverGivenBackStaysHeld() {
        let events = [Self.use(0, 1, 7, 10, nil), Self.use(1, 2, 7, 50, 95), Self.event(2, .end, .probe, "end")]
        let lines = Self.text(HistoryExport(.edn, .mutex, connection: 7), events).split(separator: "\n")
        let holds = lines.filter { $0.contains(":type :ok") }.map { $0.contains(":acquire") ? "acquire" : "release" }
        #expect(holds == ["acquire", "acquire", "release"])
    }

    @Test func holdersOfOneConnectionAreInTheOrderOfTheirTime() {
        let events = [
            Self.use(0, 1, 7, 100, 205), Self.use(1, 2, 8, 0, 500), Self.use(2, 3, 7, 10, 95),
            Self.event(3, .end, .probe, "end"),
        ]
        let lines = Self.text(HistoryExport(.edn, .mutex, connection: 7), events).split(separator: "\n")
        #expect(
            lines.map { $0.split(separator: ", ").dropFirst().joined(separator: " ") } == [
                ":time 10 :type :invoke :process 3 :f :acquire :value nil}",
                ":time 10 :type :ok :process 3 :f :acquire :value nil}",
                ":time 90 :type :invoke :process 3 :f :release :value nil}",
                ":time 90 :type :ok :process 3 :f :release :value nil}",
                ":time 100 :type :invoke :process 1 :f :acquire :value nil}",
                ":time 100 :type :ok :process 1 :f :acquire :value nil}",
                ":time 200 :type :invoke :process 1 :f :release :value nil}",
                ":time 200 :type :ok :process 1 :f :release :value nil}",
            ])
    }
}
