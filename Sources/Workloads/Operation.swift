package import ConnectionPool
package import RigModel

/// One kind of operation of the workload. A value; building one touches nothing.
package protocol Operation: Sendable {
    /// Name and summary, shown by `chaosrig list workloads`.
    static var shape: Shape { get }
    init()
    /// Draws the next operation of this kind.
    func plan(_ context: inout OperationContext) -> PlannedOperation
}

/// What an operation may draw from.
package struct OperationContext: Sendable {
    package var id: OperationID
    package var generator: SeededGenerator
    package var schema: WorkloadSchema
    /// The client's number, which it keeps for the whole run.
    package var client = 0
    /// How often this client has written its register.
    package var registerWrites = 0

    package init(id: OperationID, generator: SeededGenerator, schema: WorkloadSchema) {
        self.id = id
        self.generator = generator
        self.schema = schema
    }
}

/// One operation, ready to be recorded and done.
package struct PlannedOperation: Sendable {
    package var value: JSONValue
    package var request: UseRequest
    /// The value of the `ok` event, from the rows of the steps; `nil`: the same as at invoke.
    package var okValue: (@Sendable ([SQLResult]) -> JSONValue)?
    /// What the rows of an `ok` tell beside its value, for `notes`.
    package var notes: (@Sendable ([SQLResult]) -> [JSONValue.Member])?

    package init(
        value: JSONValue, request: UseRequest, okValue: (@Sendable ([SQLResult]) -> JSONValue)? = nil,
        notes: (@Sendable ([SQLResult]) -> [JSONValue.Member])? = nil
    ) {
        self.notes = notes
        self.value = value
        self.request = request
        self.okValue = okValue
    }
}
