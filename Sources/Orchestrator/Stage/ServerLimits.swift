/// Limits that a server may set to its sessions, and that faults make it set: the rig's own sessions are outside of them.
enum ServerLimits {
    /// As command-line options of a session: what a session asks for wins over the server's settings.
    ///
    /// - Parameter major: of the server's version; an option that it does not know ends the login.
    static func none(major: Int) -> String {
        var names = ["idle_in_transaction_session_timeout", "statement_timeout", "lock_timeout"]
        if major >= 14 { names.append("idle_session_timeout") }
        return names.map { "-c \($0)=0" }.joined(separator: " ")
    }
}
