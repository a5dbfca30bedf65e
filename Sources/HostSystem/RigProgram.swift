import Threading

/// The rig's own program, from which runs take their helpers: the watchdog, workers in other networks, a pool's own process.
///
/// It is this process, unless that is somebody else's program (a test) which uses the rig as a library. Thread-safe.
package enum RigProgram {
    private static let chosen = Lock("/proc/self/exe")

    /// What to execute. Understands the hidden commands.
    package static var path: String { chosen.withLock { $0 } }

    /// From now on helpers are taken from there.
    ///
    /// - Parameter path: absolute, of a `chaosrig` of this version.
    package static func use(_ path: String) { chosen.withLock { $0 = path } }
}
