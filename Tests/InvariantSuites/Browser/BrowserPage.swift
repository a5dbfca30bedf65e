import HostSystem
import RigModel

/// A page in a browser, at a width and in a colour scheme. Blocks, as the browser does.
final class BrowserPage {
    /// What a person would see as wrong, and the requests that the page made.
    struct Complaints {
        var console: [String] = []
        var requests: [String] = []
    }

    private let browser: BrowserPipe
    private let session: String

    init(in browser: BrowserPipe) throws {
        self.browser = browser
        let target = try browser.call("Target.createTarget", ["url": "about:blank"])["targetId"] ?? .null
        let answer = try browser.call("Target.attachToTarget", ["targetId": target, "flatten": true])
        guard let session = answer["sessionId"]?.stringValue else { throw RigTestError("the browser gave no session") }
        self.session = session
        for domain in ["Page", "Runtime", "Log", "Network", "Audits"] { _ = try call("\(domain).enable") }
        _ = browser.takeEvents()
    }

    /// Opens a file, and returns when it is loaded.
    ///
    /// - Parameter script: whether the page's own script may run.
    func open(_ path: String, width: Int, dark: Bool, script: Bool = true) throws -> Complaints {
        let screen: JSONValue = [
            "width": JSONValue(width), "height": 900, "deviceScaleFactor": 1, "mobile": .bool(width < 600),
        ]
        _ = try call("Emulation.setDeviceMetricsOverride", screen)
        _ = try call("Emulation.setTouchEmulationEnabled", ["enabled": .bool(width < 600)])
        let scheme: JSONValue = ["name": "prefers-color-scheme", "value": dark ? "dark" : "light"]
        _ = try call("Emulation.setEmulatedMedia", ["features": [scheme]])
        _ = try call("Emulation.setScriptExecutionDisabled", ["value": .bool(!script)])
        _ = browser.takeEvents()
        _ = try call("Page.navigate", ["url": .string("file://\(path)")])
        try browser.wait(for: "Page.loadEventFired")
        return complaints()
    }

    /// What was complained of since the last time.
    func complaints() -> Complaints {
        var result = Complaints()
        for event in browser.takeEvents() {
            switch event["method"]?.stringValue {
            case "Log.entryAdded", "Runtime.exceptionThrown", "Runtime.consoleAPICalled", "Audits.issueAdded":
                result.console.append(event.compactText)
            case "Network.requestWillBeSent":
                result.requests.append(event["params"]?["request"]?["url"]?.stringValue ?? "?")
            default: break
            }
        }
        return result
    }

    /// The value of an expression, by way of JSON.
    func evaluate(_ expression: String) throws -> JSONValue {
        let answer = try call(
            "Runtime.evaluate", ["expression": .string("JSON.stringify(\(expression))"), "returnByValue": true])
        guard answer["exceptionDetails"] == nil, let text = answer["result"]?["value"]?.stringValue else {
            throw RigTestError("\(expression): \(answer.compactText)")
        }
        return try JSONValue(parsing: text)
    }

    func press(_ key: String) throws {
        for type in ["rawKeyDown", "keyUp"] {
            _ = try call("Input.dispatchKeyEvent", ["type": .string(type), "key": .string(key), "code": .string(key)])
        }
    }

    /// A finger comes down at a place of the window, moves to another, and is lifted.
    func touch(_ from: (x: Double, y: Double), to: (x: Double, y: Double)) throws {
        func points(_ place: (x: Double, y: Double)) -> JSONValue { [["x": .double(place.x), "y": .double(place.y)]] }
        for (type, points) in [
            ("touchStart", points(from)), ("touchMove", points(to)), ("touchEnd", [] as JSONValue),
        ] { _ = try call("Input.dispatchTouchEvent", ["type": .string(type), "touchPoints": points]) }
    }

    private func call(_ method: String, _ parameters: JSONValue = [:]) throws -> JSONValue {
        try browser.call(method, parameters, session: session)
    }
}
