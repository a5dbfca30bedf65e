import Benchmarks

/// The options of `chaosrig bench`, read and checked.
struct BenchOptions: Sendable {
    let rounds: Int?
    let seconds: Double?
    let rows: Int?
    let workers: Int?
    let peers: String?
    let svg: String?
    let isJSON: Bool
    let tuning: PeerCall.Tuning

    init(_ arguments: ParsedArguments) throws(BenchError) {
        rounds = try Self.number(arguments, "--rounds", 1...100)
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
        guard let text = arguments.value(name) else { return nil }
        guard let value = Int(text), range.contains(value) else {
            throw .usage(
                "\(name) takes a number from \(range.lowerBound) to \(range.upperBound), not \"\(text)\"")
        }
        return value
    }
}
