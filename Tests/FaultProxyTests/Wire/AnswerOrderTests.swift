import Testing

@testable import FaultProxy

/// Whatever a session has met, the next statement gets its own answers.
@Suite struct AnswerOrderTests {
    private static let copyIn = Wire.message("G", [0] + Wire.int16(1) + Wire.int16(0))
    private static let data = Wire.message("d", Array("1\n".utf8))
    private static let done = Wire.message("c")
    private static let opened = Wire.message("1") + Wire.message("2")
    private static let end = Wire.ready("I")

    static let dialogues: [WireDialogue] = [
        WireDialogue(
            "a COPY of an Execute fails while data is sent",
            [
                Wire.up(Wire.extended("", "copy")), Wire.down(opened, Wire.message("n"), copyIn), Wire.up(data),
                Wire.down(Wire.error("22P02")), Wire.up(done, Wire.sync), Wire.down(end),
            ]),
        WireDialogue(
            "a COPY of an Execute ends well",
            [
                Wire.up(Wire.extended("", "copy")), Wire.down(opened, Wire.message("n"), copyIn),
                Wire.up(data, done, Wire.sync), Wire.down(Wire.complete("COPY 1"), end),
            ]),
        WireDialogue(
            "a Query is skipped behind an error without a Sync",
            [
                Wire.up(Wire.parse("", "bad"), Wire.query("skipped"), Wire.query("skipped"), Wire.sync),
                Wire.down(Wire.error("42601"), end),
            ]),
        WireDialogue(
            "a Query is skipped, and its Sync comes later",
            [
                Wire.up(Wire.parse("", "bad"), Wire.query("skipped")), Wire.down(Wire.error("42601")),
                Wire.up(Wire.sync),
                Wire.down(end),
            ]),
    ]

    @Test(arguments: dialogues)
    func theNextStatementGetsItsOwnAnswer(dialogue: WireDialogue) throws {
        // From this part on the cut is there.
        for start in 0...dialogue.parts.count {
            var inspector = WireInspector()
            for part in Wire.greeting { inspector.observe(part.bytes, part.stream) }
            let rule = try CutRule(words: "before CommandComplete statement=wanted do delay 1")
            for (index, part) in (dialogue.parts + [Wire.up(Wire.query("wanted"), Wire.query("other"))]).enumerated() {
                if index == start {
                    inspector.setCuts([ActiveCut(name: "late", rule: rule, record: CutRecord())])
                }
                guard index >= start else {
                    inspector.observe(part.bytes, part.stream)
                    continue
                }
                #expect(inspector.intercept(part.bytes, part.stream).deeds == [])
                if index == dialogue.parts.count - 1 { #expect(inspector.facts.statementsInFlight == 0) }
            }
            let answer = Wire.complete("SELECT 1") + Self.end
            #expect(inspector.intercept(answer, .downstream).contains(.hit(cut: "late")), "from part \(start)")
            #expect(inspector.intercept(answer, .downstream).deeds == [])
            #expect(inspector.facts.statementsInFlight == 0)
        }
    }

    @Test func theReadyForQueryThatBeginsTheSessionAnswersNothing() throws {
        var inspector = WireInspector([try CutRule(words: "before CommandComplete statement=wanted do delay 1")])
        _ = inspector.intercept(Wire.startup() + Wire.query("wanted"), .upstream)
        _ = inspector.intercept(Wire.greeting[1].bytes, .downstream)
        #expect(inspector.intercept(Wire.complete("SELECT 1"), .downstream).contains(.hit(cut: "cut0")))
    }
}
