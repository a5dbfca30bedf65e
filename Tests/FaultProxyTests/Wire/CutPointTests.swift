import FaultProxy
import Testing

@Suite struct CutPointTests {
    /// The effects in both streams after the greeting, each part given as it is.
    private func effects(_ inspector: inout WireInspector, _ parts: [WireDialogue.Part]) -> [WireEffect] {
        for part in Wire.greeting { _ = inspector.intercept(part.bytes, part.stream) }
        return parts.flatMap { inspector.intercept($0.bytes, $0.stream) }.joined
    }

    private let commit = Wire.complete("COMMIT")
    private let end = Wire.ready("I")

    @Test func aLostCommitIsCutInFrontOfItsAnswer() throws {
        var inspector = WireInspector([try CutRule(words: "lost-commit")])
        let query = Wire.query("commit")
        let effects = effects(&inspector, [Wire.up(query), Wire.down(Wire.complete("BEGIN"), commit, end)])
        #expect(effects == [.pass(query + Wire.complete("BEGIN")), .hit(cut: "cut0"), .close(.reset)])
        #expect(inspector.intercept(end, .downstream) == [])
    }

    @Test(arguments: [
        ("after CommandComplete tag=commit do finish", 12, [WireEffect.close(.finish)]),
        ("inside CommandComplete tag=COMMIT do reset", 6, [.close(.reset)]),
        ("inside CommandComplete bytes=9 do delay 5", 9, [.delay(.milliseconds(5))]),
        ("before CommandComplete do truncate 3", 3, [.close(.finish)]),
        ("before CommandComplete do truncate 300 manner=reset", 11, [.close(.reset)]),
        ("after CommandComplete do blackhole", 12, [.blackhole([.downstream])]),
        ("before CommandComplete do blackhole both", 0, [.blackhole([.upstream, .downstream])]),
        ("before CommandComplete do error 57P01 text=bye", 0, [.answer(fatal("57P01", "bye")), .close(.finish)]),
    ])
    func thePlaceIsExactHoweverTheBytesCome(words: String, place: Int, deeds: [WireEffect]) throws {
        let bytes = commit + end
        #expect(commit.count == 12)
        var wanted: [WireEffect] = place == 0 ? [] : [.pass(Array(bytes[..<place]))]
        wanted += [.hit(cut: "cut0")] + deeds
        if case .delay? = deeds.first { wanted.append(.pass(Array(bytes[place...]))) }
        for split in 0...bytes.count {
            var inspector = WireInspector([try CutRule(words: words)])
            let effects = effects(&inspector, [Wire.down(Array(bytes[..<split])), Wire.down(Array(bytes[split...]))])
            #expect(effects == wanted, "split at \(split)")
        }
    }

    private static func fatal(_ code: String, _ text: String) -> [UInt8] {
        Wire.message("E", ["SFATAL", "VFATAL", "C\(code)", "M\(text)", "Rchaosrig_cut_point"].flatMap(Wire.text) + [0])
    }

    @Test func occurrencesAreCountedOverAllConnections() throws {
        let cut = ActiveCut(
            name: "x", rule: try CutRule(words: "before Query statement=^UPDATE every=3 do delay 1 times=2"),
            record: CutRecord())
        var hits: [Int] = []
        for connection in 0..<12 {
            var inspector = WireInspector()
            inspector.setCuts([cut])
            let effects = effects(&inspector, [Wire.up(Wire.query("select 1"), Wire.query("update t"))])
            if effects.contains(.hit(cut: "x")) { hits.append(connection) }
        }
        #expect(hits == [2, 5])
        #expect(cut.record.matches == 12)
        #expect(cut.record.hits == 2)
    }

    @Test func aShareIsChosenByTheSeed() throws {
        func hits(_ seed: Int) throws -> [Bool] {
            var inspector = WireInspector([try CutRule(words: "before Query share=0.3 seed=\(seed) do delay 1")])
            for part in Wire.greeting { _ = inspector.intercept(part.bytes, part.stream) }
            return (0..<1000).map { _ in inspector.intercept(Wire.query("x"), .upstream).contains(.hit(cut: "cut0")) }
        }
        let first = try hits(1)
        #expect(try hits(1) == first)
        #expect(try hits(2) != first)
        #expect((240...360).contains(first.filter { $0 }.count))
    }

