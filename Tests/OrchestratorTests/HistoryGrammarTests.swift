import RigModel
import Testing

@testable import Orchestrator

@Suite struct HistoryGrammarTests {
    private struct Line {
        var kind = Event.Kind.info
        var process = Event.Process.probe
        var function: String
        var value: JSONValue = .null
        var completion: Completion?
    }

    private static let own = Line(process: .pool, function: "configured", value: ["max_open": 2, "reset": "rollback"])
    private static let foreign = Line(process: .pool, function: "configured", value: ["max_open": 2])

    private static func pool(_ function: String, _ value: JSONValue = .null) -> Line {
        Line(process: .pool, function: function, value: value)
    }
    private static func probe(_ function: String, _ value: JSONValue = .null) -> Line {
        Line(function: function, value: value)
    }
    private static func nemesis(_ fact: NemesisFact) -> Line {
        Line(process: .nemesis, function: fact.function, value: fact.value)
    }
    private static func inject(_ fault: Int) -> Line { nemesis(.inject(fault: fault, kind: "restart", detail: "")) }
    private static func landed(_ fault: Int, _ kind: String = "restart") -> Line {
        nemesis(.landed(fault: fault, kind: kind, landed: true, evidence: .null))
    }
    private static func heal(_ fault: Int, ok: Bool = true) -> Line {
        nemesis(.heal(fault: fault, kind: "restart", ok: ok, forced: false, facts: .null))
    }
    private static func conn(_ number: Int) -> JSONValue { ["conn": JSONValue(number)] }

    private static func problem(_ lines: [Line], after first: Line = own) -> String? {
        var rules = HistoryRules()
        for (index, line) in ([first] + lines).enumerated() {
            let event = Event(
                index: index, time: 0, kind: line.kind, process: line.process, function: line.function,
                value: line.value, completion: line.completion)
            if let problem = rules.problem(with: event, end: { nil }) { return "\(index): \(problem)" }
        }
        return nil
    }

