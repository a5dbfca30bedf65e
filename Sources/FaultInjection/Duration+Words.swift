import RigModel
import Threading

extension Duration {
    /// For people: `50 ms`, `2 s`.
    var words: String { TimeText.words(nanoseconds: nanoseconds) }
}