    @Test func statementTextReachesBindExecuteAndTheAnswers() throws {
        let names = ["Parse", "Bind", "Execute", "DataRow", "CommandComplete", "ReadyForQuery"]
        for name in names {
            var inspector = WireInspector([try CutRule(words: "before \(name) statement='from accounts' do delay 1")])
            for part in Wire.greeting { _ = inspector.intercept(part.bytes, part.stream) }
            func hits(_ bytes: [UInt8], _ stream: ProxyStream) -> Int {
                let effects = inspector.intercept(bytes, stream)
                #expect(effects.passed == bytes)
                return effects.deeds.filter { $0 == .hit(cut: "cut0") }.count
            }
            let isParse = name == "Parse"
            let isUp = ["Bind", "Execute"].contains(name)
            let again = Wire.bind("p", "s") + Wire.execute("p") + Wire.sync
            let up = hits(
                Wire.parse("s", "select * from accounts") + Wire.sync + Wire.extended("", "select 2") + again, .upstream
            )
            #expect(up == (isParse || isUp ? 1 : 0), "\(name)")
            let down =
                Wire.message("1") + end + Wire.message("1") + Wire.message("2") + Wire.rowDescription() + Wire.row("2")
                + Wire.complete("SELECT 1") + end
            #expect(hits(down, .downstream) == 0, "\(name)")
            let answer = Wire.message("2") + Wire.row("1") + Wire.complete("SELECT 1") + end
            #expect(hits(answer, .downstream) == (isParse || isUp ? 0 : 1), "\(name)")
        }
    }

    @Test(arguments: [1, 5, 1000])
    func aStatementPreparedBeforeTheRuleCameIsKnown(pieces: Int) throws {
        var inspector = WireInspector()
        for part in Wire.greeting { inspector.observe(part.bytes, part.stream) }
        let prepare = Wire.parse("s", "select 'old'") + Wire.parse("t", "select 'other'") + Wire.sync
        for start in stride(from: 0, to: prepare.count, by: pieces) {
            inspector.observe(prepare[start..<min(start + pieces, prepare.count)], .upstream)
        }
        inspector.observe(Wire.message("1") + Wire.message("1") + end, .downstream)
        let rule = try CutRule(words: "before CommandComplete statement=old do delay 1")
        inspector.setCuts([ActiveCut(name: "late", rule: rule, record: CutRecord())])
        for (name, isHit) in [("t", false), ("s", true)] {
            _ = inspector.intercept(Wire.bind("", name) + Wire.execute("") + Wire.sync, .upstream)
            let effects = inspector.intercept(Wire.message("2") + commit + end, .downstream)
            #expect(effects.contains(.hit(cut: "late")) == isHit)
        }
    }

    @Test func anErrorInABatchKeepsTheQueueInStep() throws {
        var inspector = WireInspector([try CutRule(words: "before CommandComplete statement=three do delay 1")])
        let first = Wire.extended("", "one") + Wire.extended("", "two") + Wire.extended("", "three")
        let failed = Wire.message("1") + Wire.message("2") + Wire.error("22012") + end
        let good = Wire.message("1") + Wire.message("2") + Wire.message("n") + commit + end
        let effects = effects(&inspector, [Wire.up(first), Wire.down(failed, good)])
        #expect(effects.deeds == [])
        #expect(inspector.intercept(good, .downstream).deeds == [.hit(cut: "cut0"), .delay(.milliseconds(1))])
    }

    @Test func whatTheServerSkipsAfterAnErrorIsNotAnswered() throws {
        var inspector = WireInspector([try CutRule(words: "before Execute do error 40001")])
        let skipped = Wire.bind("", "") + Wire.execute("")
        let effects = effects(
            &inspector, [Wire.up(Wire.parse("", "nonsense")), Wire.down(Wire.error("42601")), Wire.up(skipped)])
        #expect(effects == [.pass(Wire.parse("", "nonsense") + Wire.error("42601") + skipped)])
        #expect(inspector.intercept(Wire.sync, .upstream).deeds == [])
        #expect(inspector.intercept(end, .downstream).deeds == [])
        #expect(inspector.intercept(skipped, .upstream).injects)
    }

