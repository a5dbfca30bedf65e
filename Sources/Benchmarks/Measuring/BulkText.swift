/// The rows of the bulk scenarios as text: `number TAB number*7%1000 TAB "row number" number`.
struct BulkText {
    static let rowsPerStatement = 1000
    private static let fullBytes = 60_000
    private(set) var bytes: [UInt8] = []

    init() { bytes.reserveCapacity(Self.fullBytes + 100) }

    /// Enough for one piece on its way to the server.
    var isFull: Bool { bytes.count > Self.fullBytes }

    /// Appends one line of COPY's text format.
    mutating func append(_ row: Int) {
        digits(row)
        bytes.append(UInt8(ascii: "\t"))
        digits(row * 7 % 1000)
        bytes.append(contentsOf: "\trow number ".utf8)
        digits(row)
        bytes.append(UInt8(ascii: "\n"))
    }

    mutating func removeAll() { bytes.removeAll(keepingCapacity: true) }

    private mutating func digits(_ number: Int) {
        var limit = 10
        while limit <= number {
            bytes.append(0)
            limit *= 10
        }
        bytes.append(0)
        var place = bytes.count
        var rest = number
        repeat {
            place -= 1
            bytes[place] = UInt8(48 + rest % 10)
            rest /= 10
        } while rest > 0
    }

    /// One INSERT of several rows.
    static func insert(_ rows: Range<Int>, into table: String) -> String {
        "INSERT INTO \(table) VALUES"
            + rows.map { "(\($0),\($0 * 7 % 1000),'row number \($0)')" }.joined(separator: ",")
    }
}
