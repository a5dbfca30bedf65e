public import RigModel

/// A driver's error together with the phase in which it came; the outcome depends on both.
public struct PhasedError: Error, Sendable, Equatable, CustomStringConvertible {
    public var phase: OperationPhase
    public var error: DriverError

    public init(phase: OperationPhase, error: DriverError) {
        self.phase = phase
        self.error = error
    }

    public var description: String { "\(phase.rawValue): \(error)" }
}
