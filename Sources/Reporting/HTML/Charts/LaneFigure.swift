import RigModel

/// The connections of one window, a lane each, over the same axis.
struct LaneFigure: Sendable {
    static let laneLimit = 40
    private static let height = 16

    private let picture: ConnectionLanes.Picture
    private let frame: TimeFrame
    private let bands: FaultBands

    init(_ picture: ConnectionLanes.Picture, _ bands: FaultBands, duration: Int64) {
        self.picture = picture
        let span = picture.window.span
        frame = TimeFrame(span: span.lowerBound..<max(min(span.upperBound, duration), span.lowerBound + 1))
        self.bands = bands
    }

    /// - Parameter link: a link to a finding, by its number.
    func html(_ link: (Int) -> HTML) -> HTML {
        let lanes = picture.shown(Self.laneLimit)
        let numbers = picture.window.moments.map(\.finding).sorted()
        let links = numbers.map(link).joined(", ")
        let left = picture.lanes.count - lanes.count
        let span = "\(NumberText.precise(frame.span.lowerBound)) to \(NumberText.precise(frame.span.upperBound))"
        let rest: HTML =
            left > 0 ? "<p class=\"quiet\">and \(left) more connections, with which less happened here</p>" : ""
        if lanes.isEmpty {
            return
                "<figure class=\"lanes\" id=\"window-\(numbers.first ?? 0)\"><figcaption>\(links) <span class=\"quiet\">\(span)</span></figcaption><p class=\"none\">no connection was open</p></figure>"
        }
        return """
            <figure class="lanes" id="window-\(numbers.first ?? 0)"><figcaption>Around \(links) <span class="quiet">\(span)</span></figcaption>\
            <div class="timeline">\(head)\(lanes.map(row))\(ticks)</div>\(rest)</figure>

            """
    }

    /// Flags of the findings. Those that are close to each other have one label behind the last of them.
    private var head: HTML {
        let moments = picture.window.moments.filter { frame.span.contains($0.time) }.sorted { $0.time < $1.time }
        var cluster: [Int] = []
        let flags = moments.enumerated().map { index, moment -> HTML in
            let position = frame.position(moment.time)
            cluster.append(moment.finding)
            let next = index + 1 < moments.count ? frame.position(moments[index + 1].time) : 200
            var label: HTML = ""
            if next - position > Double(cluster.count * 3) {
                let isLate = position > 94
                let side: HTML = isLate ? "x=\"-8\" text-anchor=\"end\"" : "x=\"8\""
                // On a narrow page there is room for fewer.
                let room: HTML = next - position > Double(cluster.count * 8) ? "" : " tight"
                let words =
                    cluster.prefix(4).map(String.init).joined(separator: ", ") + (cluster.count > 4 ? ", …" : "")
                label = "<text class=\"flagged\(room)\" \(side) y=\"13\">\(words)</text>"
                cluster = []
            }
            return
                "<svg x=\"\(frame.percent(moment.time))\" overflow=\"visible\"><path class=\"flag\" d=\"M-5 5H5L0 15Z\"><title>finding \(moment.finding)</title></path>\(label)</svg>"
        }
        return
            "<div class=\"row slim\"><div class=\"name\">Finding</div><span class=\"ticks\"></span><svg class=\"strip\" height=\"18\" aria-hidden=\"true\">\(flags)</svg></div>"
    }

    private var ticks: HTML {
        let labels = NiceTicks.times(frame.span).enumerated().map { index, time -> HTML in
            let position = frame.position(time)
            let anchor: HTML = position < 3 ? "start" : position > 97 ? "end" : "middle"
            return
                "<text class=\"\(index % 2 == 1 ? "tight" : "")\" text-anchor=\"\(anchor)\" x=\"\(frame.percent(time))\" y=\"13\">\(NumberText.precise(time))</text>"
        }
        return
            "<div class=\"row slim\"><div class=\"name\">Time since the start</div><span class=\"ticks\"></span><svg class=\"strip time\" height=\"18\" aria-hidden=\"true\">\(labels)</svg></div>"
    }

    private func row(_ lane: Lane) -> HTML {
        let life = (lane.openedAt ?? frame.span.lowerBound, lane.closedAt ?? frame.span.upperBound)
        let pid = lane.pid.map { "pid \($0)" } ?? ""
        let moments = picture.window.moments.filter { frame.span.contains($0.time) }.map { moment -> HTML in
            let x = frame.percent(moment.time)
            return "<line class=\"moment\" x1=\"\(x)\" x2=\"\(x)\" y2=\"100%\"/>"
        }
        let leases = lane.leases.sorted { $0.begin < $1.begin }.map(mark)
        let words =
            "Connection \(lane.connection): \(lane.leases.count) leases" + lane.events.map { ", \($0.detail)" }.joined()
        return """
            <div class="row slim lane\(lane.isNamed ? " named" : "")"><div class="name">\(lane.connection) <span class="quiet">\(pid)</span></div>\
            <span class="ticks"></span><svg class="strip" role="img" height="\(Self.height)" aria-label="\(words)">\(bands.svg(in: frame))\
            <rect class="life" x="\(frame.percent(life.0))" width="\(frame.percent(from: life.0, to: life.1))" y="7" height="2"/>\
            \(moments)\(leases)\(lane.events.map(mark))</svg></div>
            """
    }

    private func mark(_ lease: LaneLease) -> HTML {
        let end = lease.end ?? frame.span.upperBound
        let style: HTML =
            switch lease.outcome {
            case .fail: "lease bad"
            case .info: "lease doubt"
            default: lease.end == nil ? "lease kept" : "lease"
            }
        let held = lease.end.map { "held \(TimeText.words(nanoseconds: $0 - lease.begin))" } ?? "never given back"
        let error = lease.error.map { "\n\(String($0.prefix(160)))" } ?? ""
        let words =
            "\(lease.function), worker \(lease.worker): \(lease.outcome.rawValue)\n\(NumberText.decimal(Double(lease.begin) / 1e9, 4)) s, \(held)\nevent \(lease.event)\(error)"
        return
            "<rect class=\"\(style)\" x=\"\(frame.percent(lease.begin))\" width=\"\(frame.percent(from: lease.begin, to: end))\" y=\"3\" height=\"10\"><title>\(words)</title></rect>"
    }

    private func mark(_ event: LaneEvent) -> HTML {
        let shape: (style: HTML, path: HTML) =
            switch event.kind {
            case .opened: ("open", "M0 2V14M0 8H4")
            case .retired: ("open", "M0 2V14M0 8H-4")
            case .lost: ("kill", "M-4 4L4 12M4 4L-4 12")
            case .sessionEnded: ("kill", "M0 1V15")
            case .leakSuspected, .leaked: ("leak", "M-5 14L0 3L5 14Z")
            case .failedAttempt: ("kill", "M-3 8L0 5L3 8L0 11Z")
            }
        let time = "\(NumberText.decimal(Double(event.time) / 1e9, 4)) s"
        return
            "<svg x=\"\(frame.percent(event.time))\" overflow=\"visible\"><path class=\"\(shape.style)\" d=\"\(shape.path)\"><title>\(event.detail)\n\(time)</title></path></svg>"
    }
}
