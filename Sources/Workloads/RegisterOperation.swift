import ConnectionPool
package import RigModel

/// A number of the client's own that only grows: the client writes the next one, or reads what it wrote. It must read the last
/// one that was acknowledged, or a later one.
package struct RegisterOperation: Operation {
    package static let shape = Shape(
        name: "register",
        summary: "write the next number into a row of the client's own, or read it (autocommit, idempotent)")

    package init() {}

    package func plan(_ context: inout OperationContext) -> PlannedOperation {
        let schema = context.schema
        let key = context.client
        if Bool.random(using: &context.generator) {
            context.registerWrites += 1
            let number = context.registerWrites
            return PlannedOperation(
                value: ["key": JSONValue(key), "write": JSONValue(number)],
                request: UseRequest(isIdempotent: true, site: .here()) { _ in [schema.set(register: key, to: number)] },
                okValue: { _ in ["key": JSONValue(key), "value": JSONValue(number)] })
        }
        let echo = context.id.rawValue
        return PlannedOperation(
            value: ["key": JSONValue(key)],
            request: UseRequest(isIdempotent: true, isReadOnly: true, site: .here()) { _ in
                [schema.value(ofRegister: key, echo: echo)]
            },
            okValue: { results in
                [
                    "key": JSONValue(key),
                    "value": JSONValue(results.first?.rows.first?.first?.intValue.map(Int.init)),
                ]
            }, notes: { Echo.notes(sent: echo, $0.first?.rows.first) })
    }
}
