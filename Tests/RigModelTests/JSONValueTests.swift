import RigModel
import Testing

@Suite struct JSONValueTests {
    let value: JSONValue = ["text": "t", "flag": true, "whole": 7, "real": 0.5, "list": [1]]

    @Test func memberIsFoundByItsKey() {
        #expect(value["text"]?.stringValue == "t")
        #expect(value["flag"]?.boolValue == true)
        #expect(value["whole"]?.intValue == 7)
        #expect(value["real"]?.doubleValue == 0.5)
        #expect(value["list"]?.arrayValue == [1])
        #expect(value["none"] == nil)
    }

    @Test func wholeNumberIsANumber() { #expect(value["whole"]?.doubleValue == 7) }

    @Test func valueOfAnotherKindIsNil() {
        #expect(value["text"]?.intValue == nil)
        #expect(value["real"]?.intValue == nil)
        #expect(value["whole"]?.stringValue == nil)
        #expect(JSONValue.string("text")["text"] == nil)
    }
}
