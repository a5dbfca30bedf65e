import Orchestrator
import RigModel

/// What the doctor found, for people and for programs.
struct DoctorReport {
    let examination: Examination

    var lines: [String] {
        var lines = items("server", [examination.server]) + items("capabilities", examination.capabilities)
        if !examination.faults.isEmpty { lines.append("faults") }
        let width = examination.faults.map(\.kind.count).max() ?? 0
        for fault in examination.faults {
            let name = fault.kind.padding(to: width)
            if !fault.missing.isEmpty {
                lines.append("  missing  \(name)  needs \(fault.missing.joined(separator: ", "))")
            } else {
                lines.append(
                    "  ok       " + (fault.by.isEmpty ? fault.kind : "\(name)  by \(fault.by.joined(separator: ", "))"))
            }
        }
        return lines
    }

    private func items(_ title: String, _ items: [Examination.Item]) -> [String] {
        let width = items.map(\.name.count).max() ?? 0
        var lines = items.isEmpty ? [] : [title]
        for item in items {
            lines.append(
                "  \(item.isAvailable ? "ok     " : "missing")  \(item.name.padding(to: width))  \(item.detail)")
            if let remedy = item.remedy { lines.append("           \("".padding(to: width))  to get it: \(remedy)") }
        }
        return lines
    }

    var json: JSONValue {
        [
            "server": item(examination.server), "capabilities": .array(examination.capabilities.map(item)),
            "faults": .array(
                examination.faults.map { fault in
                    [
                        "name": .string(fault.kind), "works": .bool(fault.missing.isEmpty),
                        "by": .array(fault.by.map { .string($0) }),
                        "missing": .array(fault.missing.map { .string($0) }),
                    ]
                }),
        ]
    }

    private func item(_ item: Examination.Item) -> JSONValue {
        [
            "name": .string(item.name), "available": .bool(item.isAvailable), "detail": .string(item.detail),
            "remedy": JSONValue(item.remedy),
        ]
    }
}
