import RigModel

/// Which connections a toxic affects, when it is to affect a share of them.
///
/// A throw of the dice that always falls the same way: it depends on the seed, the proxy, the toxic's name and the
/// connection only. So another toxic, a restart of a stage or a change of attributes changes nothing, and a greater share
/// keeps everyone that a smaller one had.
package enum Toxicity {
    package static func affects(
        share toxicity: Double, seed: UInt64, proxy: String, toxic: String, connection: Int
    ) -> Bool {
        if toxicity >= 1 { return true }
        guard toxicity > 0 else { return false }
        var generator = SeededGenerator(seed: seed, stream: "toxicity\u{0}\(proxy)\u{0}\(toxic)\u{0}\(connection)")
        return generator.nextUnit() < toxicity
    }
}
