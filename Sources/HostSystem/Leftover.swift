/// Something that could not be undone, with what a person can do about it.
package struct Leftover: Sendable, Equatable, CustomStringConvertible {
    /// `nil` when the journal itself could not be read there.
    package let undo: Undo?
    /// What is left, and why.
    package let problem: String
    /// A command that removes it by hand.
    package let remedy: String

    package init(undo: Undo?, problem: String, remedy: String) {
        self.undo = undo
        self.problem = problem
        self.remedy = remedy
    }

    package var description: String { "\(problem); to remove it: \(remedy)" }
}

extension Undo {
    /// The command that a person would type.
    package var remedy: String {
        switch self {
        case .removeFolder(let path): "rm -rf \(quoted(path))"
        case .stopServer(let dataDirectory): "pg_ctl -D \(quoted(dataDirectory)) -m immediate stop"
        case .continueProcess(let pid, _): "kill -CONT \(pid)"
        case .endProcess(let pid, _): "pkill -KILL --session \(pid); kill -KILL \(pid)"
        case .removeControlGroup(let path, _): "rmdir \(quoted(path))"
        case .removeQdisc(let device, let handle): "tc qdisc del dev \(quoted(device)) root handle \(quoted(handle))"
        case .unmount(let path): "umount --lazy \(quoted(path))"
        case .removePacketRules(let chain, _, _):
            "iptables -S | grep \(quoted(chain))  # and delete these rules with iptables -D"
        case .endPrivateNetwork(let network, _): "lsns -t net | grep \(quoted(network))  # and kill its processes"
        case .program(let arguments, _): arguments.map(quoted).joined(separator: " ")
        }
    }

    private func quoted(_ word: String) -> String {
        let isPlain =
            !word.isEmpty
            && word.utf8.allSatisfy { byte in
                UInt8(ascii: "a")...UInt8(ascii: "z") ~= byte || UInt8(ascii: "A")...UInt8(ascii: "Z") ~= byte
                    || UInt8(ascii: "0")...UInt8(ascii: "9") ~= byte || "-_./:=@%+,".utf8.contains(byte)
            }
        return isPlain
            ? word
            : "'" + word.split(separator: "'", omittingEmptySubsequences: false).joined(separator: #"'\''"#) + "'"
    }
}
