import ConnectionPool
import RigModel
import Threading

/// What a client does beside its operation, in the words of the adapter protocol: more steps, and a time to hold. Pure.
///
/// What cannot be said in it (to throw, to nest, to leave a result unread) is refused before the run.
struct AdapterBehaviour {
    private let request: UseRequest
    private let before: [SQLStatement]
    private let after: [SQLStatement]
    let isTransaction: Bool
    let hold: Duration
    /// Of a use that was done.
    let notes: [JSONValue.Member]
    /// The operation itself was not done: its transaction never ends.
    let failure: UseFailure?

    init(_ request: UseRequest, begin: SQLStatement) {
        self.request = request
        let behaviour = request.behaviour ?? UseBehaviour()
        let isAbandoned = behaviour.abandons == .transaction
        before = isAbandoned ? [begin] : []
        after = behaviour.residue.map { $0.statement(number: behaviour.number) }
        isTransaction = request.isTransaction && !isAbandoned
        hold = request.hold + behaviour.hold
        failure = isAbandoned ? ClientStopped(reason: .abandonedTransaction, results: []).failure(request) : nil
        var notes: [JSONValue.Member] = []
        if isAbandoned { notes.append(.init("abandon", "transaction")) }
        if behaviour.hold > .zero { notes.append(.init("held_ns", JSONValue(behaviour.hold.nanoseconds))) }
        if !behaviour.residue.isEmpty {
            notes.append(.init("residue", .array(behaviour.residue.map { .string($0.rawValue) })))
        }
        self.notes = notes
    }

    var stepsBefore: Int { before.count }

    func ownSteps(_ attempt: Int) -> Int { request.steps(attempt).count }

    func steps(_ attempt: Int) -> [SQLStatement] { before + request.steps(attempt) + after }
}
