import RigModel

/// Toxics and cut points of the proxies.
extension ProxySet {
    package func toxic(_ name: String, of proxy: String) throws(ProxySetError) -> ProxyToxic {
        guard let toxic = try self.proxy(proxy).toxics.first(where: { $0.name.isName(name) }) else {
            throw .toxicNotFound
        }
        return toxic
    }

    /// Adds a toxic at the end of its stream's. It works on open connections when this returns.
    @discardableResult
    package func addToxic(_ definition: ToxicDefinition, to proxy: String) throws(ProxySetError) -> ProxyToxic {
        let toxic = definition.type.make(definition.attributes)
        return try change(proxy) { (entry) throws(ProxySetError) in
            let added = try entry.changeToxics { (state) throws(ProxySetError) in
                let name = definition.effectiveName
                guard !state.toxics.contains(where: { $0.name.isName(name) }) else { throw .toxicExists }
                let added = ProxyToxic(
                    active: ActiveToxic(
                        id: state.nextToxicID, name: name, stream: definition.stream,
                        toxicity: Double(definition.toxicity), toxic: toxic, record: ToxicRecord()),
                    streamText: definition.streamText)
                state.nextToxicID += 1
                switch definition.stream {
                case .upstream: state.upstreamToxics.append(added)
                case .downstream: state.downstreamToxics.append(added)
                }
                return added
            }
            entry.say(.info, "toxic added", [.init("toxic", added.json)])
            return added
        }
    }

    /// Changes attributes and toxicity; connections keep what the toxic holds in them, and whether it affects them is not
    /// tossed again.
    ///
    /// - Parameter decide: gets the toxic as it is, and returns what it becomes.
    @discardableResult
    package func updateToxic(
        _ name: String, of proxy: String,
        _ decide: (ProxyToxic) throws(ProxySetError) -> (attributes: ToxicAttributes, toxicity: Float)
    ) throws(ProxySetError) -> ProxyToxic {
        try change(proxy) { (entry) throws(ProxySetError) in
            let updated = try entry.changeToxics { (state) throws(ProxySetError) in
                guard let old = state.toxics.first(where: { $0.name.isName(name) }) else { throw .toxicNotFound }
                let (attributes, toxicity) = try decide(old)
                let new = ProxyToxic(
                    active: ActiveToxic(
                        id: old.active.id, name: name, stream: old.active.stream, toxicity: Double(toxicity),
                        toxic: old.type.make(attributes), record: old.active.record),
                    streamText: old.streamText)
                state.upstreamToxics = state.upstreamToxics.map { $0.name.isName(name) ? new : $0 }
                state.downstreamToxics = state.downstreamToxics.map { $0.name.isName(name) ? new : $0 }
                return new
            }
            entry.say(.info, "toxic updated", [.init("toxic", updated.json)])
            return updated
        }
    }

    /// What it holds goes on; where it has swallowed bytes, the connection is closed.
    package func removeToxic(_ name: String, of proxy: String) throws(ProxySetError) {
        try change(proxy) { (entry) throws(ProxySetError) in
            try entry.changeToxics { (state) throws(ProxySetError) in
                guard state.toxics.contains(where: { $0.name.isName(name) }) else { throw .toxicNotFound }
                state.upstreamToxics.removeAll { $0.name.isName(name) }
                state.downstreamToxics.removeAll { $0.name.isName(name) }
            }
            entry.say(.info, "toxic removed", [.init("toxic", .string(name))])
        }
    }

    /// Adds a cut point behind those that are there.
    ///
    /// - Parameter name: `nil` for the first of `cut_1`, `cut_2`, … that is free.
    @discardableResult
    package func addCut(_ rule: CutRule, name: String?, to proxy: String) throws(ProxySetError) -> ActiveCut {
        try change(proxy) { (entry) throws(ProxySetError) in
            let added = try entry.changeCuts { (state) throws(ProxySetError) in
                func isTaken(_ name: String) -> Bool { state.cuts.contains { $0.name.isName(name) } }
                let name =
                    name ?? (1...(state.cuts.count + 1)).lazy.map { "cut_\($0)" }.first { !isTaken($0) } ?? "cut"
                guard !isTaken(name) else { throw .cutExists }
                let cut = ActiveCut(name: name, rule: rule, record: CutRecord())
                state.cuts.append(cut)
                return cut
            }
            entry.say(.info, "cut point added", [.init("cut", added.json)])
            return added
        }
    }

    package func removeCut(_ name: String, of proxy: String) throws(ProxySetError) {
        try change(proxy) { (entry) throws(ProxySetError) in
            try entry.changeCuts { (state) throws(ProxySetError) in
                guard state.cuts.contains(where: { $0.name.isName(name) }) else { throw .cutNotFound }
                state.cuts.removeAll { $0.name.isName(name) }
            }
            entry.say(.info, "cut point removed", [.init("cut", .string(name))])
        }
    }
}
