import RigModel

/// Reads the parameters of a fault or an invariant by its shape.
struct ParameterReader {
    let log: ProblemLog
    var thresholds = ThresholdReader(operations: [], faults: [])

    func read(_ shape: Shape, _ node: YAMLNode?, at position: SourcePosition) -> Parameters {
        let section = SectionReader(node, SectionShape(shape), log)
        var parameters = defaults(shape)
        for parameter in shape.parameters {
            guard let value = section.node(parameter.name) else {
                if parameter.isRequired, section.isReadable {
                    log.add(position, "\(shape.name): \(parameter.name) is missing: \(parameter.summary)")
                }
                continue
            }
            parameters.values[parameter.name] =
                SectionReader.value(of: value, key: parameter.name, parameter.types, log)
                ?? parameters.values[parameter.name]
        }
        if shape.takesThresholds { readThresholds(of: shape, section, at: position, into: &parameters) }
        section.finish()
        return parameters
    }

    private func readThresholds(
        of shape: Shape, _ section: SectionReader, at position: SourcePosition, into parameters: inout Parameters
    ) {
        let known = Set(shape.parameters.map(\.name))
        let measures = section.keys.filter { !known.contains($0) }
        if measures.isEmpty, section.isReadable {
            log.add(position, "\(shape.name): name at least one, for example acquire.p99: < 50ms")
        }
        for key in measures {
            guard let node = section.node(key) else { continue }
            readThreshold(key, at: section.keyPosition(key), node, into: &parameters)
        }
    }

    /// `acquire.p99: < 50ms`, also as `acquire: {p99: < 50ms}`, which is what `--set …thresholds.acquire.p99=` makes of it.
    private func readThreshold(
        _ name: String, at position: SourcePosition, _ node: YAMLNode, into parameters: inout Parameters
    ) {
        switch node.content {
        case .mapping(let entries):
            for entry in entries {
                readThreshold("\(name).\(entry.key)", at: entry.keyPosition, entry.value, into: &parameters)
            }
        case .scalar(let text, _) where !node.isNull:
            let measure: Threshold.Measure
            do { measure = try thresholds.measure(name) } catch { return log.add(position, error.description) }
            do {
                parameters.values[name] = .thresholds(try thresholds.bounds(text, on: measure))
            } catch {
                log.add(node.position, error.description)
            }
        default: log.add(node.position, "\(name): a bound like < 50ms was expected, not \(node.kindInWords)")
        }
    }

    func defaults(_ shape: Shape) -> Parameters {
        var parameters = Parameters()
        for parameter in shape.parameters { parameters.values[parameter.name] = parameter.defaultValue }
        return parameters
    }
}
