/// One measurement by one program.
package struct BenchJob: Sendable, Hashable, CustomStringConvertible {
    package enum Program: Sendable, Hashable {
        case ours
        /// ``BenchLimit``.
        case limit
        /// A program of another pool, see ``PeerPrograms``.
        case peer(PeerPrograms.Name)
    }

    package let program: Program
    package let call: PeerCall
    /// Options of `chaosrig bench peer` that change what is measured.
    package let options: PeerCall.Variation

    package init(_ program: Program, _ call: PeerCall, _ options: PeerCall.Variation = PeerCall.Variation()) {
        self.program = program
        self.call = call
        self.options = options
    }

    package var name: String {
        switch program {
        case .ours: BenchPeer.name
        case .limit: "limit"
        case .peer(let name): name.rawValue
        }
    }

    package var description: String { ([name, call.description] + options.words).joined(separator: " ") }
}

/// Who runs jobs.
package protocol BenchRunner: Sendable {
    func run(_ job: BenchJob) async throws(BenchError) -> BenchRow
}
