import FaultProxy
import RigModel

/// What `chaosrig list toxics` prints.
enum ToxicList {
    static var text: String { ToxicCatalogue.types.map(text).joined(separator: "\n") }

    static var json: JSONValue { .array(ToxicCatalogue.types.map(json)) }

    private static func text(_ type: ToxicType) -> String {
        let origin = type.isToxiproxys ? "" : " (not in Toxiproxy)"
        let width = type.attributes.map(\.name.count).max() ?? 0
        return
            (["\(type.name): \(type.summary)\(origin)"]
            + type.attributes.map {
                "    \($0.name.padding(to: width))  \($0.summary): \($0.expectation) (default \($0.standard.compactText))"
            }).joined(separator: "\n")
    }

    private static func json(_ type: ToxicType) -> JSONValue {
        [
            "name": .string(type.name), "summary": .string(type.summary), "toxiproxy": .bool(type.isToxiproxys),
            "both_streams": .bool(type.spansBothStreams),
            "attributes": .array(
                type.attributes.map {
                    [
                        "name": .string($0.name), "summary": .string($0.summary), "expected": .string($0.expectation),
                        "default": $0.standard,
                    ]
                }),
        ]
    }
}
