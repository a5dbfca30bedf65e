extension FaultCase {
    /// Connections are ended, or never come about.
    static let connections: [FaultCase] = [
        FaultCase(
            kind: "kill-connections", lands: "{kill-connections: {}, at: 500ms, every: 1s, times: 2}",
            cannotLand: "{kill-connections: {count: 0}, at: 500ms}"),
        FaultCase(
            kind: "kill-connections",
            lands: "{kill-connections: {how: reset, select: oldest, count: 1}, at: 500ms, every: 500ms, times: 3}",
            cannotLand: "{kill-connections: {how: reset, count: 0}, at: 500ms}"),
        FaultCase(
            kind: "kill-connections", lands: "{kill-connections: {how: fin, count: 50%}, at: 500ms}",
            cannotLand: "{kill-connections: {how: fin, count: 0}, at: 500ms}"),
        FaultCase(
            kind: "kill-connections", lands: "{kill-connections: {how: socket-kill}, at: 500ms}",
            cannotLand: "{kill-connections: {how: socket-kill, count: 0}, at: 500ms}"),
        FaultCase(
            kind: "cancel-statements", lands: "{cancel-statements: {}, at: 500ms, every: 500ms, times: 3}",
            cannotLand: "{cancel-statements: {count: 0}, at: 500ms}"),
        FaultCase(
            kind: "reset", lands: "{reset: {}, at: 500ms}", cannotLand: "{reset: {share: 0%}, at: 500ms}"),
        // Connects are needed, or none: connections that the pool gives up soon, or that it has from the beginning.
        FaultCase(
            kind: "refuse-connections", lands: "{refuse-connections: {first: 3}, at: 0s, for: 2s}",
            cannotLand: "{refuse-connections: {}, at: 0s, for: 1s}", pool: "max-lifetime: 300ms",
            otherPool: "min-idle: 4"),
        FaultCase(
            kind: "interrupt-connect", lands: "{interrupt-connect: {times: 4}, at: 0s, for: 1s}",
            cannotLand: "{interrupt-connect: {evict: false}, at: 0s, for: 1s}", otherPool: "min-idle: 4"),
        FaultCase(
            kind: "interrupt-connect",
            lands: "{interrupt-connect: {when: after-startup, answer: fin, times: 4}, at: 0s, for: 1s}",
            cannotLand: "{interrupt-connect: {when: after-startup, share: 0%}, at: 0s, for: 1s}"),
        FaultCase(
            kind: "interrupt-connect",
            lands: "{interrupt-connect: {when: before-ready, answer: silence, times: 4}, at: 0s, for: 2s}",
            cannotLand: "{interrupt-connect: {when: before-ready, share: 0%}, at: 0s, for: 1s}",
            pool: "connect-timeout: 500ms", faultsPhase: "4s"),
        FaultCase(
            kind: "cut", lands: "{cut: {at: lost-commit, times: 2}, at: 0s, for: 2s}",
            cannotLand: "{cut: {at: before Query, statement: no_such_table}, at: 0s, for: 1s}"),
        FaultCase(
            kind: "inject-error", lands: "{inject-error: {sqlstate: \"40001\", times: 5}, at: 0s, for: 2s}",
            cannotLand: "{inject-error: {sqlstate: \"40001\", statement: no_such_table}, at: 0s, for: 1s}"),
    ]
}
