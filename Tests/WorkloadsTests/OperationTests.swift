import ConnectionPool
import RigModel
import Testing
import Threading
import Workloads

/// What each kind of operation asks of the pool, and what it writes into the history.
struct OperationTests {
    func context(_ seed: UInt64 = 1) -> OperationContext {
        OperationContext(
            id: OperationID(worker: 0, sequence: 77), generator: SeededGenerator(seed: seed),
            schema: WorkloadSchema(dialect: .postgres, run: "r1", statementTime: .milliseconds(2)))
    }

    @Test("An append carries its attempt into the row, and its id without it into the history")
    func append() {
        var context = context()
        let planned = AppendOperation().plan(&context)
        #expect(planned.value == JSONValue(OperationID(worker: 0, sequence: 77).rawValue))
        for attempt in 1...3 {
            let steps = planned.request.steps(attempt)
            let id = OperationID(worker: 0, sequence: 77, attempt: attempt).rawValue
            #expect(steps.map(\.parameters.first) == [.int(id)])
            #expect(steps.map(\.role) == [.write])
        }
        #expect(!planned.request.isIdempotent && !planned.request.isReadOnly && !planned.request.isTransaction)
    }

    @Test("A transfer takes from one account what it gives to another, in the order of the accounts")
    func transfer() throws {
        for seed in 0..<200 {
            var context = context(UInt64(seed))
            let planned = TransferOperation().plan(&context)
            let steps = planned.request.steps(1)
            try #require(steps.count == 2)
            let amounts = steps.compactMap { $0.parameters[0].intValue }
            let accounts = steps.compactMap { $0.parameters[1].intValue }
            #expect(amounts.reduce(0, +) == 0)
            #expect(accounts[0] < accounts[1])
            #expect(accounts.allSatisfy { (0..<Int64(WorkloadSchema.accounts)).contains($0) })
            let from = try #require(planned.value["from"]?.intValue)
            let taker = try #require(accounts.firstIndex(of: from))
            #expect(amounts[taker] == -(planned.value["amount"]?.intValue ?? 0))
            #expect(accounts[1 - taker] == planned.value["to"]?.intValue)
            #expect(planned.request.isTransaction && !planned.request.isIdempotent)
        }
    }

    @Test("A pausing transfer is a transfer with time between its changes")
    func pausingTransfer() {
        var (plain, pausing) = (context(), context())
        let transfer = TransferOperation().plan(&plain)
        let planned = PausingTransferOperation().plan(&pausing)
        #expect(planned.value == transfer.value)
        #expect(planned.request.steps(1) == transfer.request.steps(1))
        #expect(transfer.request.pause == .zero && planned.request.pause == .milliseconds(100))
        #expect(planned.request.isTransaction && !planned.request.isIdempotent)
    }

    @Test("A read of a row asks for all columns, and tells how many it got")
    func readRow() throws {
        var context = context()
        let planned = ReadRowOperation().plan(&context)
        let account = try #require(planned.value["account"]?.intValue)
        #expect(planned.request.steps(1).first?.text.hasPrefix("SELECT * FROM ") == true)
        let told = planned.okValue?([SQLResult(rows: [[.int(account), .int(990), .null]])])
        #expect(told == ["account": .int(account), "columns": 3, "balance": 990])
        #expect(planned.request.isIdempotent && planned.request.isReadOnly)
    }

    @Test("A read tells the balance that it saw")
    func read() throws {
        var context = context()
        let planned = ReadOperation().plan(&context)
        let account = try #require(planned.value["account"]?.intValue)
        let told = planned.okValue?([SQLResult(rows: [[.int(990)]])])
        #expect(told == ["account": .int(account), "balance": 990])
        #expect(planned.okValue?([SQLResult()])["balance"] == .null)
        #expect(planned.request.isIdempotent && planned.request.isReadOnly)
        #expect(planned.request.steps(1).map(\.role) == [.read])
    }

    @Test("A read asks for a number to come back, and says whose result it got")
    func echo() throws {
        var context = context()
        let planned = ReadOperation().plan(&context)
        let sent = OperationID(worker: 0, sequence: 77).rawValue
        #expect(planned.request.steps(1).first?.parameters.contains(.int(sent)) == true)
        let notes = try #require(planned.notes)
        #expect(notes([SQLResult(rows: [[.int(990), .int(sent)]])]) == [.init("echo", true)])
        #expect(
            notes([SQLResult(rows: [[.int(990), .int(5)]])])
                == [.init("echo", ["sent": .int(sent), "got": 5])])
        #expect(notes([SQLResult()]) == [.init("echo", ["sent": .int(sent), "got": .null])])
    }

    @Test("Reads have as many texts as they are told to, and no more")
    func distinctStatements() {
        var context = context()
        context.schema = WorkloadSchema(
            dialect: .postgres, run: "r", statementTime: .zero, accounts: 8, distinctStatements: 5)
        let plans = (0..<300).map { _ in ReadOperation().plan(&context) }
        #expect(Set(plans.flatMap { $0.request.steps(1).map(\.text) }).count == 5)
        #expect(plans.allSatisfy { (0..<8).contains($0.value["account"]?.intValue ?? -1) })
    }

    @Test("A client writes its own register, each time a greater number")
    func register() {
        var context = context()
        context.client = 9
        var written: [Int64] = []
        for _ in 0..<100 {
            let planned = RegisterOperation().plan(&context)
            #expect(planned.value["key"] == 9)
            #expect(planned.request.isIdempotent)
            guard let number = planned.value["write"]?.intValue else {
                #expect(planned.request.isReadOnly && planned.notes != nil)
                #expect(planned.okValue?([SQLResult(rows: [[.int(3), .int(1)]])]) == ["key": 9, "value": 3])
                continue
            }
            written.append(number)
            #expect(planned.okValue?([]) == ["key": 9, "value": .int(number)])
            #expect(planned.request.steps(1).first?.parameters == [.int(9), .int(number)])
        }
        #expect(written == Array(1...Int64(written.count)))
        #expect((20...80).contains(written.count))
    }

    @Test("An inspection tells what it found, an open transaction by the time that does not pass")
    func inspection() throws {
        var context = context()
        let notes = try #require(InspectOperation().plan(&context).notes)
        func found(_ rows: [SQLValue]...) -> JSONValue? {
            notes([SQLResult(rows: [[.text("10:00")]]), SQLResult(rows: rows)]).first { $0.key == "found" }?.value
        }
        #expect(found([.text("now"), .text("10:01")]) == [])
        #expect(
            found([.text("now"), .text("10:00")]) == [["what": "transaction", "detail": "open since 10:00"]])
        #expect(
            found([.text("now"), .text("10:01")], [.text("role"), .text("boss")])
                == [["what": "role", "detail": "boss"]])
        #expect(notes([]).first?.value == .null)
    }
}
