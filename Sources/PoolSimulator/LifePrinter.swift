import ConnectionPool
import Threading

/// Writes a life that breaks something as a test of Swift Testing, ready for `Tests/ConnectionPoolTests`.
package struct LifePrinter {
    private let life: SimulatedLife
    private let title: String
    private let name: String
    private let machine: String

    /// - Parameters:
    ///   - title: the test's title.
    ///   - name: the test function's name.
    ///   - machine: the expression that makes the machine, where it is not the real one.
    package init(_ life: SimulatedLife, title: String, name: String, machine: String? = nil) {
        self.life = life
        self.title = title
        self.name = name
        self.machine = machine.map { "on: \($0)" } ?? ""
    }

    /// The whole file.
    package var file: String { "import ConnectionPool\nimport PoolSimulator\nimport Testing\n\n\(test)" }

    /// The function alone.
    package var test: String {
        """
        @Test("\(title.escaped)")
        func \(name)() {
            let life = SimulatedLife(
                configuration: \(configuration),
                machineSeed: \(life.machineSeed),
                events: [
        \(life.events.map { "            \(Self.source($0)),\n" }.joined())        ])
            #expect(life.replay(\(machine)).failure == nil)
        }

        """
    }

    /// On one line, or broken before it gets too wide.
    private var configuration: String {
        let parts = Self.parts(life.configuration)
        let short = "PoolConfiguration(\(parts.joined(separator: ", ")))"
        if short.count <= 80 { return short }
        var lines: [String] = []
        for part in parts {
            if let line = lines.last, line.count + part.count < 90 {
                lines[lines.count - 1] = "\(line) \(part),"
            } else {
                lines.append("            \(part),")
            }
        }
        return "PoolConfiguration(\n\(lines.joined(separator: "\n").dropLast()))"
    }

    /// The arguments that make the configuration; what is as by default is left out.
    private static func parts(_ configuration: PoolConfiguration) -> [String] {
        let plain = PoolConfiguration()
        var parts: [String] = []
        func part<Value: Equatable>(_ name: String, _ path: (PoolConfiguration) -> Value, _ text: (Value) -> String) {
            let value = path(configuration)
            if value != path(plain) { parts.append("\(name): \(text(value))") }
        }
        func duration(_ value: Duration) -> String { source(Int(value.nanoseconds)) }
        func perhaps<Value>(_ text: @escaping (Value) -> String) -> (Value?) -> String { { $0.map(text) ?? "nil" } }
        func number(_ value: Int) -> String { "\(value)" }
        part("maxOpen", { $0.maxOpen }, number)
        part("minIdle", { $0.minIdle }, number)
        part("maxIdle", { $0.maxIdle }, perhaps(number))
        part("maxWaiters", { $0.maxWaiters }, perhaps(number))
        part("maxLifetime", { $0.maxLifetime }, perhaps(duration))
        part("maxLifetimeJitter", { $0.maxLifetimeJitter }) { "\($0)" }
        part("maxIdleTime", { $0.maxIdleTime }, perhaps(duration))
        part("connectTimeout", { $0.connectTimeout }, duration)
        part("checkTimeout", { $0.checkTimeout }, duration)
        part("releaseTimeout", { $0.releaseTimeout }, duration)
        part("checkAfterIdle", { $0.checkAfterIdle }, duration)
        part("idleOrder", { $0.idleOrder }) { ".\($0)" }
        part("healthCheckInterval", { $0.healthCheckInterval }, duration)
        part("leakThreshold", { $0.leakThreshold }, perhaps(duration))
        part("overtaking", { $0.overtaking }, duration)
        part("maxConnecting", { $0.maxConnecting }, number)
        part("connectsPerSecond", { $0.connectsPerSecond }, perhaps { "\($0)" })
        part("breakerAfter", { $0.breakerAfter }, perhaps(duration))
        part("isInstrumented", { $0.isInstrumented }) { "\($0)" }
        part("backoffFirst", { $0.backoffFirst }, duration)
        part("backoffCap", { $0.backoffCap }, duration)
        return parts
    }

    /// An event as it is written in Swift.
    private static func source(_ event: SimulatedEvent) -> String {
        func optional(_ value: Int?) -> String { value.map(grouped) ?? "nil" }
        return switch event {
        case .borrow(let budget, let loop): ".borrow(within: \(grouped(budget)), loop: \(loop))"
        case .queue(let budget, let loop): ".queue(within: \(grouped(budget)), loop: \(loop))"
        case .cancel(let waiter): ".cancel(waiter: \(waiter))"
        case .cancelLate(let lease): ".cancelLate(lease: \(lease))"
        case .giveBackUntaken(let lease): ".giveBackUntaken(lease: \(lease))"
        case .findDead(let lease): ".findDead(lease: \(lease))"
        case .release(let lease): ".release(lease: \(lease))"
        case .giveBack(let lease, let condition): ".giveBack(lease: \(lease), .\(condition))"
        case .noteLoss(let lease): ".noteLoss(lease: \(lease))"
        case .releaseCut(let lease): ".releaseCut(lease: \(lease))"
        case .answer(let call, let answer): ".answer(call: \(call), .\(answer))"
        case .idleEvent(let connection): ".idleEvent(connection: \(connection))"
        case .kill(let connection): ".kill(connection: \(connection))"
        case .pass(let duration): ".pass(\(grouped(duration)))"
        case .stall(let duration): ".stall(\(grouped(duration)))"
        case .resize(let maxOpen, let minIdle, let maxIdle):
            ".resize(maxOpen: \(maxOpen), minIdle: \(minIdle), maxIdle: \(optional(maxIdle)))"
        case .close(let cancelAfter, let cutAfter):
            ".close(cancelAfter: \(optional(cancelAfter)), cutAfter: \(grouped(cutAfter)))"
        case .waitUntilFilled, .cancelFillWait, .killAll, .earlyAlarm, .suspend, .resume, .retireAll, .settle, .finish:
            ".\(event)"
        }
    }

    /// A duration as an expression.
    private static func source(_ nanoseconds: Int) -> String {
        switch nanoseconds {
        case 0: ".zero"
        case _ where nanoseconds % 1_000_000_000 == 0: ".seconds(\(grouped(nanoseconds / 1_000_000_000)))"
        case _ where nanoseconds % 1_000_000 == 0: ".milliseconds(\(grouped(nanoseconds / 1_000_000)))"
        default: ".nanoseconds(\(grouped(nanoseconds)))"
        }
    }

    /// A number with its digits in groups of three.
    private static func grouped(_ number: Int) -> String {
        var digits = Array(String(number.magnitude))
        for place in stride(from: digits.count - 3, to: 0, by: -3) { digits.insert("_", at: place) }
        return (number < 0 ? "-" : "") + String(digits)
    }
}

extension String {
    /// As it stands between quotation marks in Swift.
    fileprivate var escaped: String {
        split(separator: "\\", omittingEmptySubsequences: false).joined(separator: "\\\\")
            .split(separator: "\"", omittingEmptySubsequences: false).joined(separator: "\\\"")
    }
}
