import RigModel

/// Lines of JSON out of a stream of bytes, with a bound. Pure.
struct AdapterLines {
    /// What is no line of the protocol, in words.
    struct Problem: Error, Equatable, CustomStringConvertible {
        let description: String
    }

    private let limit: Int
    private var bytes: [UInt8] = []
    /// Where the next line begins, and how far its end was looked for.
    private var start = 0
    private var searched = 0

    /// - Parameter limit: in bytes, of one line.
    init(limit: Int) { self.limit = limit }

    mutating func add(_ more: [UInt8]) {
        if start > 0 {
            bytes.removeFirst(start)
            searched -= start
            start = 0
        }
        bytes.append(contentsOf: more)
    }

    /// The next line, `nil` where there is none yet. Empty lines are passed over. O(bytes) over all calls.
    mutating func next() -> Result<JSONValue, Problem>? {
        while let end = bytes[searched...].firstIndex(of: UInt8(ascii: "\n")) {
            let line = bytes[start..<end]
            start = end + 1
            searched = start
            if line.count > limit { return .failure(tooLong) }
            if line.allSatisfy({ $0 == 0x20 || $0 == 0x0D || $0 == 0x09 }) { continue }
            do throws(JSONSyntaxError) {
                return .success(try JSONValue(parsing: line))
            } catch {
                let seen = String(decoding: line.prefix(200), as: UTF8.self)
                return .failure(Problem(description: "a line that is \(error): \(seen)"))
            }
        }
        searched = bytes.count
        return bytes.count - start > limit ? .failure(tooLong) : nil
    }

    private var tooLong: Problem {
        Problem(description: "a line of more than \(limit >> 20) MB; standard output is for answers")
    }
}
