/// A cut point of a proxy. The record is shared by all connections.
package struct ActiveCut: Sendable {
    /// Unique in its proxy.
    package let name: String
    package let rule: CutRule
    package let record: CutRecord

    package init(name: String, rule: CutRule, record: CutRecord) {
        self.name = name
        self.rule = rule
        self.record = record
    }
}
