import CLibPQ
import ConnectionPool
import Glibc

/// Reads values out of a result of libpq.
enum ResultReader {
    /// The rows and the count of changed rows of a successful result.
    ///
    /// - Complexity: O(rows × columns); one allocation per row, and one for each text over 15 bytes.
    static func read(_ result: OpaquePointer) -> SQLResult {
        SQLResult(rows: rows(of: result), affectedRows: affectedRows(of: result))
    }

    private static func rows(of result: OpaquePointer) -> [[SQLValue]] {
        let (height, width) = (PQntuples(result), PQnfields(result))
        if height == 0 { return [] }
        return withUnsafeTemporaryAllocation(of: UInt32.self, capacity: max(1, Int(width))) { types in
            for column in 0..<width { types.initializeElement(at: Int(column), to: PQftype(result, column)) }
            var rows: [[SQLValue]] = []
            rows.reserveCapacity(Int(height))
            for row in 0..<height {
                var values: [SQLValue] = []
                values.reserveCapacity(Int(width))
                for column in 0..<width { values.append(value(in: result, row, column, types[Int(column)])) }
                rows.append(values)
            }
            return rows
        }
    }

    private static func value(
        in result: OpaquePointer, _ row: Int32, _ column: Int32, _ type: UInt32
    ) -> SQLValue {
        guard let start = PQgetvalue(result, row, column) else { return .null }
        let count = Int(PQgetlength(result, row, column))
        // libpq answers NULL with an empty string, too.
        if count == 0, PQgetisnull(result, row, column) == 1 { return .null }
        return TextValues.decode(UnsafeRawBufferPointer(start: start, count: count), typeOID: type)
    }

    /// For SELECT and its like the tag counts rows that were read.
    private static func affectedRows(of result: OpaquePointer) -> Int {
        guard let tag = PQcmdStatus(result) else { return 0 }
        for word in ["SELECT", "FETCH", "MOVE"] as [StaticString] where tag.begins(with: word) { return 0 }
        guard let digits = PQcmdTuples(result) else { return 0 }
        return digits.decimalValue
    }
}

extension UnsafeMutablePointer<CChar> {
    /// Whether the C string begins with these ASCII characters.
    func begins(with word: StaticString) -> Bool {
        strncmp(self, UnsafeRawPointer(word.utf8Start).assumingMemoryBound(to: CChar.self), word.utf8CodeUnitCount) == 0
    }

    /// The number that the C string begins with; 0 for none.
    fileprivate var decimalValue: Int {
        var value = 0
        var next = self
        while next.pointee >= 48, next.pointee <= 57 {
            value = value &* 10 &+ Int(next.pointee - 48)
            next += 1
        }
        return value
    }
}