    @Test func anErrorIsNotInjectedIntoAFailedTransaction() throws {
        var inspector = WireInspector([try CutRule(words: "before Query do error 40001")])
        #expect(!effects(&inspector, [Wire.down(Wire.ready("E")), Wire.up(Wire.query("x"))]).injects)
        _ = inspector.intercept(Wire.ready("I"), .downstream)
        #expect(inspector.intercept(Wire.query("x"), .upstream).injects)
    }

    @Test(arguments: [("true", false), ("database", false), ("of", true), ("NO", true), ("0", true), ("on", false)])
    func anErrorIsNotInjectedIntoAReplicationConnection(replication: String, injects: Bool) throws {
        var inspector = WireInspector([try CutRule(words: "before Query do error 40001")])
        _ = inspector.intercept(Wire.startup(["user", "ann", "replication", replication]), .upstream)
        _ = inspector.intercept(Wire.greeting[1].bytes, .downstream)
        #expect(inspector.intercept(Wire.query("x"), .upstream).injects == injects)
    }

    @Test func anErrorIsAHitWhenTheServerHasSentIt() throws {
        let rule = try CutRule(words: "before Query do error 40001 times=1")
        let cut = ActiveCut(name: "x", rule: rule, record: CutRecord())
        func ask(_ answer: [UInt8]) -> (injects: Bool, deeds: [WireEffect]) {
            var inspector = WireInspector()
            inspector.setCuts([cut])
            let injects = effects(&inspector, [Wire.up(Wire.query("x"))]).injects
            // It is still known when the rule is removed.
            inspector.setCuts([])
            let deeds = answer.flatMap { inspector.intercept([$0], .downstream) }.deeds
            #expect(!inspector.hasCuts || answer.isEmpty)
            return (injects, deeds)
        }
        // Each gives the claim back: another error, the end of the connection.
        #expect(ask(Wire.error("57014") + end) == (true, []))
        #expect(ask([]) == (true, []))
        #expect(cut.record.hits == 0)
        #expect(ask(Wire.error("40001") + end) == (true, [.hit(cut: "x")]))
        #expect(cut.record.hits == 1)
        #expect(ask(commit + end) == (false, []))
        #expect(cut.record.hits == 1)
    }

    @Test func theTurnOfAnErrorThatDidNotComeGoesToTheNextMatch() throws {
        let rule = try CutRule(words: "before Query do error 40001 nth=2")
        let cut = ActiveCut(name: "x", rule: rule, record: CutRecord())
        func ask(_ answer: [UInt8]) -> (injects: Bool, deeds: [WireEffect]) {
            var inspector = WireInspector()
            inspector.setCuts([cut])
            let injects = effects(&inspector, [Wire.up(Wire.query("x"))]).injects
            return (injects, inspector.intercept(answer, .downstream).deeds)
        }
        #expect(ask(commit + end) == (false, []))
        // Another error, the end of the connection.
        #expect(ask(Wire.error("57014") + end) == (true, []))
        #expect(ask([]) == (true, []))
        #expect(ask(Wire.error("40001") + end) == (true, [.hit(cut: "x")]))
        #expect(ask(commit + end) == (false, []))
        #expect(cut.record.hits == 1 && cut.record.matches == 5)
    }

