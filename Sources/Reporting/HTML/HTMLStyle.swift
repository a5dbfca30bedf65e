/// The style sheet of the report. Colours are variables, so that light, dark and print differ in them alone.
enum HTMLStyle {
    static let text = colours + page + blocks + plots + media

    private static let colours = """
        :root{color-scheme:light dark;
        --bg:#fff;--card:#f6f8fa;--ink:#1b1f24;--soft:#57606a;--rule:#d5dae0;--grid:#e8ebef;--link:#0b5cc4;
        --good:#116329;--goodbg:#dafbe1;--bad:#b3171f;--badbg:#ffe9e7;--doubt:#7a4b00;--doubtbg:#fff4cf;
        --badmark:#d1242f;--doubtmark:#bf7a00;
        --band:#8b6b3d;--tag:#7a5b2e;--k0:#2463c9;--k1:#0f8a7e;--k2:#9a55c7;--k3:#c05717;--k4:#5f7a1c;--k5:#b4397c;--k6:#3b7ea1;--k7:#7a6a2b;--k8:#666f7a;--k9:#954545}
        @media (prefers-color-scheme:dark){:root{
        --bg:#0f1318;--card:#181e25;--ink:#e4e8ed;--soft:#9aa5b1;--rule:#313a45;--grid:#222a33;--link:#77b4ff;
        --good:#63d284;--goodbg:#12301c;--bad:#ff8f88;--badbg:#3b1619;--doubt:#f0c04a;--doubtbg:#352a0c;
        --badmark:#ff6b64;--doubtmark:#e3a92e;
        --band:#d1a866;--tag:#d9b273;--k0:#6ea8fe;--k1:#4cc9b8;--k2:#c795ee;--k3:#f2975a;--k4:#a9c653;--k5:#f087bd;--k6:#7cc3e6;--k7:#cdb964;--k8:#a5afba;--k9:#e08e8e}}

        """

    private static let page = """
        *{box-sizing:border-box}
        html{-webkit-text-size-adjust:100%}
        body{margin:0;background:var(--bg);color:var(--ink);font:15px/1.5 system-ui,-apple-system,"Segoe UI",Roboto,"Noto Sans",Ubuntu,sans-serif;font-variant-numeric:tabular-nums;overflow-wrap:anywhere}
        header,nav,main,footer{max-width:1200px;margin:0 auto;padding:0 24px}
        header{padding-top:28px}
        a{color:var(--link)}
        :focus-visible{outline:2px solid var(--link);outline-offset:2px}
        .skip{position:absolute;left:-999px}.skip:focus{left:8px;top:8px;background:var(--bg);padding:8px;z-index:9}
        .brand{margin:0;font-size:13px;color:var(--soft);letter-spacing:.02em}
        .title{display:flex;flex-wrap:wrap;align-items:center;gap:6px 16px}
        h1{font-size:32px;line-height:1.2;margin:2px 0;letter-spacing:-.015em}
        h2{font-size:21px;line-height:1.3;margin:0 0 14px;letter-spacing:-.01em}
        h3,h4{margin:0;font-size:15px;line-height:1.35}
        .sentence{font-size:18px;margin:6px 0 0}
        .summary{color:var(--soft);margin:4px 0 0;max-width:78ch}
        .notes{margin:12px 0 0;padding:8px 12px 8px 30px;background:var(--doubtbg);border-left:3px solid var(--doubtmark);border-radius:3px}
        nav{margin-top:22px}
        nav ul{display:flex;flex-wrap:wrap;gap:4px 20px;list-style:none;margin:0;padding:10px 0;border-top:1px solid var(--rule);border-bottom:1px solid var(--rule)}
        nav a{text-decoration:none}nav a:hover{text-decoration:underline}
        section{margin:36px 0 0;scroll-margin-top:12px}
        footer{margin-top:48px;padding-bottom:32px;color:var(--soft);font-size:13px}
        footer p{border-top:1px solid var(--rule);padding-top:12px}
        .quiet,.hint,.unit{color:var(--soft)}
        .hint{margin:-8px 0 14px;font-size:14px}
        .none{color:var(--soft);margin:0}
        code,pre{font:13px/1.5 ui-monospace,SFMono-Regular,"DejaVu Sans Mono",Menlo,Consolas,monospace}
        pre{background:var(--card);padding:14px;border-radius:6px;white-space:pre-wrap;margin:8px 0}
        summary{cursor:pointer;color:var(--link)}
        details{margin:10px 0}

        """

