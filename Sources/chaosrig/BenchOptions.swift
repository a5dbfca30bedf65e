import Benchmarks

/// What `chaosrig bench` can measure: the word after it.
enum BenchSubject: String, CaseIterable {
    case table
    case poolVersusNone = "pool-vs-none"
    case peer
    case limit
    case judge
    case overhead

    /// The options that change what is done.
    var options: [String] {
        switch self {
        case .table: ["--rounds", "--seconds", "--rows", "--peers", "--json"]
        case .poolVersusNone: ["--rounds", "--seconds", "--workers", "--svg", "--json"]
        case .peer: ["--loops", "--depth", "--no-instrumentation", "--overtaking"]
        case .limit: ["--depth"]
        case .judge: ["--events", "--json"]
        case .overhead: ["--rounds", "--seconds", "--workers", "--json"]
        }
    }

    static var names: String { allCases.map(\.rawValue).joined(separator: ", ") }
}

/// The options of `chaosrig bench`, read and checked.
struct BenchOptions: Sendable {
    let rounds: Int?
    let seconds: Double?
    let rows: Int?
    let events: Int?
    let workers: Int?
    let peers: String?
    let svg: String?
    let isJSON: Bool
    let tuning: PeerCall.Tuning

    /// - Throws: ``BenchError/usage(_:)``, also for an option that would change nothing there.
    init(_ arguments: ParsedArguments, for subject: BenchSubject) throws(BenchError) {
        for option in BenchCommand.options.map(\.name)
        where arguments.has(option) && !subject.options.contains(option) {
            let others = BenchSubject.allCases.filter { $0.options.contains(option) }.map { "bench \($0.rawValue)" }
            throw .usage(
                "\(option) changes nothing in bench \(subject.rawValue); it works in \(others.joined(separator: " and "))"
            )
        }
        rounds = try Self.number(arguments, "--rounds", 1...100)
        events = try Self.number(arguments, "--events", 100...1_000_000_000)
        rows = try Self.number(arguments, "--rows", 1...100_000_000)
        workers = try Self.number(arguments, "--workers", 1...200)
        peers = arguments.value("--peers")
        svg = arguments.value("--svg")
        isJSON = arguments.has("--json")
        if let text = arguments.value("--seconds") {
            guard let value = Double(text), value > 0, value <= 600 else {
                throw .usage("--seconds takes a number above 0, at most 600, not \"\(text)\"")
            }
            seconds = value
        } else {
            seconds = nil
        }
        var tuning = PeerCall.Tuning(loops: try Self.number(arguments, "--loops", 1...64) ?? MachineFacts.loopCount)
        tuning.variation.depth = try Self.number(arguments, "--depth", 1...10_000) ?? tuning.variation.depth
        tuning.variation.isInstrumented = !arguments.has("--no-instrumentation")
        tuning.variation.overtakingMicroseconds = try Self.number(arguments, "--overtaking", 0...10_000_000)
        self.tuning = tuning
    }

    private static func number(
        _ arguments: ParsedArguments, _ name: String, _ range: ClosedRange<Int>
    ) throws(BenchError) -> Int? {
        do { return try arguments.number(name, range) } catch { throw .usage(error.message) }
    }
}