    @Test func answersToOurOwnMessagesAreHiddenHoweverMuchIsSentAhead() throws {
        var inspector = WireInspector([
            try CutRule(words: "before Execute statement=cutme do error 40001"),
            try CutRule(words: "before CommandComplete statement=cutme do reset"),
        ])
        let bad = Wire.parse("", "cutme") + Wire.bind("", "") + Wire.execute("")
        #expect(effects(&inspector, [Wire.up(bad)]).injects)
        let ahead = 70_000
        let many = Wire.sync + Array(repeatElement(Wire.query("cutme"), count: ahead).joined())
        #expect(inspector.intercept(many, .upstream) == [.pass(many)])
        let (opened, ours) = (
            Wire.message("1") + Wire.message("2"), Wire.message("3") + Wire.message("1") + Wire.message("2")
        )
        let failed = Wire.error("40001") + end
        let effects = inspector.intercept(opened + ours + failed, .downstream)
        #expect(effects.joined.filter { $0 != .hit(cut: "cut0") }.joined == [.pass(opened + failed)])
        #expect(effects.deeds == [.hit(cut: "cut0")])
        // Whose answers these are is not known.
        let rest = Array(repeatElement(commit + end, count: ahead).joined())
        #expect(inspector.intercept(rest, .downstream).joined == [.pass(rest)])
        // All is answered: from here on it is.
        _ = inspector.intercept(Wire.query("cutme"), .upstream)
        #expect(inspector.intercept(commit, .downstream).deeds == [.hit(cut: "cut1"), .close(.reset)])
    }

    @Test func noErrorIsInjectedWhereItsAnswersCouldNotBeKnown() throws {
        var inspector = WireInspector([try CutRule(words: "before Execute statement=cutme do error 40001")])
        // One entry is free.
        let many = Array(repeatElement(Wire.query("x"), count: 65_533).joined())
        #expect(effects(&inspector, [Wire.up(many)]).deeds == [])
        let bad = Wire.parse("", "cutme") + Wire.bind("", "") + Wire.execute("")
        #expect(inspector.intercept(bad, .upstream) == [.pass(bad)])
    }

    @Test func noErrorIsInjectedBehindAnotherUpToTheSync() throws {
        let rule = try CutRule(words: "before Execute do error 40001")
        let cut = ActiveCut(name: "x", rule: rule, record: CutRecord())
        var inspector = WireInspector()
        inspector.setCuts([cut])
        let step = Wire.bind("", "s") + Wire.execute("")
        for round in 1...2 {
            let parts = round == 1 ? Wire.greeting : []
            for part in parts { _ = inspector.intercept(part.bytes, part.stream) }
            #expect(inspector.intercept(step, .upstream).injects)
            #expect(inspector.intercept(step + step, .upstream) == [.pass(step + step)])
            _ = inspector.intercept(Wire.sync, .upstream)
            #expect(cut.record.matches == round)
        }
    }

    @Test func anErrorThatIsUnderWayIsCountedForTheLimit() throws {
        var inspector = WireInspector([try CutRule(words: "before Query do error 40001 times=1")])
        #expect(effects(&inspector, [Wire.up(Wire.query("x"))]).injects)
        #expect(!inspector.intercept(Wire.query("x"), .upstream).injects)
        let answers = inspector.intercept(Wire.error("40001") + end + Wire.error("40001") + end, .downstream)
        #expect(answers.deeds == [.hit(cut: "cut0")])
    }

    @Test func stateUserAndApplicationNarrowARule() throws {
        for (words, isHit) in [
            ("transaction=in-transaction", true), ("transaction=idle", false), ("user=ann", true), ("user=bob", false),
            ("application=shop", true), ("application=other", false),
        ] {
            var inspector = WireInspector([try CutRule(words: "before Query statement=^x \(words) do reset")])
            let effects = effects(
                &inspector, [Wire.up(Wire.query("begin")), Wire.down(Wire.ready("T")), Wire.up(Wire.query("x"))])
            #expect(effects.contains(.close(.reset)) == isHit, "\(words)")
        }
    }

    @Test func aReadyForQueryCountsWithTheStateThatItTells() throws {
        var inspector = WireInspector([try CutRule(words: "before ReadyForQuery transaction=in-transaction do reset")])
        let effects = effects(&inspector, [Wire.down(Wire.ready("T"))])
        #expect(effects == [.hit(cut: "cut0"), .close(.reset)])
    }

    @Test(arguments: [
        ("update", "UPDATE 3", true), ("UPDATE 3", "UPDATE 3", true), ("UPDATE 3", "UPDATE 30", false),
        ("INSERT", "INSERT 0 1", true), ("INSERT 0", "INSERT 0 1", true), ("COMMIT", "COMMIT PREPARED", false),
        ("COMMIT PREPARED", "COMMIT PREPARED", true), ("CREATE", "CREATE TABLE", false), ("COMM", "COMMIT", false),
    ])
    func aTagIsNamedWithOrWithoutItsCounts(wanted: String, tag: String, isHit: Bool) throws {
        var inspector = WireInspector([try CutRule(words: "before CommandComplete tag='\(wanted)' do reset")])
        let effects = effects(&inspector, [Wire.up(Wire.query("x")), Wire.down(Wire.complete(tag))])
        #expect(effects.contains(.close(.reset)) == isHit)
    }

