/// Which toxics concern a connection.
extension RelayShared {
    /// A toxic does not let the connection in.
    ///
    /// - Returns: its name. Counts the connection for all that were asked.
    func toxicThatRefuses(_ number: Int) -> String? {
        for active in toxics where active.affects(number, of: self) {
            let index = active.record.noteArrival()
            if !active.toxic.admits(connection: index) {
                active.record.add { $0.refused += 1 }
                return active.name
            }
        }
        return nil
    }
}

extension ActiveToxic {
    func affects(_ number: Int, of relay: RelayShared) -> Bool {
        Toxicity.affects(
            share: toxicity, seed: relay.options.seed, proxy: relay.options.name, toxic: name, connection: number)
    }
}
