/// What makes two reads the same: text and parameters.
struct ResultCacheKey: Hashable, Sendable {
    let text: String
    let parameters: [SQLValue]

    init(_ statement: SQLStatement) {
        text = statement.text
        parameters = statement.parameters
    }

    var byteCount: Int { text.heapByteCount + parameters.heapByteCount }
}

extension SQLResult {
    /// The memory that the rows take, as Swift lays them out.
    var byteCount: Int {
        rows.reduce(32 + MemoryLayout<[SQLValue]>.stride * rows.count) { $0 + $1.heapByteCount }
    }
}

extension [SQLValue] {
    /// The array's header (32 bytes), its elements, and the texts that they point to.
    fileprivate var heapByteCount: Int {
        reduce(32 + MemoryLayout<SQLValue>.stride * count) { sum, value in
            if case .text(let text) = value { sum + text.heapByteCount } else { sum }
        }
    }
}

extension String {
    /// Up to 15 bytes lie inside the value; longer ones in an object with a header of 32 bytes.
    fileprivate var heapByteCount: Int { utf8.count <= 15 ? 0 : utf8.count + 32 }
}
