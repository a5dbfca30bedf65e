import RigModel

/// Numbers as a person writes them.
enum Numbers {
    static func seconds(_ value: Double) -> String { value == 0 ? "0 s" : TimeText.words(seconds: value) }

    /// Three significant digits, whole where it is larger, without trailing zeros.
    static func plain(_ value: Double) -> String {
        guard value.isFinite else { return "unknown" }
        let size = abs(value)
        let scale = size >= 100 ? 1.0 : size >= 10 ? 10 : size >= 1 ? 100 : 1000
        let rounded = (value * scale).rounded() / scale
        return rounded == rounded.rounded() && abs(rounded) < 1e15 ? String(Int64(rounded)) : String(rounded)
    }

    /// `+100 %`, `−12 %`, `×3.2` from a tripling on; `±0 %`.
    static func change(from old: Double, to new: Double) -> String {
        if old == new { return "±0 %" }
        guard old > 0 else { return "from 0" }
        let ratio = new / old
        if ratio >= 3 { return "×\(plain(ratio))" }
        let percent = (ratio - 1) * 100
        let text = plain(abs(percent) >= 10 ? abs(percent).rounded() : (abs(percent) * 10).rounded() / 10)
        return text == "0" ? "±0 %" : (percent > 0 ? "+" : "−") + text + " %"
    }
}
