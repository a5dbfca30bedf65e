import RigModel

/// The life of an injection (docs/history.md): it begins once, is then proven once, and healed after that; once more only when
/// that failed. Pure; memory grows with the injections.
struct InjectionRules {
    private struct Life {
        let kind: String
        var isProven = false
        var heals = 0
        var isHealed = false
    }

    private var lives: [Int: Life] = [:]

    mutating func problem(with event: Event) -> String? {
        switch NemesisFact(event) {
        case nil, .phase?: return nil
        case .inject(let fault, let kind, _)?:
            guard lives[fault] == nil else { return "fault \(fault) is injected a second time" }
            lives[fault] = Life(kind: kind)
            return nil
        case .landed(let fault, let kind, _, _)?:
            return change(fault, kind, "proven") { life in
                defer { life.isProven = true }
                if life.isProven { return "fault \(fault) is proven a second time" }
                return life.heals > 0 ? "fault \(fault) is proven after it was healed" : nil
            }
        case .heal(let fault, let kind, let isOK, _, _)?:
            return change(fault, kind, "healed") { life in
                defer { (life.heals, life.isHealed) = (life.heals + 1, isOK) }
                if !life.isProven { return "fault \(fault) is healed, but whether it landed was never told" }
                return life.isHealed || life.heals > 1 ? "fault \(fault) is healed once too often" : nil
            }
        }
    }

    private mutating func change(
        _ fault: Int, _ kind: String, _ done: String, _ body: (inout Life) -> String?
    ) -> String? {
        guard var life = lives[fault] else { return "fault \(fault) is \(done), but it was never injected" }
        guard life.kind == kind else { return "fault \(fault) is \(done) as `\(kind)`, but it is a `\(life.kind)`" }
        defer { lives[fault] = life }
        return body(&life)
    }
}
