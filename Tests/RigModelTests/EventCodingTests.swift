import RigModel
import Testing

private let fullEvent = Event(
    index: 18, time: 5_013_345_678, kind: .info, process: .worker(4), function: "append", value: 90016,
    completion: Completion(
        attempt: 2, connection: 3, backendPID: 8123, acquireNanoseconds: 41000, queryNanoseconds: 7,
        releaseNanoseconds: 9,
        lagNanoseconds: 0,
        error: FailureDescription(
            phase: .commit, failureClass: "connection-lost", code: nil, message: "gone \"now\"\n"),
        attempts: [
            Attempt(
                number: 1, outcome: .fail,
                error: FailureDescription(phase: .query, failureClass: "server-error", code: "40001", message: "x"),
                delayNanoseconds: 20_000_000, connection: 5, leasedAt: 12),
            Attempt(number: 2, outcome: .info, isIdempotent: true, insideOpenTransaction: true),
        ]))

@Test func eventIsWrittenWithTheKeysOfTheVocabularyInTheirOrder() {
    #expect(
        fullEvent.line == #"{"i":18,"t":5013345678,"type":"info","process":4,"f":"append","value":90016,"attempt":2,"#
            + #""conn":3,"pid":8123,"acquire_ns":41000,"query_ns":7,"release_ns":9,"lag_ns":0,"#
            + #""error":{"phase":"commit","class":"connection-lost","sqlstate":null,"message":"gone \"now\"\n"},"#
            + #""attempts":[{"n":1,"outcome":"fail","error":{"phase":"query","class":"server-error","#
            + #""sqlstate":"40001","message":"x"},"delay_ns":20000000,"idempotent":false,"#
            + #""inside_open_transaction":false,"conn":5,"leased_ns":12},{"n":2,"outcome":"info","error":null,"delay_ns":null,"#
            + #""idempotent":true,"inside_open_transaction":true}]}"#)
}

@Test func absentDetailsAreLeftOut() {
    let event = Event(
        index: 0, time: 1, kind: .ok, process: .worker(0), function: "leak", completion: Completion())
    #expect(event.line == #"{"i":0,"t":1,"type":"ok","process":0,"f":"leak","value":null,"attempt":1}"#)
    let fact = Event(index: 1, time: 1, kind: .info, process: .pool, function: "gauges", value: ["open": 3])
    #expect(fact.line == #"{"i":1,"t":1,"type":"info","process":"pool","f":"gauges","value":{"open":3}}"#)
}

@Test(arguments: [
    fullEvent,
    Event(index: 0, time: 0, kind: .invoke, process: .worker(1023), function: "read", value: ["account": 7]),
    Event(
        index: 1, time: 2, kind: .fail, process: .worker(1 << 53), function: "transfer", value: ["to": 2, "from": 1],
        completion: Completion(attempt: 0, lagNanoseconds: 5)),
    Event(
        index: 2, time: 3, kind: .info, process: .nemesis, function: "restart",
        value: [
            "phase": "landed", "fault": 0, "landed": true,
            "evidence": ["z": 1.5, "a": [true, nil, "ü\u{1}\u{1F600}"]],
        ]),
    Event(index: 3, time: 4, kind: .info, process: .pool, function: "closed", value: []),
    Event(
        index: 4, time: Event.timeLimit, kind: .end, process: .probe, function: "end",
        value: ["events": 4, "digest": "sha256:00"]),
])
func eventIsReadBackAsItWasWritten(_ event: Event) throws {
    #expect(try Event(line: event.line) == event)
    #expect(try Event(line: event.line + "\n") == event)
}

/// Every completion field present or absent, and values of every sort: what was written comes back, to the byte.
@Test func randomEventsAreReadBackAsTheyWereWritten() throws {
    var random = SeededGenerator(seed: 7)
    for index in 0..<2000 {
        let event = randomEvent(index, &random)
        let back = try Event(line: event.line)
        #expect(back == event)
        #expect(back.line == event.line)
    }
}

