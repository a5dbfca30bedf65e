package import RigModel

/// A mergeable fold over the history. It sees events one by one, may be merged with another that saw other processes of
/// the same run, and then finishes.
///
/// Law (tested): splitting any history by process, folding the parts and merging them gives the same result.
package protocol Checker: Sendable {
    /// Name and parameters in the scenario file.
    static var shape: Shape { get }
    init(_ parameters: Parameters)
    mutating func observe(_ event: Event)
    mutating func merge(_ other: Self)
    func finish() -> InvariantResult
}
