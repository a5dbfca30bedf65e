import RigModel

/// The head of the time line: phases, faults by kind, stalls of the machine, and the ticks.
struct TimeAxis: Sendable {
    private let picture: RunPicture
    private let frame: TimeFrame
    private let bands: FaultBands

    init(_ picture: RunPicture, _ frame: TimeFrame, _ bands: FaultBands) {
        (self.picture, self.frame, self.bands) = (picture, frame, bands)
    }

    var html: HTML {
        "\(faultRows)\(stallRow)<div class=\"sticky\">\(phaseRow)\(Self.ticks(frame, isFoot: false))</div>"
    }

    private var phaseRow: HTML {
        if picture.phases.isEmpty { return "" }
        let ends = picture.phases.dropFirst().map(\.begin) + [frame.span.upperBound]
        let parts = zip(picture.phases, ends).enumerated().map { index, part -> HTML in
            let (phase, end) = part
            let words = "\(phase.name): \(NumberText.clock(phase.begin)) to \(NumberText.clock(end))"
            // What the text needs, at some 6 pixels a letter, on a plot of a phone and of a desk.
            let share = frame.position(end) - frame.position(phase.begin)
            let need = Double(phase.name.count) * 6.4 + 8
            let text: HTML =
                share * 8 < need
                ? ""
                : "<text class=\"\(share * 2.8 < need ? "tight" : "")\" x=\"\(frame.percent(phase.begin))\" dx=\"5\" y=\"13\">\(phase.name)</text>"
            let (x, width) = (frame.percent(phase.begin), frame.percent(from: phase.begin, to: end))
            return
                "<g><title>\(words)</title><rect class=\"phase\(index % 2 == 0 ? "" : " odd")\" x=\"\(x)\" width=\"\(width)\" height=\"100%\"/>\(text)</g>"
        }
        return Self.row(
            name: "Phase",
            "<svg class=\"strip\" role=\"img\" height=\"18\" aria-label=\"Phases of the run\">\(parts)</svg>")
    }

    /// Who goes through a page by the keyboard does not go through more faults than these one by one: the table has them all.
    private static let focusLimit = 30

    /// A row for each kind, in the order of their first injection.
    private var faultRows: HTML {
        if bands.bands.isEmpty {
            return Self.row(name: "Faults", "<p class=\"none\">no fault was injected</p>")
        }
        var kinds: [String] = []
        for band in bands.bands where !kinds.contains(band.kind) { kinds.append(band.kind) }
        let focus: HTML = bands.bands.count <= Self.focusLimit ? " tabindex=\"0\"" : ""
        return kinds.map { kind -> HTML in
            let own = bands.bands.filter { $0.kind == kind }
            var labelEnd = -100.0
            let marks = own.map { band -> HTML in
                let end = band.end ?? frame.span.upperBound
                let (begin, stop) = (frame.position(band.begin), frame.position(end))
                // Behind the mark there is no room for it: it stands before.
                let isLast = begin > 94 || stop > 96
                let labelBegin = isLast ? begin - 3.5 : begin
                let label: HTML =
                    labelBegin < labelEnd
                    ? ""
                    : "<text class=\"\(labelBegin < labelEnd + 6 ? "tight" : "")\" x=\"\(isLast ? frame.percent(band.begin) : frame.percent(end))\" dx=\"\(isLast ? -4 : 4)\" y=\"13\"\(isLast ? " text-anchor=\"end\"" as HTML : "")>#\(band.number)</text>"
                // One fault may begin and end within another of its kind.
                labelEnd = max(labelEnd, isLast ? stop : stop + 3.5)
                return
                    "<g\(focus) role=\"img\" aria-label=\"\(bands.words(band))\"><title>\(bands.words(band))</title><rect class=\"fault\(band.landed == false ? " missed" : "")\" x=\"\(frame.percent(band.begin))\" y=\"3\" height=\"12\" width=\"\(frame.percent(from: band.begin, to: end))\"/><rect class=\"fault core\(band.landed == false ? " missed" : "")\" x=\"\(frame.percent(band.begin))\" y=\"3\" width=\"3\" height=\"12\"/>\(label)</g>"
            }
            let count = own.count > 1 ? " ×\(own.count)" : ""
            return Self.row(name: "\(kind)\(count)", "<svg class=\"strip\" height=\"18\">\(marks)</svg>", isFault: true)
        }.joined()
    }

    private var stallRow: HTML {
        if picture.stalls.isEmpty { return "" }
        let marks = picture.stalls.map { stall -> HTML in
            let begin = stall.time - stall.lateNanoseconds
            let late = TimeText.words(nanoseconds: stall.lateNanoseconds)
            let words =
                "\(stall.whose ?? "the rig") was kept from running for \(late), until \(NumberText.clock(stall.time))"
            return
                "<g><title>\(words)</title><rect class=\"stall\" x=\"\(frame.percent(begin))\" y=\"5\" height=\"8\" width=\"\(frame.percent(from: begin, to: stall.time))\"/><rect class=\"stall\" x=\"\(frame.percent(begin))\" y=\"5\" width=\"2\" height=\"8\"/></g>"
        }
        let worst = picture.stalls.map(\.lateNanoseconds).max() ?? 0
        return Self.row(
            name: "Machine stalls",
            "<svg class=\"strip\" height=\"18\" role=\"img\" aria-label=\"\(picture.stalls.count) stalls of the machine, the longest \(TimeText.words(nanoseconds: worst))\">\(marks)</svg>"
        )
    }

    static func ticks(_ frame: TimeFrame, isFoot: Bool) -> HTML {
        let end = frame.span.upperBound
        let ticks = NiceTicks.times(frame.span).enumerated().map { index, time -> HTML in
            let x = frame.percent(time)
            let position = frame.position(time)
            let anchor: HTML = position < 2 ? "start" : position > 98 ? "end" : "middle"
            return
                "<text class=\"\(index % 2 == 1 ? "tight" : "")\" text-anchor=\"\(anchor)\" x=\"\(x)\" y=\"13\">\(NiceTicks.timeLabel(time, upTo: end))</text>"
        }
        return row(
            name: isFoot ? "" : "Time since the start",
            "<svg class=\"strip time\" height=\"18\" aria-hidden=\"true\">\(ticks)</svg>")
    }

    private static func row(name: String, _ content: HTML, isFault: Bool = false) -> HTML {
        "<div class=\"row slim\(isFault ? " kind" : "")\"><div class=\"name\">\(name)</div><span class=\"ticks\"></span>\(content)</div>"
    }
}
