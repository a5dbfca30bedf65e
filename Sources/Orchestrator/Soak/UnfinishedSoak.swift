package import Foundation
import HostSystem
import Reporting
import RigModel
package import ScenarioFile
import Threading

/// Finds the soak to go on with.
package struct UnfinishedSoak: Sendable, Equatable {
    /// A soak that was cut longer ago is not gone on with by itself: what it would add is of another day.
    private static let ageLimit: TimeInterval = 24 * 3600

    /// `nil`: there is none.
    package var folder: String?
    /// Why others are left alone.
    package var words: [String] = []

    /// The youngest soak of this scenario, with the same settings, that did not come to its end, is not being run, and has run
    /// within the last 24 hours.
    ///
    /// - Parameters:
    ///   - out: what takes the place of `runs/`.
    ///   - duration: for how long windows are to begin; `nil`: as it was planned.
    ///   - now: by the machine's clock.
    package static func find(
        _ scenario: Scenario, in out: String, for duration: Duration? = nil, now: Date = Date()
    ) -> UnfinishedSoak {
        let root = "\(out)/\(scenario.name)"
        let yaml = ResolvedScenario.yaml(scenario)
        var found = UnfinishedSoak()
        var old: [String] = []
        // Folders begin with their time.
        for name in (SmallFile.names(in: root) ?? []).sorted(by: >) where name != "latest" && found.folder == nil {
            let folder = "\(root)/\(name)"
            guard let log = try? StoredSoak.read(folder), !log.isFinished,
                SmallFile.text("\(folder)/scenario.yaml") == yaml
            else { continue }
            if StoredSoak.isRunning(folder) {
                found.words.append("\(folder) is left alone: another process runs it now")
            } else if log.isCutShort(by: duration?.seconds) {
                found.words.append(
                    "\(folder) is left alone: it has run \(TimeText.words(seconds: log.elapsedSeconds)) already, longer "
                        + "than --for")
            } else if now.timeIntervalSince(lastSign(log)) > ageLimit {
                old.append(folder)
            } else {
                found.folder = folder
            }
        }
        if found.folder == nil, let youngest = old.first {
            let more = old.count > 1 ? ", and \(old.count - 1) older" : ""
            found.words.append(
                "\(youngest)\(more) was cut more than 24 h ago and is left alone; --from goes on with it all the same")
        }
        return found
    }

    /// When it was certainly still running.
    private static func lastSign(_ log: SoakLog) -> Date {
        func date(_ text: String) -> Date? { try? Date(text, strategy: .iso8601) }
        let window = log.windows.last.flatMap { window in date(window.startedAt)?.addingTimeInterval(window.seconds) }
        return window ?? date(log.startedAt) ?? .distantPast
    }
}
