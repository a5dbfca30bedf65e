import Glibc
import RigTestSupport
import Testing

@testable import FaultProxy

@Suite(.timeLimit(.minutes(3))) struct ProxyAddressTests {
    @Test(
        "What is no address is refused",
        arguments: [
            "localhost", "host:port", "1:2:3", "host:70000", "host:-1", "host:", "unix:", "/tmp/a\0b", "unix:a\0",
            "ho\0st:1", "host:no-such-service", "host:a_b", "host:" + String(repeating: "a", count: 1 << 20),
        ])
    func noAddress(_ text: String) {
        #expect(throws: ProxyError.self) { try ProxyAddress(text) }
    }

    @Test(
        "The name of a service is its port, as in Go",
        .enabled(if: getservbyname("http", "tcp") != nil, "this machine has no /etc/services"))
    func serviceName() throws {
        #expect(try ProxyAddress("localhost:http") == .tcp(host: "localhost", port: 80))
        #expect(try ProxyAddress("[::1]:https") == .tcp(host: "::1", port: 443))
    }

    @Test("A missing host is every address of both families where the machine has both")
    func everyAddress() throws {
        let any = try ProxyAddress(":0")
        #expect(try any.resolve(isForListening: true, hasDualStack: true).text == "[::]:0")
        #expect(try any.resolve(isForListening: true, hasDualStack: false).text == "0.0.0.0:0")
        #expect(try any.resolve(isForListening: false, hasDualStack: true).text == "127.0.0.1:0")
    }

    /// A machine may have IPv6 without an address of it (`sysctl net.ipv6.conf.all.disable_ipv6=1`).
    private static func hasIPv6Loopback() throws -> Bool {
        guard Sockets.hasDualStack else { return false }
        let loopback = try #require(SocketAddress(ipv6: "::1", port: 0))
        do throws(ProxyError) {
            try BoundSocket(loopback).close()
            return true
        } catch {
            return false
        }
    }

    @Test("Clients of both families reach a relay on every address, and are told by the addresses that they have")
    func bothFamilies() async throws {
        let server = try TestServer.echo()
        let relay = try RunningRelay(to: "127.0.0.1:\(server.port)", listen: ":0")
        #expect(relay.address.hasPrefix(Sockets.hasDualStack ? "[::]:" : "0.0.0.0:"))
        try await onThread {
            for host in try Self.hasIPv6Loopback() ? ["127.0.0.1", "[::1]"] : ["127.0.0.1"] {
                let client = TestSocket(try HTTPClient("\(host):\(relay.port)").open(saying: [1]))
                #expect(try client.read(exactly: 1) == [1])
                #expect(relay.relay.connections().last?.client.hasPrefix("\(host):") == true)
            }
        }
        relay.stop()
        server.stop()
    }
}
