import RigModel

extension Event {
    /// The client ended its operation itself: it threw, left its transaction open, or was cancelled. No failure of the pool's.
    var isClientsOwnEnd: Bool {
        guard kind == .fail || kind == .info, let completion else { return false }
        return completion.error.map { Self.ownClasses.contains($0.failureClass) } ?? false
            || completion.notes?["cancel"] != nil
    }

    private static let ownClasses: Set = ["client-threw", "client-abandoned"]
}
