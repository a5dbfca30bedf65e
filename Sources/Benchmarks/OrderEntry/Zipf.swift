/// Numbers from 1 to n of which few come often: the k-th most popular comes 1/k times as often as the first. What is sold
/// and who buys look like this in most shops.
struct Zipf: Sendable {
    /// The share of the numbers up to each place.
    private let cumulative: [Double]

    /// - Complexity: O(count).
    init(count: Int) {
        precondition(count > 0, "a choice needs something to choose from")
        var sum = 0.0
        var cumulative = (1...count).map { place -> Double in
            sum += 1 / Double(place)
            return sum
        }
        for index in cumulative.indices { cumulative[index] /= sum }
        self.cumulative = cumulative
    }

    /// The number for a draw from `0..<1`. O(log *n*).
    func number(_ unit: Double) -> Int {
        var low = 0
        var high = cumulative.count - 1
        while low < high {
            let middle = (low + high) / 2
            if cumulative[middle] > unit { high = middle } else { low = middle + 1 }
        }
        return low + 1
    }
}
