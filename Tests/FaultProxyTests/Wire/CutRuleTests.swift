import FaultProxy
import RigModel
import Testing

@Suite struct CutRuleTests {
    struct Row: Sendable, CustomTestStringConvertible {
        let words: String
        let json: String
        let sentence: String
        var testDescription: String { words }
    }

    static let rows = [
        Row(
            words: "before CommandComplete tag=COMMIT do reset times=3",
            json: #"{"at":"before","message":"CommandComplete","tag":"COMMIT","action":"reset","times":3}"#,
            sentence: "before CommandComplete (downstream), tag COMMIT, at most 3 times: reset the connection"),
        Row(
            words: "lost-commit times=3", json: #"{"preset":"lost-commit","times":3}"#,
            sentence: "before CommandComplete (downstream), tag COMMIT, at most 3 times: reset the connection"),
        Row(
            words: "inside datarow bytes=7 every=2 do finish",
            json: #"{"at":"inside","message":"DataRow","bytes":7,"every":2,"action":"finish"}"#,
            sentence: "inside DataRow after 7 bytes (downstream), every 2 matches: close the connection"),
        Row(
            words: "before Query statement='^update .*accounts' share=0.5 seed=9 do error 40001",
            json:
                #"{"at":"before","message":"Query","statement":"^update .*accounts","share":0.5,"seed":9,"action":"error","sqlstate":"40001"}"#,
            sentence:
                "before Query (upstream), statement matches /^update .*accounts/, 0.5 of the matches (seed 9): answer with "
                + "ERROR 40001 \"could not serialize access due to concurrent update\" instead"),
        Row(
            words: "before StartupMessage user=ann application=\"my shop\" do error 53300 text='no room'",
            json:
                #"{"at":"before","message":"StartupMessage","user":"ann","application":"my shop","action":"error","sqlstate":"53300","text":"no room"}"#,
            sentence:
                "before StartupMessage (upstream), application my shop, user ann: answer with FATAL 53300 \"no room\" instead"
        ),
        Row(
            words: "after Parse nth=2 do delay 50ms",
            json: #"{"at":"after","message":"Parse","nth":2,"action":"delay","delay":50}"#,
            sentence: "after Parse (upstream), match number 2 only: hold the stream for 50 ms"),
        Row(
            words: "before CopyData stream=downstream do truncate 9 manner=reset",
            json:
                #"{"at":"before","message":"CopyData","stream":"downstream","action":"truncate","bytes":9,"manner":"reset"}"#,
            sentence: "before CopyData (downstream): let 9 bytes of it go on, then reset the connection"),
        Row(
            words: "before ReadyForQuery transaction=in-transaction do blackhole both",
            json:
                #"{"at":"before","message":"ReadyForQuery","transaction":"in-transaction","action":"blackhole","streams":"both"}"#,
            sentence:
                "before ReadyForQuery (downstream), transaction in-transaction: swallow everything upstream and downstream "
                + "from now on"),
    ]

    @Test(arguments: rows)
    func wordsAndJSONSayTheSame(row: Row) throws {
        let fromWords = try CutRule(words: row.words)
        #expect(try fromWords == CutRule(json: JSONValue(parsing: row.json)))
        #expect(fromWords.description == row.sentence)
        #expect(try CutRule(json: fromWords.json) == fromWords)
    }

    @Test func aTextWithBothKindsOfQuotesCanBeSaid() throws {
        let rule = try CutRule(words: "before Query statement='it'\"'\"'s \"x\"' do reset")
        #expect(rule.match.statement?.source == "it's \"x\"")
    }

    @Test(arguments: CutPreset.all.map(\.name))
    func everyPresetIsARule(name: String) throws {
        let rule = try CutPreset(named: name).rule()
        #expect(try CutRule(words: name) == rule)
        #expect(try CutRule(json: rule.json) == rule)
    }

    @Test(arguments: WireMessage.catalogue)
    func everyMessageCanBeNamed(message: WireMessage) throws {
        let rule = try CutRule(.before, message, stream: message.stream ?? .upstream, do: .reset)
        #expect(try CutRule(json: rule.json) == rule)
    }

