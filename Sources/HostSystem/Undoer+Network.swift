import Glibc
import Threading

extension Undoer {
    /// Takes a chain of packet rules away, and what leads to it. Other rules are not touched.
    func removePacketRules(_ chain: String, isTableNew: Bool) throws(UndoFailure) {
        var rules = try packetRules()
        for rule in Self.jumps(to: chain, in: rules) {
            _ = run(["iptables", "-w", "10", "-D"] + rule)
        }
        _ = run(["iptables", "-w", "10", "-F", chain])
        _ = run(["iptables", "-w", "10", "-X", chain])
        rules = try packetRules()
        guard !rules.contains(where: { $0.contains(chain) }) else {
            throw UndoFailure("packet rules of the chain \(chain) are still there")
        }
        if isTableNew { removeEmptyTable(rules) }
    }

    /// `iptables` of today makes its table, and the chains that the kernel calls, with the first rule. A machine that had none
    /// gets rid of them again; where somebody else came to use them meanwhile, they stay.
    private func removeEmptyTable(_ rules: [[String]]) {
        guard rules.allSatisfy({ $0.first == "-P" && $0.last == "ACCEPT" }) else { return }
        // The kernel refuses to delete a chain that has rules.
        for rule in rules where rule.count > 1 { _ = run(["iptables", "-w", "10", "-X", rule[1]]) }
        guard let nft = findProgram("nft"),
            let shown = try? ProgramCall(
                path: nft, arguments: ["list", "table", "ip", "filter"], timeout: limits.program
            ).runBlocking(), shown.succeeded, Self.isEmptyTable(shown.standardOutput)
        else { return }
        _ = run(["nft", "delete", "table", "ip", "filter"])
    }

    /// Whether a listing of the table shows nothing in it: no chain, and none of somebody's sets, maps or counters. Pure.
    package static func isEmptyTable(_ listing: String) -> Bool {
        let lines = listing.split(separator: "\n").map { $0.trimmingPrefix(while: \.isWhitespace) }
            .filter { !$0.isEmpty && !$0.hasPrefix("#") }
        return lines == ["table ip filter {", "}"]
    }

    /// The rules that lead to a chain, as `iptables -D` takes them. Pure.
    ///
    /// - Parameter rules: the words of the lines of `iptables -S`.
    package static func jumps(to chain: String, in rules: [[String]]) -> [[String]] {
        rules.compactMap { words in
            guard words.first == "-A", words.count > 3, words.suffix(2) == ["-j", chain] else { return nil }
            return Array(words.dropFirst())
        }
    }

    private func packetRules() throws(UndoFailure) -> [[String]] {
        guard let path = findProgram("iptables") else {
            throw UndoFailure("the program iptables is not on this machine's PATH")
        }
        let shown: ProgramResult
        do throws(ProgramError) {
            shown = try ProgramCall(path: path, arguments: ["-w", "10", "-S"], timeout: limits.program).runBlocking()
        } catch {
            throw UndoFailure("\(error)")
        }
        guard shown.succeeded else { throw UndoFailure("iptables -S ended with \(shown.status)") }
        return shown.standardOutput.split(separator: "\n").map { $0.split(separator: " ").map(String.init) }
    }

    /// A network of the run's own ends with the last process in it. Those of the run are known by both: the kernel's name of the
    /// network, which alone may be used again, and the run's folder.
    func endPrivateNetwork(_ network: String, _ folder: String) throws(UndoFailure) {
        let spared = ProcessTable.lineage(of: getpid())
        var left: [ProcessIdentity] = []
        let gone = Waiting.untilTrue(before: .now.advanced(by: limits.killed)) {
            left = ProcessTable.pids().compactMap { pid in
                guard !spared.contains(pid), ProcessTable.network(of: pid) == network,
                    Self.uses(folder, pid), let identity = ProcessTable.identity(of: pid), identity.isAlive
                else { return nil }
                return identity
            }
            for process in left { process.signal(SIGKILL) }
            return left.isEmpty
        }
        guard gone else {
            let list = left.map { "\($0.pid)" }.joined(separator: ", ")
            throw UndoFailure("processes in the run's network \(network) do not end: \(list)")
        }
    }

    private static func uses(_ folder: String, _ pid: Int32) -> Bool {
        if ProcessTable.workingDirectory(of: pid).map({ names(folder, in: $0) }) == true { return true }
        return ProcessTable.commandLine(of: pid)?.contains { names(folder, in: $0) } == true
    }
}
