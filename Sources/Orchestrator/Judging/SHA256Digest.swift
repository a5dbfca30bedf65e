import CCrypto

/// SHA-256 over a stream, by libcrypto (which libpq brings along).
struct SHA256Digest: ~Copyable {
    private let context: OpaquePointer

    init() {
        guard let context = EVP_MD_CTX_new(), EVP_DigestInit_ex(context, EVP_sha256(), nil) == 1 else {
            preconditionFailure("libcrypto has no SHA-256")
        }
        self.context = context
    }

    /// The digest of a whole in hexadecimal.
    static func of(_ bytes: some Sequence<UInt8>) -> String {
        var digest = SHA256Digest()
        digest.update(Array(bytes))
        return digest.finish()
    }

    deinit { EVP_MD_CTX_free(context) }

    mutating func update(_ bytes: [UInt8]) {
        precondition(EVP_DigestUpdate(context, bytes, bytes.count) == 1, "SHA-256 failed")
    }

    /// The digest in hexadecimal of what came so far; more may follow.
    func soFar() -> String {
        guard let copy = EVP_MD_CTX_new(), EVP_MD_CTX_copy_ex(copy, context) == 1 else {
            preconditionFailure("SHA-256 cannot be copied")
        }
        var other = SHA256Digest(copy)
        return other.finish()
    }

    private init(_ context: OpaquePointer) { self.context = context }

    /// The digest in hexadecimal. Call once.
    mutating func finish() -> String {
        var digest = [UInt8](repeating: 0, count: 32)
        precondition(EVP_DigestFinal_ex(context, &digest, nil) == 1, "SHA-256 failed")
        let hex = Array("0123456789abcdef".utf8)
        return String(decoding: digest.flatMap { [hex[Int($0 >> 4)], hex[Int($0 & 15)]] }, as: UTF8.self)
    }
}