    private static let blocks = """
        .badge{display:inline-block;white-space:nowrap;border-radius:999px;padding:1px 10px;font-size:13px;font-weight:600}
        .valid{color:var(--good);background:var(--goodbg)}.invalid{color:var(--bad);background:var(--badbg)}.unknown{color:var(--doubt);background:var(--doubtbg)}
        .title .badge{font-size:17px;padding:3px 16px;text-transform:uppercase;letter-spacing:.04em}
        .tiles{display:grid;grid-template-columns:repeat(auto-fit,minmax(190px,1fr));gap:12px;margin:20px 0 0}
        .tiles div{background:var(--card);border-radius:8px;padding:12px 16px}
        .tiles dt{font-size:13px;color:var(--soft)}
        .tiles dd{margin:0;font-size:25px;line-height:1.3;font-weight:600;letter-spacing:-.01em}
        .tiles small{display:block;font-size:12.5px;font-weight:400;letter-spacing:0;color:var(--soft);line-height:1.4;margin-top:2px}
        .group{margin:22px 0 4px;font-size:16px;display:flex;flex-wrap:wrap;gap:4px 10px;align-items:center}
        .group+p{margin:0 0 10px;font-size:14px}
        .finding{border:1px solid var(--rule);border-left:4px solid var(--badmark);border-radius:6px;padding:12px 16px;margin:0 0 10px;scroll-margin-top:12px}
        .finding:target,figure:target{border-color:var(--link);box-shadow:0 0 0 2px var(--link)}
        .finding .number{color:var(--soft);font-weight:400;margin-right:4px}
        .finding dl{display:grid;grid-template-columns:max-content minmax(0,1fr);gap:2px 14px;margin:8px 0 0;font-size:14px}
        .finding dt{color:var(--soft)}.finding dd{margin:0}
        .finding .where{display:flex;flex-wrap:wrap;gap:2px 22px;margin-top:6px}.where div{display:flex;gap:6px}.where dt{white-space:nowrap}
        .scroll{overflow-x:auto;margin:0 0 14px}
        table{border-collapse:collapse;width:100%;font-size:14px}
        caption{text-align:left;color:var(--soft);font-size:13px;padding:0 0 6px}
        th,td{text-align:left;vertical-align:top;padding:7px 14px 7px 0;border-bottom:1px solid var(--rule);font-weight:400}
        thead th{font-size:13px;color:var(--soft);white-space:nowrap}
        tbody th{font-weight:600;overflow-wrap:normal}
        .n{text-align:right;white-space:nowrap}
        .tree{margin:4px 0 0;font-size:13px}
        .evidence{display:block;font-size:13px;color:var(--soft);margin-top:4px}
        .values{display:grid;grid-template-columns:fit-content(45%) minmax(0,1fr);gap:1px 14px;margin:4px 0;font-size:13px}
        .values dt{color:var(--soft)}.values dd{margin:0}
        ol.values{display:block;padding-left:20px}
        .facts{font-size:14px;grid-template-columns:fit-content(30%) minmax(0,1fr);gap:3px 20px}
        .command{display:flex;gap:12px;align-items:center;background:var(--card);border-radius:6px;padding:10px 14px}
        .command code{flex:1}
        button{font:inherit;font-size:13px;color:var(--ink);background:var(--bg);border:1px solid var(--rule);border-radius:6px;padding:4px 12px;cursor:pointer}

        """

