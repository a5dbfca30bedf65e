import Glibc
import HostSystem

/// Looks up host names for parts that take numeric addresses only.
enum NumericAddress {
    /// The first address of a host; a numeric one stays as it is. May take as long as the machine's resolver does.
    ///
    /// - Throws: ``RunError/missing(_:)`` with the resolver's reason.
    static func of(_ host: String) async throws(RunError) -> String {
        let result: Result<String, RunError> = await onOwnThread("resolve") { lookUp(host) }
        return try result.get()
    }

    private static func lookUp(_ host: String) -> Result<String, RunError> {
        var hints = addrinfo()
        hints.ai_socktype = Int32(SOCK_STREAM.rawValue)
        var list: UnsafeMutablePointer<addrinfo>?
        let status = getaddrinfo(host, nil, &hints, &list)
        guard status == 0, let first = list else {
            return .failure(
                .missing("the host name \(host) cannot be resolved: \(String(cString: gai_strerror(status)))"))
        }
        defer { freeaddrinfo(list) }
        var text = [CChar](repeating: 0, count: Int(NI_MAXHOST))
        let named = getnameinfo(
            first.pointee.ai_addr, first.pointee.ai_addrlen, &text, socklen_t(text.count), nil, 0, NI_NUMERICHOST)
        guard named == 0 else {
            return .failure(.missing("the address of \(host) cannot be shown: \(String(cString: gai_strerror(named)))"))
        }
        return .success(String(decoding: text.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }, as: UTF8.self))
    }
}
