import RigModel

/// What random histories say beside their operations: notes of clients, leases, counters, samples. Anything may be missing, and
/// where `wrong` is allowed anything may be wrong.
struct RandomNotes {
    /// 0: a clean run; 1: something may be missing; 2: anything may be wrong, too.
    let disorder: Int
    /// Parts that this run lacks.
    private let lacks: Set<String>
    private static let parts = [
        "cancel", "echo", "found", "residue", "leased", "metrics", "samples", "register", "acquires", "gauges",
    ]

    init(disorder: Int, _ random: inout SeededGenerator) {
        self.disorder = disorder
        var lacks: Set<String> = []
        if disorder > 0 { for part in Self.parts where random.nextUnit() < 0.2 { lacks.insert(part) } }
        self.lacks = lacks
    }

    func has(_ part: String) -> Bool { !lacks.contains(part) }

    /// The first member of a list is what is right.
    private func pick<T>(_ random: inout SeededGenerator, _ right: T, _ wrong: T) -> T {
        disorder == 2 && random.nextUnit() < 0.05 ? wrong : right
    }

    /// Adds what the client of an operation says. Each connection is held for its own turn of a round.
    func add(to completion: inout Completion, step: Int, begin: Double, end: Double, _ random: inout SeededGenerator) {
        var members: [JSONValue.Member] = []
        if has("cancel"), random.nextUnit() < 0.1 {
            let moments = ["queue", "connect", "query", "commit"]
            var cancel: [JSONValue.Member] = [
                .init("at", .string(moments[Int.random(in: 0..<4, using: &random)])),
                .init("took_ns", pick(&random, 20_000_000, 9_000_000_000)),
            ]
            if pick(&random, false, true) { cancel.append(.init("returned", true)) }
            members.append(.init("cancel", .object(cancel)))
        }
        if has("echo") { members.append(.init("echo", pick(&random, true, ["sent": 1, "got": JSONValue(step)]))) }
        if has("residue"), step % 7 == 0 { members.append(.init("residue", ["role", "settings"])) }
        if has("found"), step % 5 == 0 {
            members.append(.init("found", pick(&random, [], [["what": "role", "detail": "postgres"]])))
        }
        if !members.isEmpty { completion.notes = .object(members) }
        guard has("leased") else { return }
        // Steps are 50 ms apart, and each lasts at most 45.
        completion.connection = pick(&random, step, step - step % 2)
        completion.leasedAt = Int64(pick(&random, begin + 0.5, begin - 40) * 1e6)
        completion.returnedAt = Int64((end - 0.1) * 1e6)
    }

    /// Many short operations, so that a tail and a median exist; counters of own, samples, counters of the pool.
    func add(to history: inout HistoryBuilder, _ random: inout SeededGenerator) {
        let isSlow = disorder == 2 && random.nextUnit() < 0.5
        if has("acquires") {
            for number in 0..<1500 {
                let begin = 1000 + Double(number) * 2
                let took = isSlow && number % 100 < 3 ? 900.0 : 1.5
                history.operation(
                    "read", by: 5000 + number, from: begin, to: begin + took + 1,
                    completion: Completion(
                        acquireNanoseconds: Int64(took * 1e6),
                        leasedAt: has("leased") ? Int64((begin + took) * 1e6) : nil))
            }
        }
        if has("register") { addRegisters(to: &history, &random) }
        if disorder == 2, random.nextUnit() < 0.5 { addRetries(to: &history) }
        let isLying = disorder == 2 && random.nextUnit() < 0.5
        if has("samples") {
            for step in 0..<80 {
                history.probe("sample", ["client_sockets": JSONValue(isLying ? 30 : 10)], at: Double(step) * 250)
            }
        }
        if has("metrics") {
            history.pool(
                "metrics",
                [
                    "at": "quiesced",
                    "counters": [
                        "connectFailures": JSONValue(isLying ? 3 : 0), "leaksSuspected": 0,
                        "healthChecksOK": JSONValue(isLying ? 5000 : 50), "healthChecksFailed": 0,
                    ],
                ],
                at: 20_400)
        }
    }

    /// A storm of them in one second, and one that goes on past every deadline.
    private func addRetries(to history: inout HistoryBuilder) {
        let attempts = (1...5).map { Attempt(number: $0, outcome: .fail, isIdempotent: true) }
        for number in 0..<400 {
            let begin = 7000 + Double(number) * 2
            history.operation(
                "read", by: 9000 + number, from: begin, to: begin + (number == 0 ? 5000 : 1), .fail,
                completion: Completion(attempt: 5, attempts: attempts))
        }
    }

    private func addRegisters(to history: inout HistoryBuilder, _ random: inout SeededGenerator) {
        for key in 0..<4 {
            var worker = 8000 + key
            for step in 1..<12 {
                let at = Double(step) * 100 + Double(key)
                history.operation(
                    "register", by: worker, from: at, to: at + 1,
                    value: ["key": JSONValue(key), "write": JSONValue(step)])
                if random.nextUnit() < 0.2 { worker += 10 }
                let seen = pick(&random, step, step - 2)
                history.add(at + 2, .invoke, .worker(worker), "register", ["key": JSONValue(key)])
                history.add(
                    at + 3, .ok, .worker(worker), "register", ["key": JSONValue(key), "value": JSONValue(seen)],
                    Completion(connection: 3))
            }
        }
    }
}
