import Foundation
import Orchestrator
import ScenarioFile

/// Scenario files as every command reads them.
enum ScenarioFiles {
    static func load(_ path: String, overrides: [String]) throws(ScenarioErrors) -> Scenario {
        try ScenarioLoader(catalogue: Catalogue.scenario).load(
            path: path, overrides: overrides, environment: ProcessInfo.processInfo.environment)
    }

    /// What a scenario is called whose file does not say it, or cannot be read.
    static func name(_ path: String) -> String {
        ((path as NSString).lastPathComponent as NSString).deletingPathExtension
    }
}
