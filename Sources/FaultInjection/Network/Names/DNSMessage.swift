/// One question to a name server, and the answer to it (RFC 1035). Pure; only what a resolver of C libraries asks: one question
/// for the addresses of a name, over UDP.
package struct DNSMessage: Sendable, Equatable {
    package enum Answer: Sendable, Equatable {
        /// IPv4, as four numbers with dots.
        case address(String)
        /// The name exists, and has no address of the kind that was asked for.
        case nothing
        /// RCODE 3.
        case noSuchName
        /// RCODE 2: the resolver asks again, and then speaks of a temporary failure.
        case serverFailure
    }

    private static let typeA: UInt16 = 1
    private static let headerBytes = 12

    /// In small letters, without a dot at its end.
    package let name: String
    /// Asks for IPv4 addresses.
    package let wantsIPv4: Bool
    /// The header's number and the question, as they came.
    private let number: [UInt8]
    private let question: [UInt8]
    private let wantsRecursion: Bool

    /// - Returns: `nil` when these bytes are not such a question.
    package init?(_ bytes: [UInt8]) {
        // Not an answer (QR), one question.
        guard bytes.count > Self.headerBytes, bytes[2] & 0x80 == 0, bytes[4] == 0, bytes[5] == 1 else { return nil }
        var labels: [String] = []
        var position = Self.headerBytes
        while position < bytes.count, bytes[position] != 0 {
            let length = Int(bytes[position])
            let end = position + 1 + length
            // Names of questions are not compressed.
            guard length < 64, end < bytes.count else { return nil }
            labels.append(String(decoding: bytes[position + 1..<end], as: UTF8.self).lowercased())
            position = end
        }
        guard position + 5 <= bytes.count else { return nil }
        name = labels.joined(separator: ".")
        wantsIPv4 = UInt16(bytes[position + 1]) << 8 | UInt16(bytes[position + 2]) == Self.typeA
        number = Array(bytes[0..<2])
        question = Array(bytes[Self.headerBytes..<position + 5])
        wantsRecursion = bytes[2] & 1 == 1
    }

    /// The bytes of an answer that nobody may keep (its time to live is 0).
    package func reply(_ answer: Answer) -> [UInt8] {
        var code: UInt8 = 0
        var record: [UInt8] = []
        switch answer {
        case .address(let text):
            // Its name is the question's (a pointer to byte 12), type A, class IN, time to live 0, 4 bytes.
            record = [0xC0, 0x0C, 0, 1, 0, 1, 0, 0, 0, 0, 0, 4] + text.split(separator: ".").compactMap { UInt8($0) }
        case .nothing: break
        case .noSuchName: code = 3
        case .serverFailure: code = 2
        }
        // An answer (QR) with authority (AA), recursion as asked for and available.
        let flags: [UInt8] = [0x84 | (wantsRecursion ? 1 : 0), 0x80 | code]
        return number + flags + [0, 1, 0, record.isEmpty ? 0 : 1, 0, 0, 0, 0] + question + record
    }
}