    @Test(arguments: [
        ("before CommandComplet do reset", "message", "did you mean CommandComplete?"),
        ("before Nonsense do reset", "message", "no message"),
        ("before Query", "action", "missing"),
        ("before Query do", "action", "missing"),
        ("before Query do restet", "action", "did you mean reset?"),
        ("before Query stream=downstream do reset", "stream", "upstream only"),
        ("before CopyData do reset", "stream", "both streams"),
        ("before CopyData stream=sideways do reset", "stream", "none of upstream"),
        ("before Sync statement=x do reset", "statement", "no statement"),
        ("before Query statement=(x do reset", "statement", "regular expression"),
        ("before Query statement='(a)\\1' do reset", "statement", "back-reference at byte 3"),
        ("before Query tag=COMMIT do reset", "tag", "no command tag"),
        ("before Query times=0 do reset", "times", "less than 1"),
        ("before Query times=many do reset", "times", "whole number"),
        ("before Query nth=1 every=2 do reset", "every", "not with nth"),
        ("before Query share=1.5 do reset", "share", "between 0 and 1"),
        ("before Query transaction=open do reset", "transaction", "none of idle"),
        ("before Query bytes=3 do reset", "bytes", "inside, or truncate"),
        ("before Query delay=3 do reset", "delay", "not with this action"),
        ("before Query do delay", "delay", "missing"),
        ("before Query do reset delay=50.0ms", "delay", "not with this action"),
        ("before Query do delay soon", "delay", "no time"),
        ("before Query do delay -5", "delay", "more than nothing"),
        ("inside Query bytes=0 do reset", "bytes", "less than 1"),
        ("inside Query bytes=3 do truncate 4", "bytes", "twice"),
        ("after Query do error 40001", "action", "before only"),
        ("before Query do error 4000", "sqlstate", "five digits"),
        ("before Query do error 00000", "sqlstate", "no error"),
        ("before Query do error 40001 text=Übung", "text", "ASCII"),
        ("before Query do error 40001 text=''", "text", "1 to 1024"),
        ("before CommandComplete do error 40001", "severity", "take FATAL"),
        ("before StartupMessage do error 40001 severity=ERROR", "severity", "every error is FATAL"),
        ("before SSLRequest do error 53300", "action", "nobody reads"),
        ("before SSLRequest user=ann do reset", "user", "does not say who"),
        ("cancel-connection application=shop", "application", "does not say who"),
        ("before Query colour=red do reset", "colour", "unknown key"),
        ("before Query timse=3 do reset", "timse", "did you mean times?"),
        ("before Query do reset do finish", "action", "twice"),
        ("lost-comit", "at", "lost-commit"), ("preset=lost-comit", "preset", "did you mean lost-commit?"),
        ("", "", "example"), ("before Query statement='x do reset", "", "quote"),
    ])
    func whatCannotBeIsRefusedWithItsKey(words: String, key: String, problem: String) {
        do {
            let rule = try CutRule(words: words)
            Issue.record("it was read as: \(rule)")
        } catch {
            #expect(error.key == key)
            #expect(error.description.contains(problem), "\(error)")
        }
    }

    @Test(arguments: [
        ("[]", "", "object"), (#"{"at":"before","message":7,"action":"reset"}"#, "message", "a text is wanted, not 7"),
        (#"{"message":"Query","action":"reset"}"#, "at", "missing"),
        (#"{"at":"before","action":"reset"}"#, "message", "missing"),
        (#"{"at":"before","message":"Query","action":"error","sqlstate":40001}"#, "sqlstate", "a text"),
        (#"{"at":"before","message":"Query","action":"reset","share":"half"}"#, "share", "a number"),
        (#"{"at":"before","message":"Query","action":"reset","times":1.5}"#, "times", "whole number"),
        (#"{"at":"before","message":"Query","action":"delay","delay":9e99}"#, "delay", "no time"),
        (#"{"at":"before","message":"Query","action":"delay","delay":99999999999}"#, "delay", "no time"),
    ])
    func wrongTypesAreRefusedWithTheirKey(json: String, key: String, problem: String) throws {
        let value = try JSONValue(parsing: json)
        do {
            let rule = try CutRule(json: value)
            Issue.record("it was read as: \(rule)")
        } catch {
            #expect(error.key == key)
            #expect(error.description.contains(problem), "\(error)")
        }
    }
}
