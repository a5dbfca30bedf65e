/// How one change outside the rig's own process is undone. A value: it is written to disk before the change is made, so
/// it must say everything that a later process needs. Undoing twice, or undoing what never happened, does no harm.
package enum Undo: Sendable, Equatable, Codable {
    /// Kill whatever runs with this folder in its command line, then remove the folder.
    case removeFolder(path: String)
    /// Stop the PostgreSQL server of this data directory, if one runs.
    case stopServer(dataDirectory: String)
    /// Send SIGCONT to a process, if it is still the one that was stopped (same start time).
    case continueProcess(pid: Int32, startTicks: UInt64)
    /// Kill a process that the rig has started (same start time), and what is left of the session that it began.
    case endProcess(pid: Int32, startTicks: UInt64)
    /// Move what is in this control group to another one, then remove it.
    case removeControlGroup(path: String, backTo: String)
    /// Delete a queueing discipline of a network device (`tc qdisc`), if it is there under this handle.
    case removeQdisc(device: String, handle: String)
    /// Take this mounted file system of the rig's out of the tree.
    case unmount(path: String)
    /// Delete a chain of packet rules (`iptables`) and what leads to it, if it is there.
    ///
    /// - `isTableNew`: nobody but rigs had rules in this table; it goes as well, should it be empty then.
    /// - `network`: in which they are, as the kernel names it. In another one there is nothing to undo: that one went with the
    ///   processes of the run.
    case removePacketRules(chain: String, isTableNew: Bool, network: String?)
    /// End the processes of a run that are left in a network of its own, with which its devices, rules and queues go.
    ///
    /// - `network`: as the kernel names it, `net:[4026532201]`.
    /// - `folder`: in the command line of those processes, or their working directory.
    case endPrivateNetwork(network: String, folder: String)
    /// Run a program; then `verify`, whose exit status 0 means that nothing is left.
    case program(arguments: [String], verify: [String])
}

/// Where a change is announced before it is made.
package protocol UndoJournal: Sendable {
    /// Returns once the undo is on disk (fsync).
    ///
    /// - Returns: the number under which ``didUndo(_:)`` ends it.
    func willChange(_ undo: Undo) throws -> Int
    /// The change was undone, and that was checked.
    func didUndo(_ entry: Int) throws
}
