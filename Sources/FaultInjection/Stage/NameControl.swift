import Threading

/// How a name server of the run's own answers. A value.
package struct NameBehaviour: Sendable, Equatable {
    package var address: String
    /// How long answers are held back.
    package var delay = Duration.zero
    /// Answers that it cannot say.
    package var fails = false
    /// Of the lookups, in `0...1`: those that are slow or fail.
    package var share = 1.0

    package init(address: String) { self.address = address }
}

/// What a name server was asked, and what it did.
package struct NameCounts: Sendable, Equatable {
    /// For the IPv4 addresses of the name.
    package var questions = 0
    /// Of any kind.
    package var delayed = 0
    package var failed = 0
    /// By the address that was answered.
    package var answers: [String: Int] = [:]

    package init() {}
}

/// The name under which the pool looks its server up: every client of the run's stage does, whatever it is written in.
package protocol NameControl: Sendable {
    var name: String { get }
    var behaviour: NameBehaviour { get }
    var counts: NameCounts { get }
    func behave(_ behaviour: NameBehaviour, seed: UInt64)
}

extension NameServer: NameControl {}
