/// The version of the rig.
package enum RigVersion {
    package static let current = "0.1.0"
    /// The day from which the version counts, for the manual.
    package static let date = "2026-11-21"
}
