extension FaultCase {
    /// No operation of these is ever idle in a transaction.
    private static let withoutTransactions = "{append: 60, read: 40}"

    /// The server stops, stalls, refuses.
    static let server: [FaultCase] = [
        FaultCase(
            kind: "restart", lands: "{restart: {mode: immediate, down-for: 500ms}, at: 500ms}",
            cannotLand: "{restart: {mode: smart, smart-limit: 500ms, escalate: false}, at: 500ms}"),
        FaultCase(
            kind: "crash", lands: "{crash: {what: backend}, at: 500ms}",
            cannotLand: "{crash: {what: backend, select: idle-in-transaction}, at: 0s}", mix: withoutTransactions),
        FaultCase(
            kind: "freeze", lands: "{freeze: {what: server}, at: 500ms, for: 1500ms}",
            cannotLand: "{freeze: {what: backend, select: idle-in-transaction}, at: 0s, for: 2500ms}",
            mix: withoutTransactions),
        FaultCase(
            kind: "starting-up", lands: "{starting-up: {hold: 1s}, at: 500ms}",
            cannotLand: "{starting-up: {hold: 0s}, at: 500ms}"),
        FaultCase(
            kind: "slots-exhausted", lands: "{slots-exhausted: {free: 0}, at: 0s, for: 2s}",
            cannotLand: "{slots-exhausted: {free: 20}, at: 0s, for: 1s}"),
        FaultCase(
            kind: "connections-disallowed", lands: "{connections-disallowed: {}, at: 0s, for: 2s}",
            cannotLand: "{connections-disallowed: {database: template1}, at: 0s, for: 1s}"),
        FaultCase(
            kind: "read-only", lands: "{read-only: {keep-sessions: false}, at: 0s, for: 2s}",
            cannotLand: "{read-only: {scope: rig-role}, at: 0s, for: 1s}"),
        FaultCase(
            kind: "reload", lands: "{reload: {}, at: 0s, for: 1s}",
            cannotLand: "{reload: {setting: max_connections, value: \"90\"}, at: 0s, for: 1s}"),
        FaultCase(
            kind: "refuse-authentication", lands: "{refuse-authentication: {how: password}, at: 0s, for: 2s}",
            cannotLand: "{refuse-authentication: {address: 192.0.2.0/24}, at: 0s, for: 1s}"),
        FaultCase(
            kind: "rotate-password", lands: "{rotate-password: {secret-follows: 1s}, at: 0s, for: 2500ms}",
            cannotLand: "{rotate-password: {require-password: false}, at: 0s, for: 1s}"),
        FaultCase(
            kind: "rotate-certificate", lands: "{rotate-certificate: {authority-follows: 500ms}, at: 0s, for: 2500ms}",
            cannotLand: "{rotate-certificate: {reload: false}, at: 0s, for: 1s}",
            target: "{postgres: managed, tls: true}"),
        FaultCase(
            kind: "failover", lands: "{failover: {endpoint-moves-after: 1s}, at: 500ms}",
            cannotLand: "{failover: {promote: nothing}, at: 500ms}", target: "{postgres: managed, standby: true}"),
        FaultCase(
            kind: "disk-full", lands: "{disk-full: {what: data}, at: 0s, for: 2s}",
            cannotLand: "{disk-full: {what: data, fill: 50%}, at: 0s, for: 1s}"),
    ]
}
