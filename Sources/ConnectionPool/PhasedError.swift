package import RigModel

/// A driver's error together with the phase in which it came; the outcome depends on both.
package struct PhasedError: Error, Sendable, Equatable, CustomStringConvertible {
    package var phase: OperationPhase
    package var error: DriverError

    package init(phase: OperationPhase, error: DriverError) {
        self.phase = phase
        self.error = error
    }

    package var description: String { "\(phase.rawValue): \(error)" }
}
