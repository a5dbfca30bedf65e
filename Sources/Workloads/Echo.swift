import ConnectionPool
import RigModel

/// The number that a statement carried, and the one that came back in the second column.
enum Echo {
    private static let good = [JSONValue.Member("echo", true)]

    static func notes(sent: Int64, _ row: [SQLValue]?) -> [JSONValue.Member] {
        let got = row.flatMap { $0.count > 1 ? $0[1].intValue : nil }
        if got == sent { return good }
        return [.init("echo", ["sent": .int(sent), "got": got.map(JSONValue.int) ?? .null])]
    }
}
