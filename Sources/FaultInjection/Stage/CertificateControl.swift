/// The certificate of a server that is the run's own. The pool checks it against a file of authorities at each connect.
package protocol CertificateControl: Sendable {
    /// Where the server listens on 127.0.0.1 of its own network.
    var port: UInt16 { get }
    /// Puts a new certificate, by a new authority, in the place of the old one; counts from the server's next reload on.
    ///
    /// - Returns: its common name.
    func replace() async throws -> String
    /// Adds the new authority to those that the pool trusts.
    func trust() async throws
}
