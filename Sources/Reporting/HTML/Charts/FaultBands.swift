import RigModel

/// The injections of a run as shaded bands behind the marks of every plot.
struct FaultBands: Sendable {
    struct Band: Sendable {
        /// Counts from 0 in the run.
        var number: Int
        var kind: String
        var detail: String
        /// Nanoseconds since the run's start.
        var begin: Int64
        /// `nil`: it was never healed.
        var end: Int64?
        var landed: Bool?
        var healOK: Bool?
    }

    let bands: [Band]

    init(_ timeline: FaultTimeline) {
        bands = timeline.injections.compactMap { injection in
            injection.inject.map {
                Band(
                    number: injection.number, kind: injection.kind, detail: injection.detail, begin: $0.time,
                    end: injection.heal?.time, landed: injection.landed, healOK: injection.healOK)
            }
        }
    }

    /// Behind everything else.
    func svg(in frame: TimeFrame) -> HTML {
        var result: HTML = ""
        let seen = seen(in: frame)
        for band in seen.count > Self.singleLimit ? Self.joined(seen, in: frame) : seen {
            let end = band.end ?? frame.span.upperBound
            let style: HTML = band.landed == false ? "band missed" : "band"
            let (x, width) = (frame.percent(band.begin), frame.percent(from: band.begin, to: end))
            result += "<rect class=\"\(style)\" x=\"\(x)\" width=\"\(width)\" height=\"100%\"/>"
            if band.begin >= frame.span.lowerBound {
                result += "<line class=\"edge\" x1=\"\(x)\" x2=\"\(x)\" y2=\"100%\"/>"
            }
        }
        return result
    }

    /// The numbers of the faults at their begins, where there is room; over everything else.
    func tags(in frame: TimeFrame) -> HTML {
        var result: HTML = ""
        var last = -100.0
        // Of those that are shown on a narrow page, too.
        var lastWide = -100.0
        for band in seen(in: frame) {
            let begin = max(band.begin, frame.span.lowerBound)
            let position = frame.position(begin)
            guard position - last > 3.2, position < 97 else { continue }
            last = position
            let isWide = position - lastWide > 9 && position < 92
            if isWide { lastWide = position }
            let style: HTML = isWide ? "tag" : "tag tight"
            result += "<text class=\"\(style)\" x=\"\(frame.percent(begin))\" dx=\"3\" y=\"10\">#\(band.number)</text>"
        }
        return result
    }

    /// More than these are joined where they touch: each stands in every plot, and a page of a long run must stay small.
    private static let singleLimit = 120

    /// Bands that overlap, or are less than a pixel apart, are one.
    private static func joined(_ bands: [Band], in frame: TimeFrame) -> [Band] {
        let pixel = (frame.span.upperBound - frame.span.lowerBound) / 1000
        var result: [Band] = []
        for band in bands.sorted(by: { $0.begin < $1.begin }) {
            if let last = result.last, band.begin <= (last.end ?? .max - pixel) + pixel {
                result[result.count - 1].end = last.end.flatMap { end in band.end.map { max(end, $0) } }
            } else {
                result.append(band)
            }
        }
        return result
    }

    private func seen(in frame: TimeFrame) -> [Band] {
        bands.filter { $0.end ?? .max >= frame.span.lowerBound && $0.begin < frame.span.upperBound }
    }

    /// `restart #0: immediate, down for 2 s; 9.3 s to 11.9 s, landed`.
    func words(_ band: Band) -> String {
        let time = "\(NumberText.clock(band.begin)) to \(band.end.map(NumberText.clock) ?? "the end, never healed")"
        let landed = band.landed.map { $0 ? "landed" : "did not land" } ?? "no proof that it landed"
        let detail = band.detail.isEmpty ? "" : ": \(band.detail)"
        return
            "\(band.kind) #\(band.number)\(detail)\n\(time)\n\(landed)\(band.healOK == false ? "\nthe heal failed" : "")"
    }
}
