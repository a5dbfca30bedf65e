public import Threading

/// What a results cache keeps and forgets. Pure: time is passed in, queries are run by others.
///
/// One query runs for all who miss the same key at the same time: the first leads, the others follow. An invalidation makes
/// running loads stale: their result still goes to those who came before it, but is not kept, and who comes later leads a
/// query of their own.
///
/// - Complexity: O(1) for each look; O(entries with the tag) for an invalidation.
public struct ResultCacheCore: Sendable {
    /// The answer to a look.
    public enum Look: Sendable, Equatable {
        case hit(SQLResult)
        /// Run the query, and tell ``finish(_:with:now:)``.
        case lead(Int)
        /// Somebody runs it: wait for the result of this load.
        case follow(Int)
    }

    private struct Entry: Sendable {
        let key: ResultCacheKey
        let result: SQLResult
        let tags: [String]
        let loadedAt: MonotonicInstant
        let byteCount: Int
        /// Neighbours in the order of use; -1 at the ends.
        var newer: Int
        var older: Int
    }

    private struct Load: Sendable {
        let key: ResultCacheKey
        let tags: [String]
        let startedAt: MonotonicInstant
        var isStale = false
    }

    /// What an entry costs beside its key and rows: its place here and in the two indexes, roughly.
    static let entryOverhead = MemoryLayout<Entry>.stride + 3 * MemoryLayout<ResultCacheKey>.stride

    /// Bytes that the entries may take together.
    public let maxBytes: Int
    public private(set) var counts = ResultCacheCounts()
    private var entries: [Entry?] = []
    private var freePlaces: [Int] = []
    private var index: [ResultCacheKey: Int] = [:]
    private var tagged: [String: Set<Int>] = [:]
    private var newest = -1
    private var oldest = -1
    private var loads: [Int: Load] = [:]
    private var leaders: [ResultCacheKey: Int] = [:]
    private var nextLoad = 1

    public init(maxBytes: Int) { self.maxBytes = max(0, maxBytes) }

    /// - Parameters:
    ///   - timeToLive: how old a result may be for this reader, counted from the beginning of its query.
    ///   - tags: what the result depends on; used when this look leads.
    public mutating func look(
        up statement: SQLStatement, timeToLive: Duration, tags: [String], now: MonotonicInstant
    ) -> Look {
        let key = ResultCacheKey(statement)
        if let place = index[key], let entry = entries[place] {
            if entry.loadedAt.duration(to: now) < timeToLive {
                counts.hits += 1
                unlink(place)
                linkAsNewest(place)
                return .hit(entry.result)
            }
            remove(place)
            counts.expired += 1
        }
        if let load = leaders[key] {
            counts.shared += 1
            return .follow(load)
        }
        counts.misses += 1
        let load = nextLoad
        nextLoad += 1
        loads[load] = Load(key: key, tags: tags, startedAt: now)
        leaders[key] = load
        return .lead(load)
    }

    /// A load has ended. Its result is kept unless something that it depends on was invalidated meanwhile.
    ///
    /// - Parameter result: `nil` when the query failed.
    public mutating func finish(_ load: Int, with result: SQLResult?) {
        guard let ended = loads.removeValue(forKey: load) else { preconditionFailure("load \(load) ended twice") }
        if leaders[ended.key] == load { leaders[ended.key] = nil }
        guard let result else { return }
        if ended.isStale {
            counts.staleLoads += 1
            return
        }
        if let place = index[ended.key] { remove(place) }
        let byteCount = Self.entryOverhead + ended.key.byteCount + result.byteCount
        // One that fits only alone would drive out everything else for nothing.
        guard byteCount <= maxBytes else {
            counts.tooLarge += 1
            return
        }
        while counts.bytes + byteCount > maxBytes, oldest >= 0 {
            remove(oldest)
            counts.evicted += 1
        }
        insert(ended, result, byteCount)
    }

    /// Forgets every result with this tag, and those that are being loaded.
    public mutating func invalidate(tag: String) {
        for place in tagged[tag] ?? [] {
            remove(place)
            counts.invalidated += 1
        }
        makeStale { $0.tags.contains(tag) }
    }

    /// Forgets everything.
    public mutating func invalidateAll() {
        while oldest >= 0 {
            remove(oldest)
            counts.invalidated += 1
        }
        makeStale { _ in true }
    }

    private mutating func makeStale(_ isMeant: (Load) -> Bool) {
        for (number, load) in loads where isMeant(load) {
            loads[number]?.isStale = true
            if leaders[load.key] == number { leaders[load.key] = nil }
        }
    }

    // MARK: Entries

    private mutating func insert(_ load: Load, _ result: SQLResult, _ byteCount: Int) {
        let place = freePlaces.popLast() ?? entries.count
        if place == entries.count { entries.append(nil) }
        entries[place] = Entry(
            key: load.key, result: result, tags: load.tags, loadedAt: load.startedAt, byteCount: byteCount,
            newer: -1, older: -1)
        index[load.key] = place
        for tag in load.tags { tagged[tag, default: []].insert(place) }
        linkAsNewest(place)
        counts.bytes += byteCount
        counts.entries += 1
    }

    private mutating func remove(_ place: Int) {
        guard let entry = entries[place] else { preconditionFailure("place \(place) of the cache is empty") }
        unlink(place)
        entries[place] = nil
        freePlaces.append(place)
        index[entry.key] = nil
        for tag in entry.tags {
            tagged[tag]?.remove(place)
            if tagged[tag]?.isEmpty == true { tagged[tag] = nil }
        }
        counts.bytes -= entry.byteCount
        counts.entries -= 1
    }

    private mutating func unlink(_ place: Int) {
        guard let entry = entries[place] else { return }
        if entry.newer >= 0 { entries[entry.newer]?.older = entry.older } else { newest = entry.older }
        if entry.older >= 0 { entries[entry.older]?.newer = entry.newer } else { oldest = entry.newer }
    }

    private mutating func linkAsNewest(_ place: Int) {
        entries[place]?.newer = -1
        entries[place]?.older = newest
        if newest >= 0 { entries[newest]?.newer = place } else { oldest = place }
        newest = place
    }
}

/// What a results cache has done.
public struct ResultCacheCounts: Sendable, Equatable {
    /// Looks that found a result.
    public var hits = 0
    /// Looks that found somebody who was just asking, and shared the answer.
    public var shared = 0
    /// Looks that had to ask.
    public var misses = 0
    /// Results that were too old when somebody looked.
    public var expired = 0
    /// Results that made room for others.
    public var evicted = 0
    public var invalidated = 0
    /// Results that were not kept because an invalidation came while they were loaded.
    public var staleLoads = 0
    /// Results that were not kept because they are larger than the whole cache.
    public var tooLarge = 0
    /// Now.
    public var entries = 0
    public var bytes = 0

    public init() {}

    /// The share of looks that needed no query, in 0...1; 0 when nobody looked.
    public var hitRate: Double {
        let looks = hits + shared + misses
        return looks > 0 ? Double(hits + shared) / Double(looks) : 0
    }
}
