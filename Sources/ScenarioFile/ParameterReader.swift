import RigModel

/// Reads the parameters of a fault or an invariant by its shape.
struct ParameterReader {
    let log: ProblemLog

    func read(_ shape: Shape, _ node: YAMLNode?, at position: SourcePosition) -> Parameters {
        let section = SectionReader(node, name: shape.name, log)
        var parameters = defaults(shape)
        for parameter in shape.parameters {
            guard let value = section.node(parameter.name) else {
                if parameter.isRequired {
                    log.add(position, "\(shape.name): \(parameter.name) is missing: \(parameter.summary)")
                }
                continue
            }
            parameters.values[parameter.name] =
                SectionReader.value(of: value, key: parameter.name, parameter.types, log)
                ?? parameters.values[parameter.name]
        }
        section.finish()
        return parameters
    }

    func defaults(_ shape: Shape) -> Parameters {
        var parameters = Parameters()
        for parameter in shape.parameters { parameters.values[parameter.name] = parameter.defaultValue }
        return parameters
    }
}
