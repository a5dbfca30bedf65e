/// The metrics in Prometheus' text format. The values are live; Toxiproxy adds them when a connection ends.
extension ProxyAPI {
    var metrics: APIResponse {
        var text = MetricsText()
        for entry in proxies.entries { add(entry, to: &text) }
        return APIResponse(
            status: 200, headers: [.init("Content-Type", "text/plain; version=0.0.4; charset=utf-8")], body: text.text)
    }

    private func add(_ entry: ProxyEntry, to text: inout MetricsText) {
        let view = entry.view
        let statistics = entry.statistics
        for stream in ProxyStream.allCases {
            // The names of the labels in their order, as Prometheus' libraries write them.
            let labels = [
                ("direction", stream.rawValue), ("listener", view.listen), ("proxy", view.name),
                ("upstream", view.upstream),
            ]
            let isUpstream = stream == .upstream
            text.add(.received, labels, isUpstream ? statistics.upstreamReceived : statistics.downstreamReceived)
            text.add(.sent, labels, isUpstream ? statistics.upstreamSent : statistics.downstreamSent)
        }
        let proxy = [("proxy", view.name)]
        text.add(.enabled, proxy, view.isEnabled ? 1 : 0)
        text.add(.open, proxy, statistics.open)
        text.add(.accepted, proxy, statistics.accepted)
        text.add(.refused, proxy, statistics.refused)
        text.add(.descriptorShortages, proxy, statistics.descriptorShortages)
        for (reason, count) in entry.tally.closed { text.add(.closed, proxy + [("reason", reason)], count) }
        for toxic in view.toxics {
            let labels = proxy + [("stream", toxic.active.stream.rawValue), ("toxic", toxic.name)]
            let counts = toxic.active.record.snapshot
            text.add(.toxicConnections, labels, counts.connections)
            text.add(.toxicRefused, labels, counts.refused)
            text.add(.toxicClosed, labels, counts.closed)
            text.add(.heldBytes, labels, counts.heldBytes)
            text.add(.swallowedBytes, labels, counts.swallowedBytes)
            text.addHolds(counts.holds, labels)
        }
        for cut in view.cuts {
            let labels = proxy + [("cut", cut.name)]
            text.add(.cutMatches, labels, cut.record.matches)
            text.add(.cutHits, labels, cut.record.hits)
        }
    }
}
