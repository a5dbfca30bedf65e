/// Probes that ask one program.
extension CapabilityProbes {
    /// A mount of one's own, by root or in a user namespace.
    static func tmpfs(_ programs: any ProgramRunner) async -> Availability {
        let mount = ["mount", "-t", "tmpfs", "-o", "size=64k", "chaosrig", "/tmp"]
        let asRoot = await attempt(
            ["unshare", "--mount"] + mount, with: programs, shows: "tmpfs in a mount namespace", package: "util-linux")
        if asRoot.isAvailable { return asRoot }
        let asUser = await attempt(
            ["unshare", "--user", "--map-root-user", "--mount"] + mount, with: programs,
            shows: "tmpfs in a mount namespace of a user namespace", package: "util-linux")
        if asUser.isAvailable { return asUser }
        guard case .missing(let reason, _) = asRoot else { return asRoot }
        return .missing(
            reason: reason, remedy: "run as root, or allow user namespaces (sysctl kernel.unprivileged_userns_clone=1)")
    }

    /// The programs lie beside the server's, which may not be on PATH.
    static func baseBackup(_ programs: any ProgramRunner) async -> Availability {
        await attempt(
            ["pg_basebackup", "--version"], with: programs, shows: "pg_basebackup", package: "postgresql-client")
    }

    static func openssl(_ programs: any ProgramRunner) async -> Availability {
        await attempt(["openssl", "version"], with: programs, shows: "openssl", package: "openssl")
    }

    static func pgBouncer(_ programs: any ProgramRunner) async -> Availability {
        await attempt(["pgbouncer", "--version"], with: programs, shows: "pgbouncer", package: "pgbouncer")
    }

    static func containers(_ programs: any ProgramRunner) async -> Availability {
        let answer = await attempt(
            // Says why on its first line, which docker info does not.
            ["docker", "ps", "--quiet"], with: programs, shows: "a container engine answers", package: "docker.io")
        guard case .missing(let reason, "") = answer else { return answer }
        return .missing(reason: reason, remedy: "start the engine (systemctl start docker), and be in the group docker")
    }
}
