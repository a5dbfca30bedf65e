/// The look of the trend page, in the colours of the run's report.
enum TrendStyle {
    static let css = """
        :root { color-scheme: light dark; --ink: #1b1f24; --faint: #57606a; --paper: #fff; --card: #f6f8fa; --line: #d5dae0;
          --mark: #2463c9; --bad: #b3171f; --good: #116329; --doubt: #7a4b00; }
        @media (prefers-color-scheme: dark) { :root { --ink: #e4e8ed; --faint: #9aa5b1; --paper: #0f1318; --card: #181e25;
          --line: #313a45; --mark: #6ea8fe; --bad: #ff8f88; --good: #63d284; --doubt: #f0c04a; } }
        * { box-sizing: border-box; }
        body { margin: 0 auto; max-width: 76rem; padding: 1.5rem 1rem 4rem; background: var(--paper); color: var(--ink);
          font: 16px/1.5 system-ui, sans-serif; }
        h1 { margin: 0 0 1.5rem; font-size: 1.75rem; } h2 { margin: 2rem 0 .5rem; font-size: 1.25rem; }
        h2 small { font-weight: 400; color: var(--faint); }
        .brand { margin: 0; color: var(--faint); letter-spacing: .04em; }
        .badge { padding: .1em .5em; border-radius: .3em; color: var(--paper); }
        .badge.bad { background: var(--bad); } .badge.good { background: var(--good); } .badge.doubt { background: var(--doubt); }
        ul { padding: 0; list-style: none; margin: .5rem 0; }
        .flags li { padding: .35rem .75rem; margin: .25rem 0; border-left: 4px solid; background: var(--card); }
        .flags .bad { border-color: var(--bad); } .flags .good { border-color: var(--good); }
        .notes, .faint { color: var(--faint); font-size: .9rem; }
        .charts { display: grid; grid-template-columns: repeat(auto-fill, minmax(min(20rem, 100%), 1fr)); gap: .75rem; }
        figure { margin: 0; padding: .6rem .75rem .4rem; background: var(--card); border: 1px solid var(--line); border-radius: .4rem;
          break-inside: avoid; }
        figure.flagged { border-color: var(--bad); }
        figcaption { display: flex; justify-content: space-between; gap: 1rem; font-size: .9rem; }
        svg { display: block; width: 100%; height: auto; overflow: visible; }
        svg text { font: 10px system-ui, sans-serif; fill: var(--faint); }
        .axis { stroke: var(--line); } .level { stroke: var(--faint); stroke-dasharray: 3 3; fill: none; }
        .curve { stroke: var(--mark); stroke-width: 1.5; fill: none; } .dot { fill: var(--mark); }
        .dot.invalid { fill: var(--card); stroke: var(--mark); }
        .flag { fill: var(--bad); } .flag.good { fill: var(--good); } .halo { fill: none; stroke: var(--bad); }
        .halo.good { stroke: var(--good); }
        details { margin: 1rem 0; } summary { cursor: pointer; }
        .wide { overflow-x: auto; } table { border-collapse: collapse; font-size: .85rem; }
        th, td { padding: .2rem .75rem .2rem 0; text-align: left; border-bottom: 1px solid var(--line); white-space: nowrap; }
        @media print { body { max-width: none; font-size: 11px; } details { display: none; } }
        """
}
