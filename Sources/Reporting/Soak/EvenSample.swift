/// Samples of a phase of any length in bounded memory: all of a short one, of a long one every second, fourth, …
struct EvenSample: Sendable {
    static let limit = 4096

    private(set) var values: [Double] = []
    /// Every so many count.
    private var stride = 1
    private var left = 0

    mutating func add(_ value: Double?) {
        guard let value else { return }
        if left > 0 {
            left -= 1
            return
        }
        values.append(value)
        if values.count == Self.limit {
            values = values.enumerated().filter { $0.offset % 2 == 0 }.map(\.element)
            stride *= 2
        }
        left = stride - 1
    }
}
