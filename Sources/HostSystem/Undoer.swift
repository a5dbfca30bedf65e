import Glibc
import Threading

/// An undo that did not work, or was refused.
package struct UndoFailure: Error, Equatable, CustomStringConvertible {
    package let description: String
    init(_ description: String) { self.description = description }
}

/// Undoes one change and checks that it worked. Blocking, but every step has a bound (see ``Undoer/limits``). Undoing
/// twice, or undoing what never happened, is a success.
package struct Undoer: Sendable {
    /// How long each step may take.
    package struct Limits: Sendable {
        /// From SIGQUIT to SIGKILL of a server.
        package var serverGrace = Duration.seconds(2)
        /// From SIGKILL until a process must be gone.
        package var killed = Duration.seconds(10)
        package var program = Duration.seconds(30)
        package init() {}
    }

    package var limits: Limits

    package init(limits: Limits = Limits()) { self.limits = limits }

    package func perform(_ undo: Undo) throws(UndoFailure) {
        switch undo {
        case .removeFolder(let path): try removeFolder(path)
        case .stopServer(let dataDirectory): try stopServer(dataDirectory)
        case .continueProcess(let pid, let startTicks):
            try continueProcess(ProcessIdentity(pid: pid, startTicks: startTicks))
        case .endProcess(let pid, let startTicks): try endProcess(ProcessIdentity(pid: pid, startTicks: startTicks))
        case .removeControlGroup(let path, let other): try removeControlGroup(path, backTo: other)
        case .removeQdisc(let device, let handle): try removeQdisc(device, handle)
        case .unmount(let path): try unmount(path)
        case .removePacketRules(let chain, let isTableNew, let network):
            guard network == nil || network == ProcessTable.network(of: getpid()) else { return }
            try removePacketRules(chain, isTableNew: isTableNew)
        case .endPrivateNetwork(let network, let folder): try endPrivateNetwork(network, folder)
        case .program(let arguments, let verify): try runUndo(arguments, verify)
        }
    }

    private func continueProcess(_ process: ProcessIdentity) throws(UndoFailure) {
        guard process.isAlive else { return }
        let code = process.signal(SIGCONT)
        guard code == 0 || code == ESRCH else {
            throw UndoFailure("cannot continue process \(process.pid): \(errorText(code))")
        }
        let runs = Waiting.untilTrue(before: .now.advanced(by: limits.killed)) {
            guard let status = ProcessTable.status(of: process.pid) else { return true }
            return status.startTicks != process.startTicks || !status.isStopped
        }
        if !runs { throw UndoFailure("process \(process.pid) is still stopped after SIGCONT") }
    }

    /// What it started goes with it: a wrapper may have ended long before the program that it wrapped.
    private func endProcess(_ process: ProcessIdentity) throws(UndoFailure) {
        var left: [ProcessIdentity] = []
        var problem: Int32 = 0
        let isGone = Waiting.untilTrue(before: .now.advanced(by: limits.killed)) {
            left = ProcessTable.session(of: process)
            if process.isAlive, !left.contains(process) { left.append(process) }
            for one in left {
                let code = one.signal(SIGKILL)
                if code != 0 && code != ESRCH { problem = code }
            }
            return left.isEmpty || problem != 0
        }
        let list = left.map { "\($0.pid)" }.joined(separator: ", ")
        if problem != 0 { throw UndoFailure("cannot end process \(list): \(errorText(problem))") }
        if !isGone { throw UndoFailure("process \(list) is still there after SIGKILL") }
    }

    /// `tc` fails when there is nothing to delete; what counts is that its list does not show the handle any more.
    private func removeQdisc(_ device: String, _ handle: String) throws(UndoFailure) {
        guard SmallFile.exists("/sys/class/net/\(device)") else { return }  // its queues went with it
        _ = run(["tc", "qdisc", "del", "dev", device, "root", "handle", handle])
        guard let path = findProgram("tc") else { throw UndoFailure("the program tc is not on this machine's PATH") }
        let shown: ProgramResult
        do throws(ProgramError) {
            shown = try ProgramCall(
                path: path, arguments: ["qdisc", "show", "dev", device], timeout: limits.program
            ).runBlocking()
        } catch {
            throw UndoFailure("\(error)")
        }
        guard shown.succeeded, !Self.lists(handle, in: shown.standardOutput) else {
            throw UndoFailure("the qdisc \(handle) is still on \(device)")
        }
    }

    /// Whether the output of `tc qdisc show` has this handle: the third word of a line, so that `1:` is not found in
    /// `801:`.
    package static func lists(_ handle: String, in output: String) -> Bool {
        output.split(separator: "\n").contains { line in
            let words = line.split(separator: " ")
            return words.count > 2 && words[0] == "qdisc" && words[2] == handle
        }
    }

    /// With a `verify`, only that counts: the program fails when it has nothing to undo.
    private func runUndo(_ arguments: [String], _ verify: [String]) throws(UndoFailure) {
        let result = run(arguments)
        if verify.isEmpty {
            if let problem = result { throw UndoFailure(problem) }
        } else if let problem = run(verify) {
            throw UndoFailure("\(problem)" + (result.map { " (the undo before it: \($0))" } ?? ""))
        }
    }

    /// - Returns: what went wrong, or `nil` when it ended with 0.
    func run(_ arguments: [String]) -> String? {
        guard let name = arguments.first else { return "the journal names no program" }
        guard let path = name.hasPrefix("/") ? name : findProgram(name) else {
            return "the program \(name) is not on this machine's PATH"
        }
        do {
            let call = ProgramCall(path: path, arguments: Array(arguments.dropFirst()), timeout: limits.program)
            let result = try call.runBlocking()
            if result.succeeded { return nil }
            let words = result.standardError.split(separator: "\n").first.map { ": \($0)" } ?? ""
            return "\(arguments.joined(separator: " ")) ended with \(result.status)\(words)"
        } catch {
            return "\(error)"
        }
    }
}
