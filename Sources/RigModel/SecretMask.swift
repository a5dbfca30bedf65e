/// Takes passwords out of connection strings before they are shown. Pure.
public enum SecretMask {
    /// A libpq URL or `key=value` string with `***` for its password.
    public static func inURL(_ text: String) -> String {
        maskUserInfo(maskParameters(text)[...])
    }

    /// A `--set path=value` whose value may be a connection string.
    public static func inSetting(_ setting: String) -> String {
        guard let equals = setting.firstIndex(of: "=") else { return setting }
        return setting[...equals] + inURL(String(setting[setting.index(after: equals)...]))
    }

    /// `postgres://user:password@host`, each that is in the text: the password ends at the last `@` before the path.
    private static func maskUserInfo(_ text: Substring) -> String {
        guard let scheme = text.firstRange(of: "://") else { return String(text) }
        let authorityEnd = text[scheme.upperBound...].firstIndex { "/?#".contains($0) } ?? text.endIndex
        // A password may hold a / that was not escaped: then the @ comes later.
        let end =
            text[scheme.upperBound..<authorityEnd].contains("@")
            ? authorityEnd : text[scheme.upperBound...].firstIndex(of: "?") ?? text.endIndex
        guard let at = text[scheme.upperBound..<end].lastIndex(of: "@"),
            let colon = text[scheme.upperBound..<at].firstIndex(of: ":")
        else { return text[..<scheme.upperBound] + maskUserInfo(text[scheme.upperBound...]) }
        return text[...colon] + "***" + maskUserInfo(text[at...])
    }

    /// `password=…` in a query or in a list of keywords; also quoted with '.
    private static func maskParameters(_ text: String) -> String {
        var result = ""
        var rest = text[...]
        while let key = rest.firstRange(of: /(?i)(password|sslpassword)\s*=\s*/) {
            result += rest[..<key.upperBound] + "***"
            rest = rest[key.upperBound...]
            if rest.first == "'" {
                rest = rest.dropFirst()
                while let character = rest.first, character != "'" {
                    rest = rest.dropFirst(character == "\\" ? 2 : 1)
                }
                rest = rest.dropFirst()
            } else {
                rest = rest.drop { !"& \t\n".contains($0) }
            }
        }
        return result + rest
    }
}