@Test(arguments: [
    (#"{"i":0,"t":1,"type":"ok","process":0,"value":1}"#, "\"f\" should be a text, but is missing"),
    (#"{"i":-1,"t":1,"type":"ok","process":0,"f":"x"}"#, "\"i\" should be a number from 0, but is -1"),
    (#"{"i":0,"t":-5,"type":"ok","process":0,"f":"x"}"#, "\"t\" should be nanoseconds from 0, but is -5"),
    (
        #"{"i":0,"t":1,"type":"done","process":0,"f":"x"}"#,
        #""type" should be invoke, ok, fail, info or end, but is "done""#
    ),
    (
        #"{"i":0,"t":1,"type":"ok","process":"moon","f":"x"}"#,
        #""process" should be a worker's number, nemesis, pool or probe, but is "moon""#
    ),
    (
        #"{"i":0,"t":1,"type":"ok","process":0,"f":"x","attempt":true}"#,
        #""attempt" should be a whole number, but is true"#
    ),
    (
        #"{"i":0,"t":1,"type":"ok","process":0,"f":"x","attempt":1,"error":{"phase":"sleep"}}"#,
        #""phase" should be a phase of an operation, but is "sleep""#
    ),
    (#"{"i":0,"t":1,"#, "not JSON at byte 13: expected a key in quotes, saw the end"),
    ("[]", #""i" should be a number from 0, but is not there, for the line is not an object"#),
])
func brokenLineIsRefusedWithItsReason(_ line: String, _ reason: String) {
    let error = #expect(throws: EventCodingError.self) { try Event(line: line) }
    #expect(error?.description.hasSuffix(reason) == true, "\(error?.description ?? "no error")")
}

private func randomEvent(_ index: Int, _ random: inout SeededGenerator) -> Event {
    func maybe<T>(_ value: T, _ random: inout SeededGenerator) -> T? { Bool.random(using: &random) ? value : nil }
    var completion: Completion?
    if Bool.random(using: &random) {
        completion = Completion(
            attempt: Int.random(in: 0...15, using: &random), connection: maybe(3, &random),
            backendPID: maybe(4, &random),
            acquireNanoseconds: maybe(Int64.random(in: 0...Event.timeLimit, using: &random), &random),
            queryNanoseconds: maybe(5, &random), releaseNanoseconds: maybe(6, &random),
            lagNanoseconds: maybe(7, &random),
            error: maybe(randomError(&random), &random),
            attempts: (0..<Int.random(in: 0...3, using: &random)).map { number in
                Attempt(
                    number: number, outcome: [.ok, .fail, .info][Int.random(in: 0...2, using: &random)],
                    error: maybe(randomError(&random), &random), delayNanoseconds: maybe(9, &random),
                    isIdempotent: Bool.random(using: &random), insideOpenTransaction: Bool.random(using: &random),
                    connection: maybe(10, &random), leasedAt: maybe(11, &random))
            })
    }
    let processes: [Event.Process] = [.worker(Int.random(in: 0...5, using: &random)), .nemesis, .pool, .probe]
    return Event(
        index: index, time: Int64.random(in: 0...Event.timeLimit, using: &random),
        kind: [.invoke, .ok, .fail, .info, .end][Int.random(in: 0...4, using: &random)],
        process: processes[Int.random(in: 0...3, using: &random)], function: randomText(&random),
        value: randomValue(&random, depth: 0), completion: completion)
}

private func randomError(_ random: inout SeededGenerator) -> FailureDescription {
    FailureDescription(
        phase: OperationPhase.allCases[Int.random(in: 0..<OperationPhase.allCases.count, using: &random)],
        failureClass: randomText(&random), code: Bool.random(using: &random) ? randomText(&random) : nil,
        message: randomText(&random))
}

func randomText(_ random: inout SeededGenerator) -> String {
    let pieces = [
        "a", "\"", "\\", "\n", "\u{0}", "\u{1F}", "\u{7F}", "é", "\u{1F468}\u{200D}\u{1F469}", "/", "\u{2028}", " ",
    ]
    return (0..<Int.random(in: 0...6, using: &random)).map { _ in
        pieces[Int.random(in: 0..<pieces.count, using: &random)]
    }.joined()
}

/// Without whole doubles: `3.0` is written `3` and so comes back as an integer.
func randomValue(_ random: inout SeededGenerator, depth: Int) -> JSONValue {
    switch Int.random(in: 0...(depth < 3 ? 6 : 4), using: &random) {
    case 0: .null
    case 1: .bool(Bool.random(using: &random))
    case 2: .int(Int64.random(in: .min ... .max, using: &random))
    case 3: .double(Double.random(in: -1...1, using: &random) + 0x1p-40)
    case 4: .string(randomText(&random))
    case 5:
        .array((0..<Int.random(in: 0...3, using: &random)).map { _ in randomValue(&random, depth: depth + 1) })
    default:
        .object(
            (0..<Int.random(in: 0...3, using: &random)).map { _ in
                JSONValue.Member(randomText(&random), randomValue(&random, depth: depth + 1))
            })
    }
}
