import Checkers
import FaultInjection
package import RigModel
package import ScenarioFile
import Workloads

/// What scenario files may name, gathered from the roles that declare it.
package enum Catalogue {
    package static var scenario: ScenarioCatalogue {
        ScenarioCatalogue(
            faults: FaultCatalogue.shapes, invariants: CheckerCatalogue.shapes,
            workloads: OperationCatalogue.shapes, serverWorkloads: OperationCatalogue.needServer,
            transactionWorkloads: OperationCatalogue.inTransaction, steadyWorkloads: OperationCatalogue.steady,
            defaultInvariants: CheckerCatalogue.defaults,
            checkFaults: { entries, phases in
                FaultConflicts.find(planEntries(of: entries), faultsPhase: phases.faults)
            },
            checkParameters: { kind, parameters, target in
                FaultCatalogue.problems(of: kind, with: parameters, on: traits(of: target))
                    .map { ($0.parameter, $0.message) }
            })
    }

    private static func traits(of target: Scenario.Target?) -> TargetTraits {
        guard case .managedPostgres(let options) = target else { return TargetTraits() }
        return TargetTraits(poolsBySession: options.pgBouncer == .session)
    }

    /// One kind of fault as people read of it.
    package struct FaultEntry: Sendable {
        package let family: String
        package let shape: Shape
        /// The parts of the target that it needs.
        package let needs: [String]
        /// What of the machine backs it, as alternatives, the best first; an empty one needs nothing.
        package let alternatives: [[String]]
    }

    /// Every kind of fault, family by family, with its default parameters.
    package static var faults: [FaultEntry] {
        FaultCatalogue.families.flatMap { family in
            family.kinds.map { kind in
                let fault = kind.init(defaults(of: kind.shape))
                return FaultEntry(
                    family: family.title, shape: kind.shape,
                    needs: StagePart.allCases.filter(fault.needs.contains).map(\.rawValue),
                    alternatives: fault.capabilities.map { wanted in
                        Capability.allCases.filter(wanted.contains).map(\.rawValue)
                    })
            }
        }
    }

    /// One invariant as people read of it, in Markdown.
    package struct InvariantEntry: Sendable {
        package let shape: Shape
        /// Judged where the scenario names none.
        package let isDefault: Bool
        package let claims: String
        package let needs: String
        package let cannotSee: String
    }

    package static var invariants: [InvariantEntry] {
        CheckerCatalogue.all.map { checker in
            let words = checker.explanation
            return InvariantEntry(
                shape: checker.shape, isDefault: CheckerCatalogue.defaults.contains(checker.shape.name),
                claims: words.claims, needs: words.needs, cannotSee: words.cannotSee)
        }
    }

    /// What a kind has where the scenario says nothing; what must be said is left out.
    static func defaults(of shape: Shape) -> Parameters {
        Parameters(
            Dictionary(
                uniqueKeysWithValues: shape.parameters.compactMap { parameter in
                    parameter.defaultValue.map { (parameter.name, $0) }
                }))
    }

    /// The faults of a scenario as values.
    static func planEntries(of faults: [Scenario.FaultEntry]) -> [FaultPlanEntry] {
        faults.map { entry in
            guard let fault = FaultCatalogue.make(entry.kind, entry.parameters) else {
                preconditionFailure("fault \(entry.kind) was read by its shape but is not in the catalogue")
            }
            return FaultPlanEntry(
                fault: fault, at: entry.schedule.at, every: entry.schedule.every, jitter: entry.schedule.jitter,
                times: entry.schedule.times, duration: entry.schedule.duration, group: entry.group)
        }
    }
}
