import RigModel
import Threading

extension ToxicChain {
    /// Works with these toxics from now on. Those that have left let go of everything; those that have changed go on with
    /// their new attributes; those that are new begin, each at its place in the list, and those that are due at once are
    /// woken.
    ///
    /// The first call must come when the connection is opened, also with an empty list: toxics of later lists are younger
    /// than the connection. The upstream chain comes first, the downstream one only when that has not closed the connection.
    package mutating func follow(
        _ toxics: [ActiveToxic], _ context: ChainContext, into effects: inout [StageEffect]
    ) {
        let born = bornWith ?? toxics.map(\.id)
        bornWith = born
        guard !isOver else { return }
        idle.removeAll { id in !toxics.contains { $0.id == id } }
        let wanted = toxics.filter { concerns($0, context) }
        removeAll(except: wanted, context.now, into: &effects)
        adopt(wanted, context.now, into: &effects)
        guard !isOver else { return }
        insert(wanted, born, context)
        wake(now: context.now, into: &effects)
    }

    private func concerns(_ toxic: ActiveToxic, _ context: ChainContext) -> Bool {
        (toxic.stream == context.stream || type(of: toxic.toxic).type.spansBothStreams) && context.isAffected(by: toxic)
    }

    private mutating func removeAll(
        except wanted: [ActiveToxic], _ now: MonotonicInstant, into effects: inout [StageEffect]
    ) {
        var index = 0
        while index < links.count, !isOver {
            if wanted.contains(where: { $0.id == links[index].id }) {
                index += 1
                continue
            }
            run(index, now, into: &effects) { stage, own in stage.remove(now: now, into: &own) }
            let removed = links.remove(at: index)
            guard removed.hasEnded else { continue }
            // The stream ended here. Now it does so one place further in front.
            if index > 0 { links[index - 1].hasEnded = true } else { hasInputEnded = true }
        }
    }

    private mutating func adopt(
        _ wanted: [ActiveToxic], _ now: MonotonicInstant, into effects: inout [StageEffect]
    ) {
        for index in links.indices where !isOver {
            guard let toxic = wanted.first(where: { $0.id == links[index].id })?.toxic,
                toxic.attributes != links[index].attributes
            else { continue }
            links[index].attributes = toxic.attributes
            run(index, now, into: &effects) { stage, own in stage.adopt(toxic, now: now, into: &own) }
        }
    }

    private mutating func insert(_ wanted: [ActiveToxic], _ born: [Int], _ context: ChainContext) {
        var place = 0
        for toxic in wanted {
            if let index = links.firstIndex(where: { $0.id == toxic.id }) {
                place = index + 1
                continue
            }
            if idle.contains(toxic.id) { continue }
            let hasPassed = place > 0 ? links[place - 1].hasPassed : context.hasReceived
            // Behind an end that has passed nothing comes any more. At the very end of the chain that cannot be.
            let hasEnded = place > 0 ? links[place - 1].hasEnded : hasInputEnded
            let stage = toxic.toxic.makeStage(
                StageContext(
                    stream: context.stream, isOlderThanToxic: !born.contains(toxic.id), seesStart: !hasPassed,
                    lastBytesAt: context.lastBytesAt, now: context.now,
                    generator: SeededGenerator(
                        seed: context.seed,
                        stream: "stage\u{0}\(context.proxy)\u{0}\(toxic.name)\u{0}\(context.connection)\u{0}"
                            + context.stream.rawValue)))
            guard let stage else {
                idle.append(toxic.id)
                continue
            }
            // A toxic of both streams counts a connection in the one that is followed first.
            let spansBoth = type(of: toxic.toxic).type.spansBothStreams
            if !spansBoth || context.stream == .upstream { toxic.record.add { $0.connections += 1 } }
            links.insert(
                ChainLink(
                    id: toxic.id, record: toxic.record, attributes: toxic.toxic.attributes, stage: stage,
                    hasEnded: hasEnded, hasPassed: hasPassed), at: place)
            place += 1
        }
    }
}
