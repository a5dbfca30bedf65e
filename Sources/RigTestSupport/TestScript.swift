import HostSystem

extension TemporaryFolder {
    /// Writes a shell script that can be executed, and returns its path.
    ///
    /// Another process writes it. If this one did, a child that some other test starts at the same moment would inherit the
    /// open file until its exec, and the script could not be executed for so long ("Text file busy").
    ///
    /// - Throws: ``ProgramError``, and when it cannot be written.
    package func script(_ name: String, _ text: String) async throws -> String {
        let path = file(name)
        let result = try await ProgramCall(
            path: "/usr/bin/install", arguments: ["-m", "755", "/dev/stdin", path],
            standardInput: Array("#!/bin/sh\n\(text)\n".utf8)
        ).run()
        guard result.status == .exited(0) else {
            throw ScriptNotWritten(description: "\(path): \(result.standardError)")
        }
        return path
    }
}

private struct ScriptNotWritten: Error, CustomStringConvertible {
    let description: String
}
