import RigModel

/// Latencies over time as cells, in a few steps of darkness.
struct HeatMap: Sendable {
    /// Steps of the fine histogram in one row: four rows for each power of two.
    private static let stepsInRow = 4
    private static let shades = 6

    private let scale: Scale
    /// By bucket, then by row.
    private let rows: [[Int: Int]]
    private let most: Int

    init(_ histograms: [CoarseHistogram], scale: Scale) {
        self.scale = scale
        rows = histograms.map { histogram in
            var cells: [Int: Int] = [:]
            for (index, count) in histogram.counts.enumerated() where count > 0 {
                cells[index / Self.stepsInRow, default: 0] += Int(count)
            }
            return cells
        }
        most = rows.flatMap(\.values).max() ?? 1
    }

    /// The greatest count of a shade: each is the same factor above the one before.
    private func limit(of shade: Int) -> Int {
        if shade >= Self.shades - 1 { return most }
        var limit = 1.0
        let factor = Self.root(Double(max(most, 2)), Self.shades)
        for _ in 0...shade { limit *= factor }
        return max(Int(limit), 1)
    }

    private func shade(_ count: Int) -> Int { (0..<Self.shades).first { count <= limit(of: $0) } ?? Self.shades - 1 }

    /// By bisection; exact enough for a shade.
    private static func root(_ number: Double, _ degree: Int) -> Double {
        var (low, high) = (1.0, number)
        for _ in 0..<60 {
            let middle = (low + high) / 2
            let power = (0..<degree).reduce(1.0) { product, _ in product * middle }
            if power < number { low = middle } else { high = middle }
        }
        return high
    }

    func svg(in frame: TimeFrame, spans: [Range<Int64>]) -> HTML {
        var paths = Array(repeating: "", count: Self.shades)
        let limits = (0..<Self.shades).map(limit)
        for (index, cells) in rows.enumerated() {
            let (left, right) = (frame.x(spans[index].lowerBound), frame.x(spans[index].upperBound))
            for (row, count) in cells.sorted(by: { $0.key < $1.key }) {
                let shade = limits.firstIndex { count <= $0 } ?? Self.shades - 1
                let top = Self.y(scale, CoarseHistogram.range(of: (row + 1) * Self.stepsInRow - 1).upperBound)
                let bottom = Self.y(scale, CoarseHistogram.range(of: row * Self.stepsInRow).lowerBound)
                paths[shade] +=
                    "M\(left) \(top)h\(max(right - left, 2))v\(max(bottom - top, 4))h\(-max(right - left, 2))z"
            }
        }
        let drawn = paths.enumerated().map { shade, path -> HTML in
            path.isEmpty ? "" : "<path class=\"heat h\(shade)\" d=\"\(HTML(trusted: path))\"/>"
        }
        return
            "<svg viewBox=\"0 0 4000 \(Int(scale.height * 4))\" preserveAspectRatio=\"none\" width=\"100%\" height=\"100%\" aria-hidden=\"true\">\(drawn)</svg>"
    }

    var legend: [ChartRow.LegendEntry] {
        var entries: [ChartRow.LegendEntry] = []
        var below = 0
        for shade in 0..<Self.shades {
            let limit = limit(of: shade)
            guard limit > below else { continue }
            let label = limit == below + 1 ? "\(limit)" : "\(NumberText.count(below + 1))–\(NumberText.count(limit))"
            entries.append(ChartRow.LegendEntry(style: "heat h\(shade)", label: label, isFilled: true))
            below = limit
        }
        return entries
    }

    /// The fullest rows of one bucket, from short to long.
    func words(_ histogram: CoarseHistogram) -> [String] {
        var cells: [Int: Int] = [:]
        for (index, count) in histogram.counts.enumerated() where count > 0 {
            cells[index / Self.stepsInRow, default: 0] += Int(count)
        }
        let fullest = cells.sorted { ($1.value, $0.key) < ($0.value, $1.key) }.prefix(6).sorted { $0.key < $1.key }
        return fullest.map { row, count in
            let from = CoarseHistogram.range(of: row * Self.stepsInRow).lowerBound
            let to = CoarseHistogram.range(of: (row + 1) * Self.stepsInRow - 1).upperBound
            return
                "\(TimeText.words(nanoseconds: from)) to \(TimeText.words(nanoseconds: to)): \(NumberText.count(count))"
        }
    }

    private static func y(_ scale: Scale, _ nanoseconds: Int64) -> Int {
        Int((scale.y(Double(nanoseconds)) * 4).rounded())
    }
}
