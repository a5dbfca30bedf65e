/// Finding the processes of one PostgreSQL server, also backends that outlived their postmaster.
package enum PostgresProcesses {
    /// Every process that runs on this data directory, or makes it. O(processes of the machine); about 5 ms for 300.
    ///
    /// A server process changes into its data directory first of all and stays there, and keeps the name of its
    /// program although it rewrites its command line. Before that change its command line still names the directory.
    /// So neither a used-again pid nor a shell that stands in the directory is taken for the server.
    package static func running(on dataDirectory: String) -> [ProcessIdentity] {
        let real = SmallFile.realPath(dataDirectory) ?? dataDirectory
        return ProcessTable.pids().compactMap { pid in
            guard let status = ProcessTable.status(of: pid), !status.isDead else { return nil }
            // It starts server after server, each for a moment: they are not gone before it is.
            if status.name == "initdb", isStartedOn([real, dataDirectory], pid) {
                return ProcessIdentity(pid: pid, startTicks: status.startTicks)
            }
            guard status.name == "postgres" else { return nil }
            guard ProcessTable.workingDirectory(of: pid) == real || isStartedOn([real, dataDirectory], pid) else {
                return nil
            }
            return ProcessIdentity(pid: pid, startTicks: status.startTicks)
        }
    }

    /// The data directories below a folder that a server runs on.
    package static func dataDirectories(below folder: String) -> Set<String> {
        let real = SmallFile.realPath(folder) ?? folder
        return Set(
            ProcessTable.pids().compactMap { pid in
                guard let status = ProcessTable.status(of: pid), status.name == "postgres", !status.isDead,
                    let directory = ProcessTable.workingDirectory(of: pid), directory.hasPrefix(real + "/")
                else { return nil }
                return directory
            })
    }

    private static func isStartedOn(_ directories: [String], _ pid: Int32) -> Bool {
        guard let arguments = ProcessTable.commandLine(of: pid),
            let option = arguments.firstIndex(of: "-D"), option + 1 < arguments.count
        else { return false }
        return directories.contains(arguments[option + 1])
    }
}
