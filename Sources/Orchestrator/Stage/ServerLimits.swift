/// Limits and defaults that a server may set for its sessions, and that faults make it set: the rig's own sessions are outside
/// of them, so that they can heal one fault while another lasts.
enum ServerLimits {
    /// As command-line options of a session: what a session asks for wins over the server's settings.
    ///
    /// - Parameter major: of the server's version; an option that it does not know ends the login.
    static func none(major: Int) -> String {
        var names = ["idle_in_transaction_session_timeout", "statement_timeout", "lock_timeout"]
        if major >= 14 { names.append("idle_session_timeout") }
        let values =
            names.map { "\($0)=0" }
            // A blank within a value is escaped.
            + ["default_transaction_read_only=off", #"default_transaction_isolation=read\ committed"#]
        return values.map { "-c \($0)" }.joined(separator: " ")
    }
}
