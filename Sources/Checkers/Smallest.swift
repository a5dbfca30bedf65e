/// The first few elements by their order, out of any number: bounded memory, and the same result however the elements
/// were split and merged. Adding costs O(log limit) amortised, and O(1) once most elements are too large to matter.
struct Smallest<Element: Comparable & Sendable>: Sendable {
    let limit: Int
    /// How many were added in all.
    private(set) var total = 0
    private var buffer: [Element] = []
    /// Elements that are not smaller than this cannot be among the first; set when `limit` smaller ones are known.
    private var bound: Element?

    init(limit: Int) { self.limit = limit }

    mutating func add(_ element: Element) {
        total += 1
        keep(element)
    }

    mutating func merge(_ other: Smallest) {
        total += other.total
        for element in other.buffer { keep(element) }
    }

    /// At most `limit`, in order.
    var elements: [Element] { Array(buffer.sorted().prefix(limit)) }

    private mutating func keep(_ element: Element) {
        if let bound, element >= bound { return }
        buffer.append(element)
        guard buffer.count >= 2 * limit else { return }
        buffer = elements
        bound = buffer.last
    }
}
