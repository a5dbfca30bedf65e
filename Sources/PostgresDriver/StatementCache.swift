import ConnectionPool
import Glibc

/// Which statements are prepared on one connection, and under which names. Pure: it decides, the session talks.
///
/// Least recently used first out. A statement with parameters is prepared at its first execution, one without at its second
/// (a text with literals in it is often unique), and only when it reads or changes rows. BEGIN, COMMIT and ROLLBACK never
/// are: the end of a transaction must not depend on what the server remembers.
///
/// Names are never used twice, and begin with digits drawn for the connection: a pooler that swaps servers between two of
/// its clients can then never make the name of one run the text of the other.
struct StatementCache {
    /// How a statement is to be executed.
    enum Plan: Equatable {
        /// Without a name. Counts as a use of the cache when `counted`.
        case unnamed(counted: Bool)
        /// Under this name: prepared, or being prepared by an earlier message of the same request.
        case prepared(String)
        /// Prepare it under this name first.
        case prepare(String)
    }

    private struct Entry {
        var text: StatementText
        /// `nil`: seen once, not prepared.
        var name: String?
        var newer = -1
        var older = -1
    }

    /// How many statements are kept; 0: none, every statement is sent without a name.
    let capacity: Int
    private let prefix: String
    private var names: UInt64 = 0
    private var entries: [Entry] = []
    private var vacant: [Int] = []
    private var places: [StatementText: Int] = [:]
    private var newest = -1
    private var oldest = -1
    /// How often the server had lost a statement without being told to.
    private var losses = 0

    /// Names that the server still knows and nobody will use again.
    private(set) var abandoned: [String] = []
    private(set) var hits = 0
    private(set) var misses = 0

    /// - Parameter prefix: 9 characters that no other connection has.
    init(capacity: Int, prefix: String) {
        self.capacity = max(0, capacity)
        self.prefix = prefix
    }

    var count: Int { places.count }
    /// The server forgets what it was told to keep: behind this connection is a pooler.
    var hasGivenUp: Bool { losses >= 2 }

    /// What to do with a statement; counts a use, and makes it the newest.
    ///
    /// - Complexity: O(length of the text); O(length) without hashing when it is the one that was used last.
    mutating func plan(for statement: SQLStatement) -> Plan {
        guard statement.role == .read || statement.role == .write, capacity > 0, !hasGivenUp else {
            return .unnamed(counted: false)
        }
        let text = StatementText(text: statement.text)
        if newest >= 0, entries[newest].text == text, let name = entries[newest].name {
            hits += 1
            return .prepared(name)
        }
        if let id = places[text] {
            touch(id)
            if let name = entries[id].name {
                hits += 1
                return .prepared(name)
            }
            misses += 1
            return .prepare(giveName(to: id))
        }
        guard !statement.parameters.isEmpty || text.readsOrChangesRows else { return .unnamed(counted: false) }
        misses += 1
        let id = insert(text)
        guard !statement.parameters.isEmpty else { return .unnamed(counted: true) }
        return .prepare(giveName(to: id))
    }

    /// Forgets the statement with this name: it could not be prepared, or the server no longer has it in this form.
    ///
    /// - Parameter serverKeeps: the server still knows the name, so it must be told.
    mutating func drop(_ name: String, serverKeeps: Bool) {
        if serverKeeps { abandoned.append(name) }
        guard let id = entries.firstIndex(where: { $0.name == name }), places[entries[id].text] == id else { return }
        remove(id)
    }

    /// The server did not know a name that nobody took away.
    mutating func noteLoss(of name: String) {
        losses += 1
        drop(name, serverKeeps: false)
        if hasGivenUp { forgetAll() }
    }

    /// The server was told to forget every prepared statement.
    mutating func forgetAll() {
        entries.removeAll()
        vacant.removeAll()
        places.removeAll()
        abandoned.removeAll()
        (newest, oldest) = (-1, -1)
    }

    /// Takes names to deallocate, at most `limit`.
    mutating func takeAbandoned(limit: Int) -> [String] {
        let taken = Array(abandoned.prefix(limit))
        abandoned.removeFirst(taken.count)
        return taken
    }

    // MARK: The list

    private mutating func giveName(to id: Int) -> String {
        names += 1
        let name = prefix + String(names, radix: 36)
        entries[id].name = name
        return name
    }

    private mutating func insert(_ text: StatementText) -> Int {
        if places.count >= capacity {
            if let name = entries[oldest].name { abandoned.append(name) }
            remove(oldest)
        }
        let id: Int
        if let free = vacant.popLast() {
            id = free
            entries[id] = Entry(text: text)
        } else {
            id = entries.count
            entries.append(Entry(text: text))
        }
        places[text] = id
        link(id)
        return id
    }

    private mutating func remove(_ id: Int) {
        unlink(id)
        places[entries[id].text] = nil
        entries[id].name = nil
        vacant.append(id)
    }

    private mutating func touch(_ id: Int) {
        guard id != newest else { return }
        unlink(id)
        link(id)
    }

    private mutating func link(_ id: Int) {
        entries[id].older = newest
        entries[id].newer = -1
        if newest >= 0 { entries[newest].newer = id } else { oldest = id }
        newest = id
    }

    private mutating func unlink(_ id: Int) {
        let (newer, older) = (entries[id].newer, entries[id].older)
        if newer >= 0 { entries[newer].older = older } else { newest = older }
        if older >= 0 { entries[older].newer = newer } else { oldest = newer }
    }
}

/// A statement's text as a key: equal only byte by byte. (Two Swift strings are equal when they mean the same characters, and
/// a literal in other bytes is another literal.)
struct StatementText: Hashable {
    let text: String

    static func == (a: Self, b: Self) -> Bool {
        let same = a.text.utf8.withContiguousStorageIfAvailable { left in
            b.text.utf8.withContiguousStorageIfAvailable { right -> Bool in
                guard left.count == right.count, let a = left.baseAddress, let b = right.baseAddress else {
                    return left.count == right.count
                }
                return a == b || memcmp(a, b, left.count) == 0
            }
        }
        return (same ?? nil) ?? a.text.utf8.elementsEqual(b.text.utf8)
    }

    func hash(into hasher: inout Hasher) {
        let isDone: Void? = text.utf8.withContiguousStorageIfAvailable { bytes in
            hasher.combine(bytes: UnsafeRawBufferPointer(bytes))
        }
        if isDone == nil { for byte in text.utf8 { hasher.combine(byte) } }
    }

    /// Begins with a word of a statement that has a plan worth keeping. Comments in front make it `false`, which is safe.
    var readsOrChangesRows: Bool {
        var word: [UInt8] = []
        for byte in text.utf8 {
            let letter = byte | 0x20
            if letter >= 0x61, letter <= 0x7a, word.count < 7 {
                word.append(letter)
            } else if !word.isEmpty || byte > 0x28 {
                break
            }
        }
        return Self.words.contains(String(decoding: word, as: UTF8.self))
    }

    private static let words: Set<String> = [
        "select", "insert", "update", "delete", "merge", "with", "values", "table",
    ]
}
