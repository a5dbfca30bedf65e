import FaultProxy
import RigTestSupport
import Testing

/// On a real server: what it says is understood, and what a cut point makes of it is true on both sides.
@Suite struct WireServerTests {
    private func withClient(_ rules: String..., body: @escaping @Sendable (WireClient) throws -> Void) async throws {
        let port = try await TestPostgres.shared().port
        try await onThread {
            let client = try WireClient(port: port, rules)
            _ = try client.answer()
            try body(client)
        }
    }

    @Test func aRecordedSessionIsReadTheSameHoweverItIsSplit() async throws {
        try await withClient { client in
            #expect(
                try client.query("select pg_backend_pid()").values == [
                    client.inspector.facts.backendPID.map(String.init)
                ])
            _ = try client.query("create temp table wire (a int primary key)")
            _ = try client.ask(Wire.extended("", "insert into wire values (1)"))
            _ = try client.ask(Wire.extended("named", "begin") + Wire.extended("", "select * from wire"), readies: 2)
            #expect(client.inspector.facts.transaction == .inTransaction)
            _ = try client.ask(Wire.extended("", "insert into wire values (1)") + Wire.query("rollback"), readies: 2)
            #expect(client.inspector.facts.lastSQLState == "23505")
            client.send(Wire.extended("", "copy wire from stdin"))
            _ = try client.answer(to: "G")
            client.send(Wire.message("f", Wire.text("no more")) + Wire.sync)
            #expect(try client.answer().errors.count == 1)
            #expect(try client.query("set application_name = 'renamed'").types == "CZ")
            #expect(client.inspector.facts.applicationName == "renamed")
            #expect(client.inspector.facts.user == "chaosrig")
            let dialogue = WireDialogue("recorded", client.parts)
            WireReaderTests.checkSplits(dialogue)
            try CutPointTests.checkTransparency(dialogue)
        }
    }

    @Test func aCopyFromAnExecuteEndsWithNothingInFlight() async throws {
        try await withClient("before CommandComplete statement=after do delay 1") { client in
            _ = try client.query("create temp table wire (a int)")
            client.send(Wire.extended("", "copy wire from stdin"))
            #expect(try client.answer(to: "G").types == "12nG")
            #expect(try client.ask(Wire.message("d", Array("7\n".utf8)) + Wire.message("c") + Wire.sync).types == "CZ")
            #expect(client.inspector.facts.statementsInFlight == 0)
            #expect(try client.query("select 'after'").values == ["after"])
            #expect(client.inspector.facts.statementsInFlight == 0)
            #expect(client.hits == ["cut0"])
        }
    }

    @Test func anErrorInPlaceOfAQueryLeavesTheSessionUsable() async throws {
        try await withClient("before Query statement=^select.1 do error 40001 times=1") { client in
            let failed = try client.query("select 1")
            #expect(failed.types == "EZ")
            #expect(failed.errors == ["40001 could not serialize access due to concurrent update"])
            #expect(failed.status == "I")
            #expect(try client.query("select 1").values == ["1"])
        }
    }

    @Test func anErrorInATransactionFailsItOnBothSides() async throws {
        try await withClient("before Query statement=cutme do error 40P01") { client in
            _ = try client.query("create temp table wire (a int)")
            _ = try client.query("begin")
            _ = try client.query("insert into wire values (1)")
            #expect(try client.query("select 'cutme'").status == "E")
            #expect(try client.query("select 1").errors.first?.hasPrefix("25P02") == true)
            #expect(try client.query("commit").status == "I")
            #expect(try client.query("select count(*) from wire").values == ["0"])
        }
    }

    @Test(arguments: [true, false], ["COMMIT", " commit; ", "commit\n", "/* c */ END work", "-- x\nCommit and chain"])
    func aCommitThatFailsEndsItsTransaction(isExtended: Bool, commit: String) async throws {
        let message = isExtended ? "Execute" : "Query"
        try await withClient("before \(message) statement='commit|end' do error 40001") { client in
            _ = try client.query("create temp table wire (a int)")
            _ = try client.query("begin")
            _ = try client.query("insert into wire values (1)")
            let failed = try client.ask(isExtended ? Wire.extended("", commit) : Wire.query(commit))
            #expect(failed.types == (isExtended ? "12nEZ" : "EZ"))
            #expect(failed.status == "I")
            #expect(try client.query("select count(*) from wire").values == ["0"])
        }
    }

    @Test func aBatchWithACommitThatFailsEndsItsTransaction() async throws {
        try await withClient("before Query statement=cutme do error 40001") { (client: WireClient) throws in
            _ = try client.query("create temp table wire (a int)")
            _ = try client.query("begin; insert into wire values (1)")
            // Statements of an open transaction with its COMMIT, and a whole transaction.
            for begin in ["", "begin; "] {
                let batch = "\(begin)insert into wire values (2) /* cutme */; commit"
                #expect(try client.query(batch) == WireAnswer(failing: "40001", status: "I"))
            }
            #expect(try client.query("select count(*) from wire").values == ["0"])
        }
    }

    @Test func aTransactionSentAheadEndsWithItsFailingCommit() async throws {
        try await withClient("before Execute statement=commit do error 40001") { (client: WireClient) throws in
            func step(_ sql: String) -> [UInt8] { Wire.parse("", sql) + Wire.bind("", "") + Wire.execute("") }
            _ = try client.query("create temp table wire (a int)")
            let answer = try client.ask(
                step("begin") + step("insert into wire values (1)") + step("commit") + Wire.sync)
            #expect(answer.types == "12C12C12EZ")
            #expect(answer.status == "I")
            #expect(try client.query("select count(*) from wire").values == ["0"])
        }
    }

    @Test(arguments: [("Parse", "EZ"), ("Bind", "1EZ"), ("Describe", "12EZ"), ("Execute", "12TEZ")])
    func anErrorInABatchComesAtItsPlaceEveryTime(message: String, types: String) async throws {
        try await withClient("before \(message) statement=cutme do error 40001 text=\"it's a \\\\ 'test' %\"") {
            client in
            // The unnamed statement of an application lives on.
            #expect(try client.ask(Wire.parse("", "select 'mine'") + Wire.sync).types == "1Z")
            for _ in 0..<3 {
                let failed = try client.ask(Wire.extended("n\(client.parts.count)", "select 'cutme'"))
                #expect(failed.types == types)
                #expect(failed.errors == ["40001 it's a \\\\ 'test' %"])
                #expect(failed.status == "I")
                let own = try client.ask(Wire.bind("", "") + Wire.execute("") + Wire.sync)
                #expect(own.types == "2DCZ")
                #expect(own.values == ["mine"])
                let names = try client.ask(
                    Wire.parse("look", "select name from pg_prepared_statements where name ~ 'chaosrig'")
                        + Wire.bind("", "look") + Wire.execute("") + Wire.message("C", Wire.text("Slook")) + Wire.sync)
                #expect(names.types == "12C3Z")
            }
            #expect(client.hits.count == 3)
            #expect(client.inspector.facts.statementsInFlight == 0)
        }
    }

    @Test func aPreparedStatementIsKnownByItsTextWhenItIsExecuted() async throws {
        try await withClient("before Execute statement=cutme nth=2 do error 25006") { (client: WireClient) throws in
            #expect(try client.ask(Wire.parse("s", "select 'cutme'") + Wire.sync).types == "1Z")
            let run = Wire.bind("", "s") + Wire.execute("") + Wire.sync
            #expect(try client.ask(run).types == "2DCZ")
            #expect(try client.ask(run).types == "2EZ")
            #expect(try client.ask(run).types == "2DCZ")
        }
    }

    @Test func aBatchSentAheadGetsItsOwnAnswers() async throws {
        try await withClient("before Execute statement=two do error 40001") { client in
            let answer = try client.ask(
                Wire.extended("", "select 'one'") + Wire.extended("", "select 'two'")
                    + Wire.extended("", "select 'three'"),
                readies: 3)
            #expect(answer.types == "12TDCZ" + "12TEZ" + "12TDCZ")
            #expect(answer.values == ["one", "three"])
        }
    }

    @Test func whatTheServerSkipsIsNoHit() async throws {
        try await withClient("before Execute do error 40001 times=3") { client in
            let one = Wire.parse("", "select 1") + Wire.bind("", "") + Wire.execute("")
            for hits in 1...3 {
                let answer = try client.ask(one + one + one + Wire.sync)
                #expect(answer.types == "12EZ")
                #expect(client.hits.count == hits)
            }
            #expect(try client.ask(one + one + Wire.sync).types == "12DC12DCZ")
            #expect(client.hits.count == 3)
        }
        // What fails on its own in front of it.
        try await withClient("before Execute do error 40001") { (client: WireClient) throws in
            let own = Wire.parse("", "nonsense") + Wire.bind("", "") + Wire.execute("") + Wire.sync
            #expect(try client.ask(own).errors.first?.hasPrefix("42601") == true)
            #expect(client.hits == [])
        }
    }

    @Test func whatFailsAtASyncBelongsToTheLastStatement() async throws {
        try await withClient("before ErrorResponse statement=twice do delay 1") { (client: WireClient) throws in
            _ = try client.query("create temp table wire (a int unique deferrable initially deferred)")
            let answer = try client.ask(Wire.extended("", "insert into wire values (1), (1) /* twice */"))
            #expect(answer.types == "12nCEZ")
            #expect(client.hits == ["cut0"])
            #expect(try client.query("select 1").values == ["1"])
        }
    }

    @Test func whatTheProxyAsksForItselfStaysHidden() async throws {
        let seen = ["CommandComplete", "ParseComplete", "BindComplete", "CloseComplete"].map {
            "before \($0) do delay 1"
        }
        let port = try await TestPostgres.shared().port
        try await onThread {
            let client = try WireClient(port: port, seen + ["before Execute statement=commit do error 40001"])
            _ = try client.answer()
            _ = try client.query("begin")
            client.send(Wire.parse("", "commit") + Wire.bind("", ""))
            client.send(Wire.execute("") + Wire.sync)
            #expect(try client.answer().types == "12EZ")
            #expect(client.hits == ["cut0", "cut1", "cut2", "cut4"])
            #expect(client.inspector.facts.lastCommandTag == "BEGIN")
            _ = try client.query("begin")
            #expect(try client.ask(Wire.query("select 1") + Wire.query("commit"), readies: 2).types == "TDCZCZ")
            #expect(client.inspector.facts.lastCommandTag == "COMMIT")
            #expect(client.inspector.facts.statementsInFlight == 0)
        }
    }

    @Test func anErrorThatTheServerRefusesIsNoHit() async throws {
        try await withClient("before Query statement=cutme do error 40001") { client in
            // Behind the proxy's back the transaction fails first.
            client.send(Wire.query("begin") + Wire.query("select 1/0") + Wire.query("select 'cutme'"))
            #expect(try client.answer(3).errors.map { $0.prefix(5) } == ["22012", "25P02"])
            #expect(client.hits == [])
            _ = try client.query("rollback")
            #expect(try client.query("select 'cutme'").errors.count == 1)
            #expect(client.hits == ["cut0"])
        }
    }

    @Test func aReplicationConnectionGetsNoErrorThatItsServerCannotMake() async throws {
        let port = try await TestPostgres.shared().port
        try await onThread {
            let client = try WireClient(
                port: port, ["before Query do error 40001"], parameters: ["replication", "database"])
            _ = try client.answer()
            #expect(try client.query("IDENTIFY_SYSTEM").types == "TDCZ")
            #expect(client.hits == [])
        }
    }

    @Test func rulesThatAreRemovedWhileAnErrorIsUnderWayShowNothingOfIt() async throws {
        try await withClient("before Execute do error 40001") { (client: WireClient) throws in
            client.send(Wire.extended("", "select 1"))
            client.inspector.setCuts([])
            #expect(client.inspector.hasCuts)
            #expect(try client.answer().types == "12TEZ")
            #expect(!client.inspector.hasCuts)
            #expect(try client.ask(Wire.extended("", "select 1")).types == "12TDCZ")
        }
    }

    @Test func aFatalErrorIsTheLastWord() async throws {
        try await withClient("before Query do error 57P01") { client in
            let answer = try client.query("select 1")
            #expect(answer.types == "E")
            #expect(answer.errors == ["57P01 terminating connection due to administrator command"])
            #expect(client.end == .finish)
        }
    }

    @Test(arguments: ["before StartupMessage do error 53300", "before Authentication do error 53300"])
    func aClientIsTurnedAwayBeforeItIsIn(rule: String) async throws {
        let port = try await TestPostgres.shared().port
        try await onThread {
            let client = try WireClient(port: port, [rule])
            #expect(try client.answer().errors == ["53300 sorry, too many clients already"])
            #expect(client.end == .finish)
        }
    }

    @Test func aLostCommitIsDoneAllTheSame() async throws {
        try await withClient("lost-commit") { client in
            _ = try client.query("create table wire_lost_commit (a int)")
            _ = try client.query("begin")
            _ = try client.query("insert into wire_lost_commit values (1)")
            #expect(try client.query("commit").types == "")
            #expect(client.end == .reset)
        }
        try await withClient { client in
            #expect(try client.query("select count(*) from wire_lost_commit").values == ["1"])
            _ = try client.query("drop table wire_lost_commit")
        }
    }
}
