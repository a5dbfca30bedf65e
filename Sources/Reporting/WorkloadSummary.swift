package import RigModel

/// What the operations of each kind came to: a fold over the history.
package struct WorkloadSummary: Sendable {
    private struct Kind: Sendable {
        var ok = 0
        var fail = 0
        var info = 0
        var latency = LatencyHistogram()
        var failures: [String: Int] = [:]
    }

    private var kinds: [String: Kind] = [:]
    private var order: [String] = []
    /// When each operation that is under way was invoked.
    private var invokedAt: [Event.Process: Int64] = [:]
    /// Open model: operations that were scheduled and never started.
    package private(set) var dropped = 0

    package init() {}

    package mutating func observe(_ event: Event) {
        if event.process == .probe, event.function == "dropped" {
            dropped += Int(event.value["operations"]?.intValue ?? 0)
        }
        guard case .worker = event.process else { return }
        if kinds[event.function] == nil {
            kinds[event.function] = Kind()
            order.append(event.function)
        }
        switch event.kind {
        case .invoke: invokedAt[event.process] = event.time
        case .ok:
            let latency = event.time - (invokedAt.removeValue(forKey: event.process) ?? event.time)
            kinds[event.function]?.ok += 1
            kinds[event.function]?.latency.add(nanoseconds: latency + (event.completion?.lagNanoseconds ?? 0))
        case .fail, .info:
            invokedAt[event.process] = nil
            if event.kind == .fail { kinds[event.function]?.fail += 1 } else { kinds[event.function]?.info += 1 }
            let error = event.completion?.error
            let name = [error?.code, error?.failureClass, error.map { "during \($0.phase.rawValue)" }]
                .compactMap { $0 }.joined(separator: " ")
            kinds[event.function]?.failures[name.isEmpty ? "unknown" : name, default: 0] += 1
        case .end: break
        }
    }

    /// By kind, in the order in which they first appeared.
    package var operations: [OperationSummary] {
        order.map { name in
            let kind = kinds[name] ?? Kind()
            return OperationSummary(
                kind: name, ok: kind.ok, fail: kind.fail, info: kind.info, latency: kind.latency,
                failures: kind.failures.sorted { ($1.value, $0.key) < ($0.value, $1.key) }
                    .map { (name: $0.key, count: $0.value) })
        }
    }
}
