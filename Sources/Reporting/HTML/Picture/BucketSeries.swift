/// What a bucket of a ``BucketSeries`` must be able to do.
protocol TimeBucket: Sendable {
    init()
    /// Takes in what came right after it.
    mutating func merge(_ later: Self)
}

/// Buckets of equal width over time, from a start on. When there would be too many, neighbours are merged and the width doubles:
/// memory grows with the limit and not with the length of the run.
struct BucketSeries<Bucket: TimeBucket>: Sendable {
    /// Nanoseconds since the run's start, of the first bucket's begin.
    let start: Int64
    /// Of one bucket, in nanoseconds.
    private(set) var width: Int64
    private(set) var buckets: [Bucket] = []
    private let limit: Int

    /// - Parameters:
    ///   - width: of a bucket at first, in nanoseconds, above 0.
    ///   - limit: of buckets, at least 2.
    init(start: Int64 = 0, width: Int64, limit: Int) {
        precondition(width > 0 && limit >= 2, "a series needs a width and room for two buckets")
        self.start = start
        self.width = width
        self.limit = limit
    }

    /// The bucket of a time; what lies before the start belongs to the first one. Amortised O(1).
    subscript(time: Int64) -> Bucket {
        get { buckets[index(of: time)] }
        _modify {
            var index = index(of: time)
            while index >= limit {
                halve()
                index = self.index(of: time)
            }
            while buckets.count <= index { buckets.append(Bucket()) }
            yield &buckets[index]
        }
    }

    /// Whether something was ever put into the bucket of this time, or behind it.
    func covers(_ time: Int64) -> Bool { index(of: time) < buckets.count }

    /// Begin and end of a bucket, nanoseconds since the run's start.
    func span(of index: Int) -> Range<Int64> { start + Int64(index) * width..<start + Int64(index + 1) * width }

    /// The same with at most so many buckets.
    func coarsened(to count: Int) -> BucketSeries {
        var result = self
        while result.buckets.count > max(count, 1) { result.halve() }
        return result
    }

    private func index(of time: Int64) -> Int { Int(max(time - start, 0) / width) }

    private mutating func halve() {
        width *= 2
        var merged: [Bucket] = []
        merged.reserveCapacity(buckets.count / 2 + 1)
        for (index, bucket) in buckets.enumerated() {
            if index % 2 == 0 { merged.append(bucket) } else { merged[index / 2].merge(bucket) }
        }
        buckets = merged
    }
}
