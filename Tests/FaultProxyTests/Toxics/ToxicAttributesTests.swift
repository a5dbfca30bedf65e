import RigModel
import Testing

@testable import FaultProxy

@Suite struct ToxicAttributesTests {
    private func merge(_ type: String, _ json: String, over: String = "{}") throws -> String {
        let type = try #require(ToxicCatalogue.type(named: type))
        let toxic = try type.toxic(from: JSONValue(parsing: over)).merged(with: JSONValue(parsing: json))
        return JSONValue.object(toxic.attributes.values).compactText
    }

    @Test(
        "Merged as Toxiproxy merges",
        arguments: [
            (#"{}"#, #"{"latency":5,"jitter":2}"#),
            (#"null"#, #"{"latency":5,"jitter":2}"#),
            (#"{"latency":null}"#, #"{"latency":5,"jitter":2}"#),
            (#"{"jitter":9}"#, #"{"latency":5,"jitter":9}"#),
            (#"{"LATENCY":7}"#, #"{"latency":7,"jitter":2}"#),
            (#"{"latency":1,"Latency":2}"#, #"{"latency":2,"jitter":2}"#),
            (#"{"unknown":"x","jitter":0}"#, #"{"latency":5,"jitter":0}"#),
            (#"{"latency":9223372036854775807}"#, #"{"latency":9223372036854775807,"jitter":2}"#),
        ])
    func merged(json: String, expected: String) throws {
        #expect(try merge("latency", json, over: #"{"latency":5,"jitter":2}"#) == expected)
    }

    @Test(
        "What is refused says why",
        arguments: [
            ("latency", #"{"latency":"50"}"#, #"latency: expected a whole number from 0, saw "50""#),
            ("latency", #"{"jitter":true}"#, "jitter: expected a whole number from 0, saw true"),
            ("latency", #"{"latency":-1}"#, "latency: expected a whole number from 0, saw -1"),
            ("latency", #"{"latency":1.5}"#, "latency: expected a whole number from 0, saw 1.5"),
            ("latency", #"{"latency":1.0}"#, "latency: expected a whole number from 0, saw 1.0"),
            ("latency", #"{"latency":1e19}"#, "latency: expected a whole number from 0, saw 1e+19"),
            ("latency", #"{"latency":[1]}"#, "latency: expected a whole number from 0, saw an array"),
            ("latency", #"[]"#, "attributes: expected an object, saw an array"),
            ("latency", #""x""#, #"attributes: expected an object, saw "x""#),
            ("bandwidth", #"{"rate":-5}"#, "rate: expected a whole number from 0, saw -5"),
            ("corrupt", #"{"rate":1.5}"#, "rate: expected a number from 0 to 1, saw 1.5"),
            ("corrupt", #"{"bytes":0}"#, "bytes: expected a whole number from 1, saw 0"),
            ("cut_after", #"{"manner":"fin"}"#, #"manner: expected one of "reset", "finish", saw "fin""#),
            ("half_open", #"{"answer":1}"#, #"answer: expected one of "none", "reset", saw 1"#),
        ])
    func refused(type: String, json: String, message: String) throws {
        let error = #expect(throws: ToxicAttributeError.self) { try merge(type, json) }
        #expect(error?.description == message)
    }

    @Test func aLongTextIsCutInTheError() throws {
        let json = JSONValue.object([.init("latency", .string(String(repeating: "x", count: 1_000_000)))])
        let error = #expect(throws: ToxicAttributeError.self) { try LatencyToxic.type.toxic(from: json) }
        #expect(try #require(error).description.count < 120)
    }

    @Test func aShareTakesAWholeNumber() throws {
        #expect(try merge("corrupt", #"{"rate":0}"#) == #"{"rate":0,"bytes":1,"after_bytes":0}"#)
    }

    @Test(
        "All of Toxiproxy's, zeros included, in its order",
        arguments: [
            ("latency", #"{"latency":0,"jitter":0}"#), ("bandwidth", #"{"rate":0}"#), ("slow_close", #"{"delay":0}"#),
            ("timeout", #"{"timeout":0}"#), ("reset_peer", #"{"timeout":0}"#),
            ("slicer", #"{"average_size":0,"size_variation":0,"delay":0}"#), ("limit_data", #"{"bytes":0}"#),
            ("noop", "{}"),
        ])
    func standard(type: String, expected: String) throws {
        #expect(try merge(type, "{}") == expected)
        #expect(ToxicCatalogue.type(named: type)?.isToxiproxys == true)
    }

    @Test func namesAreUniqueAndEveryTypeMakesItsOwnKind() throws {
        let names = ToxicCatalogue.types.map(\.name)
        #expect(Set(names).count == names.count)
        #expect(names.count == 14)
        for type in ToxicCatalogue.types {
            let toxic = try type.toxic()
            #expect(Swift.type(of: toxic).type.name == type.name)
            #expect(toxic.attributes == type.standardAttributes)
            for attribute in type.attributes { #expect(try attribute.accept(attribute.standard) == attribute.standard) }
        }
        #expect(ToxicCatalogue.nearest(to: "lattency") == "latency")
        #expect(ToxicCatalogue.nearest(to: "reset-peer") == "reset_peer")
        #expect(ToxicCatalogue.nearest(to: "packet_storm") == nil)
    }
}
