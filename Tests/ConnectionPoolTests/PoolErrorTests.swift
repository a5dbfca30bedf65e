import ConnectionPool
import Testing

@Suite("Why no connection was lent")
struct PoolErrorTests {
    @Test(
        "Each reason says what to do next",
        arguments: [
            (
                PoolError.acquireTimedOut(
                    waited: .milliseconds(250), gauges: PoolGauges(), maxOpen: 4, lastConnectFailure: nil),
                ["no connection within 250 ms", "max open 4", "hold leases for less long"]
            ),
            (
                .acquireTimedOut(
                    waited: .milliseconds(250), gauges: PoolGauges(), maxOpen: 4, lastConnectFailure: "refused"),
                ["last connect failed: refused; look at the server"]
            ),
            (.onlyDeadConnections(tries: 5), ["5 connections in a row", "look at the server, or at the proxy"]),
            (.tooManyWaiters(limit: 7), ["7 acquires wait", "shed load, or raise it"]),
            (
                .breakerOpen(failingFor: .seconds(31), lastConnectFailure: "refused"),
                ["for 31 s", "last: refused; look at the server and try again later"]
            ),
            (.closed, ["the pool is closed", "stop its users before it"]),
            (.cancelled, ["cancelled before it got a connection", "nothing is held"]),
        ])
    func nextStep(_ error: PoolError, _ parts: [String]) {
        for part in parts { #expect(error.description.contains(part), "\(error)") }
    }
}
