import Foundation
import HostSystem
import Reporting
import RigModel

/// The service that runs this job, where it can show more than a log: GitHub Actions. Others read the JUnit file.
struct CIService {
    private let showsAnnotations: Bool
    private let summaryPath: String?
    /// `nil`: not known.
    private let checkout: String?

    init(environment: [String: String]) {
        showsAnnotations = environment["GITHUB_ACTIONS"] == "true"
        summaryPath = environment["GITHUB_STEP_SUMMARY"].flatMap { $0.isEmpty ? nil : $0 }
        checkout = environment["GITHUB_WORKSPACE"].flatMap { $0.isEmpty ? nil : $0 }
    }

    /// - Parameter file: the scenario's.
    func tell(_ report: RunReport, file: String) {
        if showsAnnotations {
            let text = (try? String(contentsOfFile: file, encoding: .utf8)) ?? ""
            for line in WorkflowAnnotations.lines(report, file: inCheckout(file), scenario: text) {
                Output.command(line)
            }
        }
        append(MarkdownSummary.render(report))
    }

    func tell(_ failed: FailedScenario) {
        if showsAnnotations {
            for problem in failed.problems {
                Output.command(
                    WorkflowAnnotations.failure(
                        problem.text, of: failed.scenario, file: inCheckout(failed.file), line: problem.line))
            }
        }
        append(MarkdownSummary.failure(failed.reason, of: failed.scenario))
    }

    /// Annotations count paths from the root of the checkout, wherever in it the job's step runs.
    private func inCheckout(_ file: String) -> String {
        WorkflowAnnotations.path(of: file, in: FileManager.default.currentDirectoryPath, checkout: checkout)
    }

    /// A summary that cannot be written is no reason to fail a run.
    private func append(_ text: String) {
        guard let summaryPath else { return }
        let descriptor = open(summaryPath, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0o644)
        guard descriptor >= 0 else {
            return Output.error("chaosrig: cannot append to GITHUB_STEP_SUMMARY, \(summaryPath): \(errorText(errno))")
        }
        defer { close(descriptor) }
        do { try SmallFile.writeAll(Array((text + "\n").utf8), to: descriptor, path: summaryPath) } catch {
            Output.error("chaosrig: cannot append to GITHUB_STEP_SUMMARY, \(summaryPath): \(error)")
        }
    }
}
