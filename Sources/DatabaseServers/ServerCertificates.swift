import Glibc
import HostSystem
import Threading

/// The certificate that a private server shows, with the authority that has signed it, and the file of authorities that its
/// clients trust. Made by the program `openssl`; about 50 ms. Blocking.
struct ServerCertificates: Sendable {
    private static let programLimit = Duration.seconds(30)

    let folder: String
    let user: ProcessUser?

    var certificate: String { "\(folder)/server.crt" }
    var key: String { "\(folder)/server.key" }
    private var authority: String { "\(folder)/authority.crt" }
    /// For clients: `sslrootcert`.
    var trusted: String { "\(folder)/trusted.crt" }

    /// The common name of the n-th certificate.
    static func name(_ number: Int) -> String { "chaosrig server \(number)" }

    /// Makes the folder and the first certificate, which clients trust.
    func make() throws(ServerError) {
        do throws(SystemError) {
            try SmallFile.makeFolder(folder, mode: 0o755)
        } catch {
            throw .folder(error)
        }
        try replace(number: 1)
        try trust()
    }

    /// Puts a new authority, certificate and key in the place of the old ones. The server takes them at its next reload.
    func replace(number: Int) throws(ServerError) {
        let new = "\(folder)/new"
        let curve = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes"]
        try run(
            ["req", "-x509"] + curve + [
                "-days", "30", "-subj", "/CN=chaosrig authority \(number)", "-keyout", "\(new)-authority.key", "-out",
                "\(new)-authority.crt",
            ])
        try run(
            ["req"] + curve + [
                "-subj", "/CN=\(Self.name(number))", "-keyout", "\(new)-server.key", "-out", "\(new)-server.csr",
            ])
        try run([
            "x509", "-req", "-days", "30", "-set_serial", "\(number)", "-in", "\(new)-server.csr", "-CA",
            "\(new)-authority.crt", "-CAkey", "\(new)-authority.key", "-out", "\(new)-server.crt",
        ])
        do throws(SystemError) {
            // PostgreSQL takes a key that only its own user can read.
            guard chmod("\(new)-server.key", 0o600) == 0 else { throw SystemError("set the mode of the key") }
            try ServerFolders.give("\(new)-server.key", to: user)
            for (from, to) in [("server.key", key), ("server.crt", certificate), ("authority.crt", authority)] {
                guard rename("\(new)-\(from)", to) == 0 else { throw SystemError("rename to \(to)") }
            }
        } catch {
            throw .folder(error)
        }
    }

    /// Lets clients trust the authority that is there now, beside those from before: a server may not have reloaded yet.
    func trust() throws(ServerError) {
        let new = SmallFile.bytes(authority) ?? []
        let old = SmallFile.bytes(trusted) ?? []
        do throws(SystemError) {
            // Not in place: a client must never read half of it.
            try SmallFile.write(new + old, to: "\(trusted).new")
            guard rename("\(trusted).new", trusted) == 0 else { throw SystemError("rename to \(trusted)") }
        } catch {
            throw .folder(error)
        }
    }

    private func run(_ arguments: [String]) throws(ServerError) {
        guard let path = findProgram("openssl") else {
            throw .noCertificate(
                reason: "the program openssl is not on this machine (Debian, Ubuntu: apt-get install openssl)")
        }
        let result: ProgramResult
        do {
            result = try ProgramCall(path: path, arguments: arguments, timeout: Self.programLimit).runBlocking()
        } catch {
            throw .noCertificate(reason: "\(error)")
        }
        guard result.succeeded else {
            throw .noCertificate(
                reason: "openssl \(arguments[0]) ended with \(result.status): \(result.standardError.suffix(500))")
        }
    }
}
