import Reporting
import RigModel

/// Whether a soak still gets anywhere. Pure.
struct SoakEffort: Sendable {
    /// So many segments in a row that come to nothing end the soak.
    static let limit = 3

    /// Segments in a row without a window.
    private(set) var fruitless = 0
    private var lastError: RunError?

    /// - Parameter windows: that it has added.
    mutating func segmentEnded(windows: Int, error: RunError?) {
        fruitless = windows == 0 ? fruitless + 1 : 0
        lastError = error
    }

    /// Why it is no use to go on; `nil`: it is.
    var gaveUp: SoakLog.GaveUp? {
        guard fruitless >= Self.limit else { return nil }
        // The notes have all of it.
        let error = lastError.map { "; the last one: \("\($0)".prefix { $0 != "\n" })" }
        return SoakLog.GaveUp(
            reason: "\(fruitless) segments in a row came to nothing\(error ?? "")",
            exitCode: lastError.map { Int($0.exitCode) })
    }
}
