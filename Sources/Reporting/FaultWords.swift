import RigModel

extension FaultRecord {
    /// As findings, charts and the recovery table name it: `restart #0`; the kind alone where the record stands for several
    /// injections.
    var name: String { number.map { "\(kind) #\($0)" } ?? kind }

    /// `restart #0 immediate, down for 2 s`: the name, and the detail without the kind that it may begin with.
    var words: String {
        let rest =
            detail.hasPrefix(kind + " ") ? String(detail.dropFirst(kind.count + 1)) : detail == kind ? "" : detail
        return rest.isEmpty ? name : "\(name) \(rest)"
    }
}