    @Test func aReadyForQueryHasTheTagOfItsOwnStatement() throws {
        var inspector = WireInspector([try CutRule(words: "before ReadyForQuery tag=COMMIT do delay 1")])
        #expect(effects(&inspector, [Wire.up(Wire.query("x")), Wire.down(commit, end)]).deeds.count == 2)
        let failed = Wire.error("42601") + end
        _ = inspector.intercept(Wire.query("x"), .upstream)
        #expect(inspector.intercept(failed, .downstream).deeds == [])
        #expect(inspector.facts.lastCommandTag == "COMMIT")
    }

    @Test(arguments: ["StartupMessage user=ann", "SSLRequest", "Authentication", "AuthenticationOk", "BackendKeyData"])
    func theWayIntoASessionCanBeCut(message: String) throws {
        var inspector = WireInspector([try CutRule(words: "before \(message) do reset")])
        var effects: [WireEffect] = []
        for byte in Wire.sslRequest { effects += inspector.intercept([byte], .upstream) }
        effects += inspector.intercept([UInt8(ascii: "N")], .downstream)
        for byte in Wire.startup() { effects += inspector.intercept([byte], .upstream) }
        effects += inspector.intercept(Wire.greeting[1].bytes, .downstream)
        #expect(effects.deeds == [.hit(cut: "cut0"), .close(.reset)])
    }

    @Test func theCancelConnectionCanBeCut() throws {
        var inspector = WireInspector([try CutRule(words: "cancel-connection")])
        let cancel = Wire.packet(80_877_102, Wire.int32(1) + Wire.int32(2))
        #expect(inspector.intercept(cancel[..<9], .upstream) == [])
        #expect(inspector.intercept(cancel[9...], .upstream) == [.hit(cut: "cut0"), .close(.reset)])
    }

