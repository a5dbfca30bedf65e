/// The version of the rig.
package enum RigVersion {
    package static let current = "0.1.0"
}
