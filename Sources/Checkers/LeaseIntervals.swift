import RigModel

/// Who certainly held which connection from when to when. A mergeable fold; about ten bytes for each use.
///
/// Whether two holds overlap can be told only with all of them, since two workers may stand in two parts of the history.
/// So all are kept, as differences in as few bytes as they need; times are rounded to microseconds, inwards.
struct LeaseIntervals: Sendable {
    /// Connections are told apart by the pool's number and the server's process: several pools may count alike.
    struct Key: Hashable, Comparable, Sendable {
        var connection: Int
        var pid: Int

        static func < (a: Key, b: Key) -> Bool { (a.connection, a.pid) < (b.connection, b.pid) }
    }

    /// Times in microseconds.
    struct Hold: Sendable {
        var begin: Int64
        var end: Int64
        var index: Int
        var worker: Int
    }

    private struct Strand: Sendable {
        var bytes: [UInt8] = []
        var last = Hold(begin: 0, end: 0, index: 0, worker: 0)

        mutating func append(_ hold: Hold) {
            write(hold.begin - last.begin)
            write(hold.end - hold.begin)
            write(Int64(hold.index - last.index))
            write(Int64(hold.worker - last.worker))
            last = hold
        }

        private mutating func write(_ number: Int64) {
            // Small numbers of either sign in few bytes: the sign is the lowest bit, seven bits a byte.
            var rest = UInt64(bitPattern: number << 1 ^ number >> 63)
            while rest >= 0x80 {
                bytes.append(UInt8(truncatingIfNeeded: rest) | 0x80)
                rest >>= 7
            }
            bytes.append(UInt8(truncatingIfNeeded: rest))
        }

        func forEach(_ body: (Hold) -> Void) {
            var position = 0
            var hold = Hold(begin: 0, end: 0, index: 0, worker: 0)
            func read() -> Int64 {
                var number: UInt64 = 0
                var shift: UInt64 = 0
                while true {
                    let byte = bytes[position]
                    position += 1
                    number |= UInt64(byte & 0x7F) << shift
                    if byte < 0x80 { break }
                    shift += 7
                }
                return Int64(bitPattern: number >> 1) ^ -Int64(bitPattern: number & 1)
            }
            while position < bytes.count {
                hold.begin += read()
                hold.end = hold.begin + read()
                hold.index += Int(read())
                hold.worker += Int(read())
                body(hold)
            }
        }
    }

    private var strands: [Key: [Strand]] = [:]
    private(set) var count = 0

    mutating func observe(_ event: Event) {
        guard case .worker(let worker) = event.process, let completion = event.completion,
            let leased = completion.leasedAt, let returned = completion.returnedAt,
            let connection = completion.connection
        else { return }
        count += 1
        let begin = (max(0, leased) + 999) / 1000
        let end = max(0, returned - (completion.releaseNanoseconds ?? 0)) / 1000
        guard end > begin else { return }
        let hold = Hold(begin: begin, end: end, index: event.index, worker: worker)
        strands[Key(connection: connection, pid: completion.backendPID ?? -1), default: [Strand()]][0].append(hold)
    }

    mutating func merge(_ other: LeaseIntervals) {
        count += other.count
        strands.merge(other.strands) { $0 + $1 }
    }

    var connectionCount: Int { strands.count }

    /// Calls for every hold that began before the latest end of those that began earlier on the same connection, with
    /// the one that ends latest. O(uses · log uses of one connection).
    func forEachOverlap(_ body: (Key, _ earlier: Hold, _ later: Hold) -> Void) {
        for key in strands.keys.sorted() {
            var holds: [Hold] = []
            for strand in strands[key] ?? [] { strand.forEach { holds.append($0) } }
            holds.sort { ($0.begin, $0.index) < ($1.begin, $1.index) }
            var latest: Hold?
            for hold in holds {
                if let latest, hold.begin < latest.end { body(key, latest, hold) }
                if hold.end > latest?.end ?? -1 { latest = hold }
            }
        }
    }

    /// The same for one process of the server that was handed out under several numbers: calls for holds of two numbers that
    /// overlap. O(uses of such processes).
    func forEachOverlapOfProcesses(_ body: (Key, _ earlier: Hold, Key, _ later: Hold) -> Void) {
        let byPID = Dictionary(grouping: strands.keys.filter { $0.pid > 0 }, by: \.pid).filter { $0.value.count > 1 }
        for (_, keys) in byPID.sorted(by: { $0.key < $1.key }) {
            var holds: [(key: Key, hold: Hold)] = []
            for key in keys { for strand in strands[key] ?? [] { strand.forEach { holds.append((key, $0)) } } }
            holds.sort { ($0.hold.begin, $0.hold.index) < ($1.hold.begin, $1.hold.index) }
            var latest: (key: Key, hold: Hold)?
            for next in holds {
                if let latest, next.key != latest.key, next.hold.begin < latest.hold.end {
                    body(latest.key, latest.hold, next.key, next.hold)
                }
                if next.hold.end > latest?.hold.end ?? -1 { latest = next }
            }
        }
    }
}
