/// One metric: its name, what it means, and the labels of its samples. A value.
package struct MetricDefinition: Sendable, Hashable {
    package enum Kind: String, Sendable, CaseIterable {
        /// Only grows; its name ends in `_total`.
        case counter
        case gauge
        /// Of durations, in seconds.
        case histogram
    }

    package let name: String
    package let kind: Kind
    /// One sentence without a full stop.
    package let help: String
    package let labels: [String]

    package init(_ name: String, _ kind: Kind, _ help: String, labels: [String] = []) {
        self.name = name
        self.kind = kind
        self.help = help
        self.labels = labels
    }
}

/// A label of a sample.
package struct MetricLabel: Sendable, Hashable {
    package let name: String
    package let value: String

    package init(_ name: String, _ value: String) {
        self.name = name
        self.value = value
    }
}

/// What was measured, under some labels.
package struct MetricSample: Sendable, Equatable {
    package enum Value: Sendable, Equatable {
        case number(Double)
        case histogram(HistogramSnapshot)
    }

    package let labels: [MetricLabel]
    package let value: Value
}

/// Samples by metric, metrics in the order in which they came first. A value.
package struct MetricCollection: Sendable {
    package struct Family: Sendable {
        package let definition: MetricDefinition
        package fileprivate(set) var samples: [MetricSample] = []
    }

    package private(set) var families: [Family] = []
    private var positions: [MetricDefinition: Int] = [:]

    package init() {}

    /// - Parameter labels: the values of the definition's labels, in its order.
    package mutating func add(_ metric: MetricDefinition, _ labels: [String] = [], _ value: Double) {
        add(metric, labels, .number(value))
    }

    package mutating func add(_ metric: MetricDefinition, _ labels: [String] = [], _ value: Int) {
        add(metric, labels, .number(Double(value)))
    }

    package mutating func add(_ metric: MetricDefinition, _ labels: [String] = [], _ value: HistogramSnapshot) {
        add(metric, labels, .histogram(value))
    }

    private mutating func add(_ metric: MetricDefinition, _ labels: [String], _ value: MetricSample.Value) {
        precondition(
            labels.count == metric.labels.count, "\(metric.name) has the labels \(metric.labels), not \(labels)")
        let position = positions[metric] ?? families.count
        if position == families.count {
            families.append(Family(definition: metric))
            positions[metric] = position
        }
        families[position].samples.append(
            MetricSample(labels: zip(metric.labels, labels).map { MetricLabel($0, $1) }, value: value))
    }
}
