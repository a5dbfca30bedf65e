import CLinux
import Foundation
import PoolSimulator
import RigModel

enum SimulateCommand: Command {
    static let name = "simulate"
    static let summary = "explore the pool's state machine with random events on simulated time"
    static let synopsis = ["[options]"]
    static let details = [
        "Lives random lives of a pool: its real state machine, with a scripted driver and a clock that moves by hand. After "
            + "each step it looks whether anything is broken: bounds, lost slots, two holders, the order of waiters, "
            + "deadlines, connects in flight, leftovers after the close. The life that breaks something is made as short as "
            + "it can be and printed as a test. No server is needed."
    ]
    static let options: [OptionSpec] = [
        .value("--seeds", "N", "lives to live", default: "10000"),
        .value("--steps", "N", "events in each, before its end", default: "400"),
        .value("--seed", "S", "the first seed; with --seeds 1 that life alone, exactly as before", default: "1"),
        .value("--threads", "N", "threads that live them", default: "one for each processor"),
        .flag("--json", "print the result as JSON"),
    ]
    static let notes = [
        "Exit code 0: nothing is broken; 1: something is; 4: nothing is, but something that can happen never did (what it "
            + "was is printed), as with very few seeds."
    ]
    static let examples = ["chaosrig simulate --seeds 100000"]

    static func run(_ arguments: ParsedArguments) async throws(UsageError) -> Int32 {
        guard arguments.positional.isEmpty else { throw UsageError("simulate takes options only") }
        let seeds = try arguments.number("--seeds", 1...1_000_000_000) ?? 10_000
        var exploration = Exploration(
            firstSeed: try arguments.seed() ?? 1, seeds: seeds,
            steps: try arguments.number("--steps", 0...1_000_000) ?? 400,
            threads: try arguments.number("--threads", 1...1024) ?? ProcessInfo.processInfo.activeProcessorCount)
        let inFlight = SeedsInFlight(threads: exploration.threads)
        exploration.inFlight = inFlight
        clinux_tell_on_crash(trapText, inFlight.pointer, Int32(inFlight.count))
        let report = await exploration.run { Output.error("\($0) of \(seeds) lives") }
        clinux_tell_on_crash(trapText, inFlight.pointer, 0)
        let result = SimulationResult(exploration, report)
        Output.line(arguments.has("--json") ? result.json.prettyText : result.text)
        return switch result.verdict {
        case .valid: 0
        case .invalid: 1
        case .unknown: 4
        }
    }

    /// A C string that stays.
    private static var trapText: UnsafePointer<CChar> {
        let text: StaticString = """
            chaosrig simulate: the pool's machine trapped. Live these lives again one by one, with \
            --seeds 1 and the same --steps, to see which: --seed
            """
        return UnsafeRawPointer(text.utf8Start).assumingMemoryBound(to: CChar.self)
    }
}