    private static let plots = """
        .row{display:grid;grid-template-columns:164px 52px minmax(0,1fr);margin-bottom:18px}
        .row.slim{margin-bottom:0;align-items:center}
        .name{padding-right:8px;line-height:1.3}
        .slim .name{font-size:12.5px;color:var(--soft);white-space:nowrap;overflow:hidden;text-overflow:ellipsis}
        .kind .name{color:var(--ink)}.slim .none{font-size:12.5px}
        .unit{margin:1px 0 5px;font-size:12.5px}
        .legend{list-style:none;margin:0;padding:0;font-size:12.5px;line-height:1.45}

        .legend.wide{display:flex;flex-wrap:wrap;gap:2px 18px;margin:0 0 12px}
        .row svg{display:block}.legend li{display:flex;align-items:baseline}.legend svg{flex:none;margin-right:6px;position:relative;top:1px}
        .plot,.strip{width:100%;overflow:visible}
        .plot{touch-action:pan-y}
        .strip{height:18px}
        .lane .strip{height:16px}
        text{font-size:11.5px;fill:var(--soft)}
        .ticks text{text-anchor:end}
        .time text{font-size:12px}
        .sticky{position:sticky;top:0;background:var(--bg);z-index:2;padding:2px 0 3px;margin-bottom:10px;border-bottom:1px solid var(--rule)}
        .grid{stroke:var(--grid);stroke-width:1;shape-rendering:crispEdges}
        path,line{vector-effect:non-scaling-stroke}
        .band{fill:var(--band);fill-opacity:.17}.band.missed{fill-opacity:.06}
        .edge{stroke:var(--band);stroke-width:1;stroke-opacity:.6;shape-rendering:crispEdges}
        .tag{fill:var(--tag);paint-order:stroke;stroke:var(--bg);stroke-width:3px;stroke-linejoin:round;font-size:11px;font-weight:600}
        .fault{fill:var(--band);fill-opacity:.45}.fault.core{fill-opacity:1}.fault.missed{fill-opacity:.15;stroke:var(--band);stroke-dasharray:2 2}
        .phase{fill:var(--card)}.phase.odd{fill:var(--grid)}
        .stall{fill:var(--badmark)}
        .k0{--c:var(--k0)}.k1{--c:var(--k1)}.k2{--c:var(--k2)}.k3{--c:var(--k3)}.k4{--c:var(--k4)}.k5{--c:var(--k5)}.k6{--c:var(--k6)}.k7{--c:var(--k7)}.k8{--c:var(--k8)}.k9{--c:var(--k9)}
        .use{--c:var(--k0)}.idle{--c:var(--k1)}.check{--c:var(--k3)}.wait{--c:var(--k2)}.bad{--c:var(--badmark)}.doubt{--c:var(--doubtmark)}.quiet{--c:var(--k8)}
        .fill,.key,.bar{fill:var(--c)}.fill{fill-opacity:.28}.key{fill-opacity:.5;stroke:var(--c)}
        .line{fill:none;stroke:var(--c);stroke-width:1.5;stroke-linejoin:round}
        .p50{--c:var(--k0);stroke-width:2}.p95{--c:var(--k1);stroke-dasharray:7 3}.p99{--c:var(--k3);stroke-dasharray:3 2}.max{--c:var(--k8);stroke-width:1.3;stroke-dasharray:1 2}
        .sessions{--c:var(--k3);stroke-width:3.5;stroke-opacity:.55}.sockets{--c:var(--k1);stroke-width:2}.pool{--c:var(--k0);stroke-dasharray:2 3;stroke-width:1.5}
        .limit{fill:none;stroke:var(--soft);stroke-width:1;stroke-dasharray:6 3}
        .heat{fill:var(--k0)}.h0{fill-opacity:.13}.h1{fill-opacity:.27}.h2{fill-opacity:.43}.h3{fill-opacity:.6}.h4{fill-opacity:.8}.h5{fill-opacity:1}
        .hits rect{fill:transparent}
        .cross{stroke:var(--ink);stroke-width:1;pointer-events:none}
        #readout{position:fixed;z-index:5;pointer-events:none;background:var(--bg);color:var(--ink);border:1px solid var(--rule);border-radius:6px;box-shadow:0 3px 14px rgba(0,0,0,.22);padding:7px 11px;font-size:12.5px;line-height:1.45;white-space:pre-line;max-width:280px}
        #readout::first-line{font-weight:600}
        figure{margin:0 0 26px}figcaption{margin-bottom:6px}
        .lanes{scroll-margin-top:12px;padding:2px}
        .lane{border-top:1px solid var(--grid)}
        .lane .name{color:var(--ink)}.lane.named .name{font-weight:600}
        .life{fill:var(--k8);fill-opacity:.4}
        .lease{fill:var(--k0);fill-opacity:.75;stroke:var(--bg);stroke-width:.5}.lease.bad{fill:var(--badmark);fill-opacity:1}.lease.doubt{fill:var(--doubtmark);fill-opacity:1}.lease.kept{fill:var(--k2);fill-opacity:.35;stroke:var(--k2);stroke-width:1}
        .strip text.flagged{font-size:11px}.kill{stroke:var(--badmark);stroke-width:2;fill:none}.open{stroke:var(--ink);stroke-width:1.5;fill:none}.leak{fill:var(--badmark)}
        .flag{fill:var(--badmark)}.flagged{fill:var(--bad);font-weight:600}.moment{stroke:var(--badmark);stroke-dasharray:2 2}
        .curves{display:grid;grid-template-columns:repeat(auto-fill,minmax(310px,1fr));gap:8px 28px}
        .recovery .row{grid-template-columns:40px minmax(0,1fr);margin-bottom:0}
        .recovery .limit{stroke-opacity:.6}
        .mark{stroke:var(--good);stroke-width:1.5;fill:none}.mark.first{stroke-dasharray:3 2}
        .answers{display:flex;flex-wrap:wrap;gap:2px 16px;margin:4px 0 0 40px;font-size:12.5px}
        .answers div{display:flex;gap:5px}.answers dt{color:var(--soft)}.answers dd{margin:0;font-weight:600}

        """