    @Test func aFatalErrorWaitsForTheEndOfTheServersMessage() throws {
        var inspector = WireInspector([try CutRule(words: "before Terminate do error 57P01 text=bye")])
        let row = Wire.row("twelve bytes")
        let effects = effects(
            &inspector,
            [
                Wire.up(Wire.query("x")), Wire.down(Array(row[..<8])), Wire.up(Wire.message("X")),
                Wire.down(row[8...] + commit),
            ])
        let answer = WireEffect.answer(Self.fatal("57P01", "bye"))
        #expect(
            effects == [
                .pass(Wire.query("x") + row[..<8]), .hit(cut: "cut0"), .pass(Array(row[8...])), answer, .close(.finish),
            ])
    }

    @Test func rulesThatComeInTheMiddleOfAMessageBeginWithTheNextOne() throws {
        let rule = try CutRule(words: "before CommandComplete tag=COMMIT do reset")
        let bytes = commit + commit
        for split in 1..<commit.count {
            var inspector = WireInspector()
            for part in Wire.greeting { inspector.observe(part.bytes, part.stream) }
            inspector.observe(bytes[..<split], .downstream)
            inspector.setCuts([ActiveCut(name: "late", rule: rule, record: CutRecord())])
            let effects = inspector.intercept(bytes[split...], .downstream).joined
            #expect(
                effects == [.pass(Array(commit[split...])), .hit(cut: "late"), .close(.reset)], "split at \(split)")
        }
    }

    @Test func rulesThatGoInTheMiddleOfAMessageLoseNothing() throws {
        let rule = try CutRule(words: "before CommandComplete tag=COMMIT do reset")
        for split in 0...commit.count {
            var inspector = WireInspector([rule])
            for part in Wire.greeting { _ = inspector.intercept(part.bytes, part.stream) }
            var effects = inspector.intercept(commit[..<split], .downstream)
            if split == commit.count { continue }
            inspector.setCuts([])
            #expect(inspector.hasCuts == (split > 0))
            effects += inspector.intercept(commit[split...], .downstream)
            #expect(effects.joined == [.pass(commit)])
            #expect(!inspector.hasCuts)
            #expect(inspector.facts.lastCommandTag == "COMMIT")
        }
    }

    @Test func theEndOfAStreamGivesWhatWasKept() throws {
        var inspector = WireInspector([try CutRule(words: "lost-commit")])
        for part in Wire.greeting { _ = inspector.intercept(part.bytes, part.stream) }
        #expect(inspector.intercept(commit[..<7], .downstream) == [])
        #expect(inspector.endOfStream(.downstream) == [.pass(Array(commit[..<7]))])
        #expect(inspector.endOfStream(.downstream) == [])
        #expect(inspector.endOfStream(.upstream) == [])
    }

    @Test func aStatementOf3MiBIsSeenByItsFirstMiBAndKeptNoFurther() throws {
        let long = Wire.query("select '" + String(repeating: "x", count: 3 << 20) + "' from needle")
        for (pattern, isHit) in [("^select 'x", true), ("needle", false)] {
            var inspector = WireInspector([try CutRule(words: "after Query statement=\"\(pattern)\" do delay 1")])
            for part in Wire.greeting { _ = inspector.intercept(part.bytes, part.stream) }
            var effects: [WireEffect] = []
            var at = 0
            while at < long.count {
                let next = min(at + 10_007, long.count)
                effects += inspector.intercept(long[at..<next], .upstream)
                at = next
                #expect(at - effects.passed.count <= 1 << 20)
            }
            let deeds: [WireEffect] = isHit ? [.hit(cut: "cut0"), .delay(.milliseconds(1))] : []
            #expect(effects.joined == [.pass(long)] + deeds)
        }
    }

    @Test func theTextsOfStatementsSentAheadAreKeptUpTo4MiB() throws {
        var inspector = WireInspector([try CutRule(words: "before CommandComplete statement=^x do delay 1")])
        let query = Wire.query(String(repeating: "x", count: 512 << 10))
        for part in Wire.greeting { _ = inspector.intercept(part.bytes, part.stream) }
        for round in 0..<3 {
            for _ in 0..<12 { _ = inspector.intercept(query, .upstream) }
            let deeds = (0..<12).flatMap { _ in inspector.intercept(commit + end, .downstream).deeds }
            #expect(deeds.filter { $0 == .hit(cut: "cut0") }.count == 8, "round \(round)")
        }
    }

    @Test(arguments: Wire.dialogues)
    func withoutAMatchEveryByteGoesOnHoweverItComes(dialogue: WireDialogue) throws {
        try Self.checkTransparency(dialogue)
    }

    /// Rules of every kind that match nothing.
    static let idleRules = [
        "before Query statement=never do reset", "before CommandComplete tag=NEVER do reset",
        "inside DataRow nth=1000000000 do finish", "before Execute statement=never do error 40001",
        "before Authentication nth=1000000000 do reset",
        "before ReadyForQuery transaction=failed user=nobody do finish",
    ]

    static func checkTransparency(_ dialogue: WireDialogue) throws {
        let rules = try idleRules.map { try CutRule(words: $0) }
        var reference = WireInspector()
        for part in dialogue.parts { reference.observe(part.bytes, part.stream) }
        for size in [1, 2, 3, 5, 7, 11, 64, 100_000] {
            var inspector = WireInspector(rules)
            var passed: [ProxyStream: [UInt8]] = [.upstream: [], .downstream: []]
            for part in dialogue.parts {
                var at = 0
                while at < part.bytes.count {
                    let next = min(at + size, part.bytes.count)
                    let effects = inspector.intercept(part.bytes[at..<next], part.stream)
                    #expect(effects.deeds == [])
                    passed[part.stream]? += effects.passed
                    at = next
                }
            }
            for stream in ProxyStream.allCases {
                passed[stream]? += inspector.endOfStream(stream).passed
                #expect(passed[stream] == dialogue.bytes(stream), "pieces of \(size)")
            }
            #expect(inspector.facts == reference.facts, "pieces of \(size)")
        }
    }
}