    @Test func anHonestHistoryHasNoProblem() {
        #expect(
            Self.problem([
                Self.probe("accounts"), Self.pool("connection-opened", Self.conn(1)), Self.probe("run"),
                Self.nemesis(.phase("warm-up")), Self.nemesis(.phase("steady")), Self.nemesis(.phase("faults")),
                Self.inject(1), Self.inject(0),
                Self.landed(0), Self.heal(0, ok: false), Self.landed(1), Self.heal(1), Self.heal(0),
                Self.pool("closed", ["pool": 1]), Self.pool("connection-closed", Self.conn(1)),
                Self.pool("connection-opened", Self.conn(1_000_001)), Self.pool("reopened"),
                Self.nemesis(.phase("settle")), Self.nemesis(.phase("drain")), Self.pool("metrics", ["at": "quiesced"]),
                Self.probe("books", ["at": "quiesced"]), Self.probe("final-appends", ["part": 0, "parts": 2]),
                Self.probe("final-appends", ["part": 1, "parts": 2]), Self.probe("final-balances"),
                Self.pool("closed"), Self.pool("metrics", ["at": "closed"]), Self.probe("books", ["at": "closed"]),
                Self.probe("outcome"), Self.nemesis(.phase("end")),
            ]) == nil)
    }

    @Test func whatIsToldOnceIsToldOnce() {
        for line in [
            Self.probe("run"), Self.probe("outcome"), Self.probe("accounts"), Self.probe("final-balances"),
            Self.pool("kept"), Self.pool("closed"), Self.pool("reopened"),
        ] {
            #expect(Self.problem([line, line]) == "2: `\(line.function)` is there a second time")
        }
        let books = Self.probe("books", ["at": "closed"])
        #expect(Self.problem([books, books]) == "2: `books at \"closed\"` is there a second time")
        #expect(Self.problem([Self.own]) == "1: `configured` is there a second time")
        // What a foreign pool says is its own affair.
        #expect(Self.problem([Self.pool("closed"), Self.pool("closed"), Self.foreign], after: Self.foreign) == nil)
        #expect(
            Self.problem([Self.probe("run"), Self.probe("run")], after: Self.foreign)
                == "2: `run` is there a second time")
    }

    @Test func partsOfTheFinalReadComeInOrder() {
        func part(_ part: Int, _ parts: Int) -> Line {
            Self.probe("final-appends", ["part": JSONValue(part), "parts": JSONValue(parts)])
        }
        #expect(
            Self.problem([part(0, 2), part(0, 2)])
                == "2: `final-appends` says part 0 of 2, and part 1 of 2 was expected")
        #expect(Self.problem([part(1, 2)]) == "1: `final-appends` says part 1 of 2, and part 0 was expected")
        #expect(Self.problem([part(0, 2), part(1, 3)]) != nil)
        #expect(Self.problem([part(0, 1), part(1, 1)]) != nil)
    }

    @Test func phasesComeInOrder() {
        func phases(_ names: String...) -> [Line] { names.map { Self.nemesis(.phase($0)) } }
        #expect(
            Self.problem(phases("warm-up", "steady", "steady")) == "3: phase steady begins after phase steady")
        #expect(Self.problem(phases("warm-up", "faults")) == "2: phase faults begins after phase warm-up")
        #expect(Self.problem(phases("steady")) == "1: phase steady begins after no other")
        #expect(Self.problem(phases("drain", "steady")) == "2: phase steady begins after phase drain")
        // Only an interrupt ends the load early.
        let early = phases("warm-up", "drain")
        #expect(Self.problem(early + [Self.probe("outcome", ["signal": 2])] + phases("end")) == nil)
        #expect(
            Self.problem(early + [Self.probe("outcome", ["signal": nil])])
                == "3: the run was not interrupted, but not all of its phases are there")
    }

    @Test func anInjectionBeginsBeforeItIsProvenAndHealed() {
        #expect(Self.problem([Self.landed(0)]) == "1: fault 0 is proven, but it was never injected")
        #expect(Self.problem([Self.heal(0)]) == "1: fault 0 is healed, but it was never injected")
        #expect(Self.problem([Self.inject(0), Self.inject(0)]) == "2: fault 0 is injected a second time")
        #expect(
            Self.problem([Self.inject(0), Self.heal(0)])
                == "2: fault 0 is healed, but whether it landed was never told")
        #expect(
            Self.problem([Self.inject(0), Self.landed(0), Self.landed(0)]) == "3: fault 0 is proven a second time")
        #expect(
            Self.problem([Self.inject(0), Self.landed(0), Self.heal(0), Self.heal(0)])
                == "4: fault 0 is healed once too often")
        #expect(
            Self.problem([Self.inject(0), Self.landed(0, "freeze")])
                == "2: fault 0 is proven as `freeze`, but it is a `restart`")
    }

    @Test func aConnectionOfOurOwnPoolIsOpenedBeforeItIsUsedAndClosed() {
        let opened = Self.pool("connection-opened", Self.conn(7))
        let closed = Self.pool("connection-closed", Self.conn(7))
        let begin = Line(kind: .invoke, process: .worker(1), function: "read", value: ["account": 1])
        let end = Line(
            kind: .ok, process: .worker(1), function: "read", value: ["account": 1],
            completion: Completion(connection: 7))
        #expect(Self.problem([opened, begin, closed, end]) == nil)
        #expect(Self.problem([opened, opened]) == "2: connection 7 is opened a second time")
        #expect(Self.problem([closed]) == "1: connection 7 is closed, but it was never opened")
        #expect(Self.problem([opened, closed, closed]) == "3: connection 7 is closed a second time")
        #expect(Self.problem([opened, closed, opened]) == "3: connection 7 is opened a second time")
        #expect(Self.problem([begin, end]) == "2: connection 7 was used, but it was never opened")
        #expect(
            Self.problem([Self.pool("connection-opened", ["conn": .int(.max)])])
                == "1: `connection-opened` does not say which connection")
        #expect(Self.problem([begin, end, closed, opened, opened], after: Self.foreign) == nil)
    }

    @Test func anAnswerBelongsToItsOperation() {
        func problem(_ function: String, _ began: JSONValue, _ ended: JSONValue, _ kind: Event.Kind = .ok) -> String? {
            Self.problem([
                Line(kind: .invoke, process: .worker(1), function: function, value: began),
                Line(kind: kind, process: .worker(1), function: function, value: ended, completion: Completion()),
            ])
        }
        let transfer: JSONValue = ["from": 1, "to": 2, "amount": 5]
        #expect(problem("append", 16, 16) == nil)
        #expect(problem("append", 16, 32) == "2: `append` began with 16, and ended with 32")
        #expect(problem("transfer", transfer, transfer) == nil)
        #expect(problem("transfer", transfer, ["from": 1, "to": 2, "amount": 6]) != nil)
        #expect(problem("read", ["account": 3], ["account": 3, "balance": 7]) == nil)
        #expect(
            problem("read", ["account": 3], ["account": 4, "balance": 7])
                == "2: `read` began with account 3, and ended with account 4")
        #expect(problem("register", ["key": 1], ["key": 1, "value": 9]) == nil)
        #expect(problem("register", ["key": 1, "write": 2], ["key": 1, "value": 2]) == nil)
        #expect(problem("register", ["key": 1, "write": 2], ["key": 1, "value": 3]) != nil)
        #expect(problem("append", 16, 32, .fail) == nil)
    }
}
