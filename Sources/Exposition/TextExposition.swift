/// Writes metrics as text: each with its help and type once, then its samples.
package struct TextExposition: Sendable {
    package enum Dialect: Sendable {
        /// Prometheus' text format 0.0.4.
        case classic
        /// OpenMetrics 1.0: counters without their `_total` in the head, floats with a point, and an end.
        case openMetrics
    }

    private let dialect: Dialect

    package init(_ dialect: Dialect) { self.dialect = dialect }

    package func encode(_ metrics: MetricCollection) -> String {
        var text = ""
        for family in metrics.families {
            let name = headName(family.definition)
            text += "# HELP \(name) \(escaped(family.definition.help, quotes: dialect == .openMetrics))\n"
            text += "# TYPE \(name) \(family.definition.kind.rawValue)\n"
            for sample in family.samples { write(sample, of: family.definition.name, to: &text) }
        }
        return dialect == .openMetrics ? text + "# EOF\n" : text
    }

    private func headName(_ definition: MetricDefinition) -> String {
        let isCut =
            dialect == .openMetrics && definition.kind == .counter && definition.name.hasSuffix("_total")
        return isCut ? String(definition.name.dropLast("_total".count)) : definition.name
    }

    private func write(_ sample: MetricSample, of name: String, to text: inout String) {
        switch sample.value {
        case .number(let value): line(name, sample.labels, number(value), to: &text)
        case .histogram(let histogram):
            for bucket in histogram.buckets {
                let limit = MetricLabel("le", float(bucket.upperBound))
                line(name + "_bucket", sample.labels + [limit], "\(bucket.cumulativeCount)", to: &text)
            }
            line(name + "_bucket", sample.labels + [MetricLabel("le", "+Inf")], "\(histogram.count)", to: &text)
            line(name + "_sum", sample.labels, number(histogram.sum), to: &text)
            line(name + "_count", sample.labels, "\(histogram.count)", to: &text)
        }
    }

    private func line(_ name: String, _ labels: [MetricLabel], _ value: String, to text: inout String) {
        text += name
        if !labels.isEmpty {
            text += "{"
            for (position, label) in labels.enumerated() {
                if position > 0 { text += "," }
                text += "\(label.name)=\"\(escaped(label.value, quotes: true))\""
            }
            text += "}"
        }
        text += " \(value)\n"
    }

    /// Whole numbers as such: counters are read more easily than as floats.
    private func number(_ value: Double) -> String {
        if let whole = Int64(exactly: value), abs(whole) < 1 << 53 { return String(whole) }
        return float(value)
    }

    private func float(_ value: Double) -> String {
        if value.isNaN { return "NaN" }
        if value.isInfinite { return value < 0 ? "-Inf" : "+Inf" }
        let text = value.description
        return dialect == .classic && text.hasSuffix(".0") ? String(text.dropLast(2)) : text
    }

    private func escaped(_ text: String, quotes: Bool) -> String {
        // Not by characters: to Swift a line feed behind a carriage return is none, nor is a quote with an accent.
        guard text.utf8.contains(where: { $0 == 0x5C || $0 == 0x0A || $0 == 0x22 }) else { return text }
        return text.unicodeScalars.reduce(into: "") { result, scalar in
            switch scalar {
            case "\\": result += "\\\\"
            case "\"": result += quotes ? "\\\"" : "\""
            case "\n": result += "\\n"
            default: result.unicodeScalars.append(scalar)
            }
        }
    }
}
