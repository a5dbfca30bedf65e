import RigModel

/// The life of a connection of our own pool (docs/history.md): its number is opened once and closed once after that, and no
/// operation used one that was never opened. Pure; memory grows with the gaps between the numbers.
///
/// Other pools tell what they like.
struct ConnectionRules {
    private static let highest: Int64 = 1 << 53

    private var opened = RangeSet<Int64>()
    private var closed = RangeSet<Int64>()

    mutating func problem(with event: Event) -> String? {
        if case .worker = event.process {
            guard let number = event.completion?.connection, !opened.contains(Int64(number)) else { return nil }
            return "connection \(number) was used, but it was never opened"
        }
        guard event.process == .pool, ["connection-opened", "connection-closed"].contains(event.function) else {
            return nil
        }
        guard let number = event.value["conn"]?.intValue, (0..<Self.highest).contains(number) else {
            return "`\(event.function)` does not say which connection"
        }
        return event.function == "connection-opened" ? open(number) : close(number)
    }

    private mutating func open(_ number: Int64) -> String? {
        if opened.contains(number) { return "connection \(number) is opened a second time" }
        opened.insert(contentsOf: number..<number + 1)
        return nil
    }

    private mutating func close(_ number: Int64) -> String? {
        if !opened.contains(number) { return "connection \(number) is closed, but it was never opened" }
        if closed.contains(number) { return "connection \(number) is closed a second time" }
        closed.insert(contentsOf: number..<number + 1)
        return nil
    }
}
