/// A part of the stage that a fault needs.
package enum StagePart: String, Sendable, CaseIterable {
    /// The pool's sessions, to look at and to end.
    case sessions
    /// Statements beside the pool, on the database that it uses.
    case statements
    /// The settings and roles of a server that is the run's own.
    case settings
    /// The processes and files of a server that is the run's own.
    case server
    /// A second server that follows the first.
    case standby
    /// The certificate that the server shows.
    case certificates
    /// The way between pool and server, for the rig's relay or for packet rules.
    case link
    /// The name under which the pool looks for its server.
    case names
    /// The process that holds the pool, apart from the rig's own.
    case client
    /// The file of an embedded database.
    case file
    /// A PgBouncer between pool and server.
    case pooler
    /// A service of a compose file.
    case containers
    /// The password that the pool logs in with, for the rig to change.
    case secret
}
