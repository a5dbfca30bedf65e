import RigModel
import Testing

@testable import Workloads

@Suite struct AdapterLinesTests {
    private func read(_ chunks: [String], limit: Int = 100) -> [Result<JSONValue, AdapterLines.Problem>] {
        var lines = AdapterLines(limit: limit)
        var found: [Result<JSONValue, AdapterLines.Problem>] = []
        for chunk in chunks {
            lines.add(Array(chunk.utf8))
            while let line = lines.next() {
                found.append(line)
                if case .failure = line { return found }
            }
        }
        return found
    }

    @Test("Lines are found wherever the stream was cut, and empty ones passed over")
    func linesAreFound() {
        let text = "{\"a\":1}\n\n \r\n[2]\n\"é\"\n"
        let bytes = Array(text.utf8)
        for cut in 0...bytes.count {
            var lines = AdapterLines(limit: 100)
            var found: [JSONValue] = []
            for part in [bytes[..<cut], bytes[cut...]] {
                lines.add(Array(part))
                while let line = try? lines.next()?.get() { found.append(line) }
            }
            #expect(found == [["a": 1], [2], "é"], "cut at \(cut)")
        }
    }

    @Test("A line without its end is none yet") func incompleteLineIsNone() { #expect(read(["{\"a\":1}"]).isEmpty) }

    @Test("What is no JSON is refused, and shown")
    func garbageIsRefused() throws {
        let found = read(["{\"a\":1}\nhello\n"])
        #expect(found.first == .success(["a": 1]))
        guard case .failure(let problem) = try #require(found.last) else { return #expect(Bool(false)) }
        #expect(problem.description.contains("hello"))
    }

    @Test("A line over the limit is refused before its end has come")
    func longLineIsRefused() throws {
        guard case .failure(let problem)? = read([String(repeating: "x", count: 101)]).first else {
            return #expect(Bool(false), "it was taken")
        }
        #expect(problem.description.contains("a line of more than"))
    }
}