    private static let media = """
        @media screen and (max-width:760px){
        header,nav,main,footer{padding:0 16px}header{padding-top:20px}
        h1{font-size:25px}.tiles{grid-template-columns:repeat(2,minmax(0,1fr));gap:8px}.tiles div{padding:10px 12px}.tiles dd{font-size:20px}
        .row{grid-template-columns:46px minmax(0,1fr)}
        .row>.name{grid-column:1/-1}.row:not(.slim)>.name{margin-bottom:6px}
        .ticks{margin-left:-6px}
        .unit{display:inline;margin-left:6px}.name h3{display:inline}
        .legend{display:flex;flex-wrap:wrap;gap:0 14px;margin-top:2px}
        .slim>.name:empty{display:none}
        .sticky .name{display:none}
        .tight{display:none}
        .lane{grid-template-columns:46px minmax(0,1fr)}.lane>.name{grid-column:auto;font-size:11.5px}.lane .name .quiet{display:none}.lane>.ticks{display:none}
        .recovery .row{grid-template-columns:40px minmax(0,1fr)}
        .curves{grid-template-columns:minmax(0,1fr)}
        .finding dl{grid-template-columns:minmax(0,1fr);gap:0}.finding dl:not(.where) dd{margin-bottom:4px}.finding .where{gap:2px 18px}
        .lanes .slim:not(.lane)>.name{display:none}
        .stack thead{display:none}.stack tr{display:block;border-bottom:1px solid var(--rule);padding:8px 0}.stack th,.stack td{display:block;border:0;padding:1px 0;text-align:left;white-space:normal}
        .stack .n::before{content:attr(data-label)" ";color:var(--soft)}
        .command{flex-wrap:wrap}.facts{grid-template-columns:minmax(0,1fr)}.facts dd{margin-bottom:6px}}
        @media print{
        :root{color-scheme:light;--bg:#fff;--card:#f6f8fa;--ink:#000;--soft:#444;--rule:#bbb;--grid:#e4e4e4;--link:#000}
        @page{margin:12mm}
        body{font-size:11px;-webkit-print-color-adjust:exact;print-color-adjust:exact}
        nav,.skip,.hint,button,#readout{display:none}
        header,main,footer{padding:0}section{margin-top:22px}
        .sticky{position:static}.row,.finding,figure,tr,.tiles{break-inside:avoid}h2,h3,.group,.hint,.legend.wide,figcaption{break-after:avoid}code,pre{font-size:10px}
        h1{font-size:24px}h2{font-size:16px;margin-bottom:8px}h3,h4,.sentence{font-size:12.5px}.title .badge{font-size:13px}
        .finding dl,.group+p,table,.facts,.values{font-size:10.5px}thead th,caption,.tree,.evidence,.legend,.unit,.slim .name,.answers,.tiles dt,.tiles small{font-size:9.5px}
        text,.time text{font-size:9px}
        .tiles{grid-template-columns:repeat(5,1fr);gap:6px;margin-top:12px}.tiles div{padding:6px 10px}.tiles dd{font-size:15px}
        .row{grid-template-columns:112px 52px minmax(0,1fr);margin-bottom:10px}.row.slim{margin-bottom:0}
        .curves{grid-template-columns:repeat(2,minmax(0,1fr))}.recovery .row{grid-template-columns:40px minmax(0,1fr)}
        .finding{padding:6px 10px;margin-bottom:6px}.finding h4{font-size:11.5px}th,td{padding:3px 8px 3px 0}
        .scroll{overflow:visible}}
        @media (prefers-reduced-motion:no-preference){html{scroll-behavior:smooth}}

        """
}
