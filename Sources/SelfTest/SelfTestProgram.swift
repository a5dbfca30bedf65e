/// How the self-test starts the rig's own program for one run.
package enum SelfTestProgram {
    /// The hidden command.
    package static let command = "__selftest"
}
