/** The style sheet of the page. Colours of text have a contrast of at least 4.5 to 1 (WCAG AA), which a test computes. */

/** The colours, by theme: light and dark. */
export const palette = {
  light: {
    ground: "#f5f6f8",
    panel: "#ffffff",
    sunken: "#eef0f3",
    ink: "#1a1f27",
    soft: "#565f6d",
    edge: "#dde1e7",
    accent: "#2456c4",
    onAccent: "#ffffff",
    ok: "#1f6f48",
    warn: "#855200",
    bad: "#b3211a",
    okGround: "#eaf5ef",
    warnGround: "#fdf3e0",
    badGround: "#fcebea",
    passed: "#7d9fdc",
    rejected: "#e0a93f",
    failed: "#cf4a41"
  },
  dark: {
    ground: "#101317",
    panel: "#171b21",
    sunken: "#1f242c",
    ink: "#e5e9ef",
    soft: "#9ba5b3",
    edge: "#2b323c",
    accent: "#8db4ff",
    onAccent: "#0d1420",
    ok: "#6ccd9c",
    warn: "#e8b65c",
    bad: "#ff8f86",
    okGround: "#15251d",
    warnGround: "#2a2113",
    badGround: "#2e1918",
    passed: "#4a6fb3",
    rejected: "#b98526",
    failed: "#d9574e"
  }
} as const

const variables = (colours: Readonly<Record<string, string>>): string =>
  Object.entries(colours).map(([name, value]) => `--${name}:${value}`).join(";")

/** The text of `/page.css`. */
export const style = `:root{color-scheme:light dark;${variables(palette.light)};
--mono:ui-monospace,"SF Mono","Cascadia Mono","Segoe UI Mono","DejaVu Sans Mono",Menlo,Consolas,monospace}
@media (prefers-color-scheme:dark){:root{${variables(palette.dark)}}}
*,*::before,*::after{box-sizing:border-box}
html{scroll-padding-top:4.25rem;-webkit-text-size-adjust:100%}
body{margin:0;background:var(--ground);color:var(--ink);
font:400 .9375rem/1.5 system-ui,-apple-system,"Segoe UI",Roboto,"Helvetica Neue","DejaVu Sans",sans-serif;
font-variant-numeric:tabular-nums;overflow-wrap:anywhere}
h1,h2,h3,h4,p,dl,dd,ul,ol,figure{margin:0;padding:0}
ul,ol{list-style:none}
code,pre{font-family:var(--mono);font-size:.875em}
pre{margin:.5rem 0 0;line-height:1.45;white-space:pre-wrap}
a{color:var(--accent);text-underline-offset:.15em}
bdi{unicode-bidi:isolate}
[hidden]{display:none!important}
:focus-visible{outline:2px solid var(--accent);outline-offset:2px;border-radius:4px}
section:focus,[tabindex="-1"]:focus{outline:none}
.visually-hidden{position:absolute;width:1px;height:1px;margin:-1px;overflow:hidden;clip-path:inset(50%);white-space:nowrap}
.skip{position:absolute;left:-100vw;top:0;z-index:3;padding:.5rem 1rem;background:var(--accent);color:var(--onAccent)}
.skip:focus{left:0}
.note{color:var(--soft);font-size:.8125rem;font-weight:400}
.raised{color:var(--bad)}
.empty{padding:1rem 0;color:var(--soft)}

.top{position:sticky;top:0;z-index:2;display:flex;align-items:center;gap:.5rem 1.75rem;flex-wrap:wrap;
padding:.6rem max(1.25rem,calc((100vw - 80rem)/2 + 1.25rem));background:var(--panel);border-bottom:1px solid var(--edge)}
.brand{display:flex;align-items:center;gap:.5rem}
.brand h1{font-size:1rem;font-weight:650;letter-spacing:-.01em}
.brand svg{width:1.35rem;height:1.35rem;fill:var(--accent)}
.cut{fill:none;stroke:var(--panel);stroke-width:2;stroke-linecap:round;stroke-linejoin:round}
.top nav{flex:1;min-width:0}
.top nav ul{display:flex;gap:.15rem;overflow-x:auto;scrollbar-width:none}
.top nav a{display:block;padding:.3rem .6rem;border-radius:6px;color:var(--soft);text-decoration:none;font-size:.875rem;white-space:nowrap}
.top nav a:hover{background:var(--sunken);color:var(--ink)}
.clock{display:flex;align-items:center;gap:.75rem}
#stale{padding:.6rem max(1.25rem,calc((100vw - 80rem)/2 + 1.25rem));background:var(--warnGround);color:var(--warn);border-bottom:1px solid var(--edge)}
main{max-width:80rem;margin:0 auto;padding:1.25rem;display:grid;gap:2.25rem;grid-template-columns:minmax(0,1fr)}
footer{max-width:80rem;margin:0 auto;padding:0 1.25rem 2.5rem}
section{scroll-margin-top:4.25rem}
.heading{display:flex;align-items:baseline;gap:.25rem .75rem;flex-wrap:wrap;margin-bottom:.75rem}
h2{font-size:1.0625rem;font-weight:650;letter-spacing:-.01em}
h3{font-size:.9375rem;font-weight:650}
h4{font-size:.875rem;font-weight:650;margin-top:1rem}
#overview>.heading{position:absolute;width:1px;height:1px;overflow:hidden;clip-path:inset(50%)}

.sign{width:.95em;height:.95em;flex:none;fill:currentColor}
.sign .hollow{fill:none;stroke:currentColor;stroke-width:1.5;stroke-dasharray:2.5 2}
.sign.ok{color:var(--ok)}.sign.warn{color:var(--warn)}.sign.bad{color:var(--bad)}.sign.idle{color:var(--soft)}
.state{display:inline-flex;align-items:baseline;gap:.4em;font-size:.875rem}
.state .sign{align-self:center}
td .state{white-space:nowrap}
.state.ok{color:var(--ok)}.state.warn{color:var(--warn)}.state.bad{color:var(--bad)}.state.idle{color:var(--soft)}
.kind{padding:.05rem .45rem;border-radius:99px;background:var(--sunken);color:var(--soft);font-size:.75rem;font-weight:400}

.verdict{padding:.9rem 1.1rem;border:1px solid var(--edge);border-left:4px solid var(--ok);border-radius:8px;background:var(--panel)}
.verdict.warn{border-left-color:var(--warn);background:var(--warnGround)}
.verdict.bad{border-left-color:var(--bad);background:var(--badGround)}
.sentence{display:flex;align-items:center;gap:.6rem;font-size:1.1875rem;font-weight:650;letter-spacing:-.01em}
.troubles{margin-top:.6rem;display:grid;gap:.4rem}
.troubles li{display:flex;gap:.6rem}
.troubles .sign{margin-top:.32em}
.clamp{display:-webkit-box;-webkit-box-orient:vertical;-webkit-line-clamp:3;overflow:hidden}
.troubles a{color:var(--ink);text-decoration-color:var(--soft)}
.verdict .sign .cut{stroke:var(--panel)}

.tiles{display:grid;grid-template-columns:repeat(auto-fit,minmax(10.5rem,1fr));margin:1rem 0;border:1px solid var(--edge);border-radius:8px;background:var(--edge);gap:1px;overflow:hidden}
.tile{padding:.8rem 1.1rem;background:var(--panel)}
.tile dt{color:var(--soft);font-size:.8125rem}
.tile dd{display:grid}
.tile .number{text-align:left;font-size:1.5rem;font-weight:600;letter-spacing:-.02em;line-height:1.35}

.figures{display:grid;grid-template-columns:repeat(auto-fit,minmax(min(100%,26rem),1fr));gap:1rem}
figure{padding:.8rem 1.1rem;border:1px solid var(--edge);border-radius:8px;background:var(--panel);min-width:0}
figcaption{display:flex;flex-wrap:wrap;align-items:baseline;gap:0 .5rem;font-weight:600;font-size:.875rem;margin-bottom:.5rem}
.unit{color:var(--soft);font-weight:400;font-size:.8125rem}
.legend{display:flex;gap:.9rem;margin-left:auto;color:var(--soft);font-weight:400;font-size:.8125rem}
.legend li{display:flex;align-items:center;gap:.35rem}
.key{width:.65rem;height:.65rem}
.chart{position:relative;padding-left:3.4rem}
.chart .top,.chart .bottom{all:unset;position:absolute;left:0;width:2.9rem;text-align:right;color:var(--soft);font-size:.75rem;line-height:1}
.chart .top{top:0}.chart .bottom{bottom:0}
.times{display:flex;justify-content:space-between;padding-left:3.4rem;color:var(--soft);font-size:.75rem}
.plot{display:block;width:100%;overflow:visible}
.plot.large{height:8.5rem}
.plot path{vector-effect:non-scaling-stroke}
.grid{fill:none;stroke:var(--edge);stroke-width:1}
.area{stroke:none}
.line{fill:none;stroke-width:1.75;stroke-linejoin:round;stroke-linecap:round}
.passed,.key .p50{fill:var(--passed)}.rejected,.key .p95{fill:var(--rejected)}.failed{fill:var(--failed)}
.line.p50{stroke:var(--passed)}.line.p95{stroke:var(--rejected)}
.spark{width:9rem;height:1.9rem;border-bottom:1px solid var(--edge)}

.scroll{overflow:auto;border:1px solid var(--edge);border-radius:8px;background:var(--panel)}
table{width:100%;border-collapse:collapse}
th,td{padding:.55rem .8rem;text-align:left;vertical-align:top;font-weight:400}
thead th{position:sticky;top:0;z-index:1;background:var(--panel);color:var(--soft);font-size:.8125rem;white-space:nowrap;box-shadow:inset 0 -1px var(--edge)}
tbody tr+tr>*{border-top:1px solid var(--edge)}
.servers tr.bad>:first-child{box-shadow:inset 3px 0 var(--bad)}.servers tr.warn>:first-child{box-shadow:inset 3px 0 var(--warn)}
.card.bad{border-color:var(--bad)}.card.warn{border-color:var(--warn)}
tr:target>*,.card:target{background:var(--sunken)}
td.number,.number{text-align:right;white-space:nowrap}
td .note,th .note,.address{display:block;overflow-wrap:anywhere}
.servers tbody th{min-width:15rem}
.servers .name{font-weight:600}
.address{color:var(--soft);font-size:.8125rem}
.last-error{margin-top:.3rem;font-size:.8125rem;color:var(--bad)}
.last-error .label{font-weight:600}

.cards{display:grid;grid-template-columns:repeat(auto-fill,minmax(min(100%,22rem),1fr));gap:1rem}
.card{padding:1rem 1.1rem;border:1px solid var(--edge);border-radius:8px;background:var(--panel);min-width:0}
.card-head{display:flex;align-items:baseline;justify-content:space-between;gap:.75rem;margin-bottom:.25rem}
.facts{display:grid;gap:.1rem;margin:.5rem 0;font-size:.875rem}
.facts>div{display:grid;grid-template-columns:8rem minmax(0,1fr);gap:.75rem}
.facts dt{color:var(--soft)}
.facts.wide>div{grid-template-columns:minmax(8rem,16rem) minmax(0,1fr)}
.key-set{margin-top:.75rem;padding-top:.75rem;border-top:1px solid var(--edge)}
.keys{display:grid;gap:.15rem;margin-top:.25rem;font-size:.875rem}
summary{cursor:pointer}
summary:hover{color:var(--accent)}

.reasons{border:1px solid var(--edge);border-radius:8px;background:var(--panel)}
.reasons li+li{border-top:1px solid var(--edge)}
.reason summary{display:grid;grid-template-columns:minmax(0,16rem) minmax(4rem,1fr) 4rem 8.5rem;align-items:center;gap:.3rem 1rem;padding:.6rem 1.1rem;list-style:none}
.reason summary::-webkit-details-marker{display:none}
.reason .title::before{content:"";display:inline-block;width:.38em;height:.38em;margin:0 .7em .14em 0;border-right:1.5px solid var(--soft);border-bottom:1.5px solid var(--soft);transform:rotate(-45deg)}
.reason[open] .title::before{transform:rotate(45deg)}
.reason .title{font-weight:500}
.reason summary .note{text-align:right}
.bar{width:100%;height:.4rem;border-radius:3px;overflow:hidden}
.bar .rail{fill:var(--sunken)}.bar .value{fill:var(--rejected)}
.advice{display:grid;gap:.5rem;max-width:62rem;padding:.1rem 1.1rem 1rem 2.2rem}
.latest code{overflow-wrap:anywhere}

form{display:grid;grid-template-columns:minmax(0,1fr);gap:.75rem}
.filters,.row{display:flex;flex-wrap:wrap;gap:.6rem .9rem;align-items:end}
.filters{margin-bottom:.6rem}
.field{display:grid;gap:.2rem;min-width:0}
.field select{max-width:18rem;text-overflow:ellipsis}
.grows{flex:1 1 14rem}
label{font-size:.8125rem;color:var(--soft)}
input,select,textarea,button{font:inherit;font-size:.875rem;color:inherit;background:var(--panel);border:1px solid color-mix(in srgb,var(--soft) 70%,var(--edge));border-radius:6px;padding:.4rem .6rem;min-height:2.25rem;max-width:100%}
textarea{width:100%;font-family:var(--mono);font-size:.8125rem;resize:vertical;overflow-wrap:anywhere}
::placeholder{color:var(--soft);opacity:1}
button{cursor:pointer;padding-inline:.9rem}
button:hover{border-color:var(--accent)}
button[aria-pressed=true]{background:var(--ink);color:var(--panel)}
.primary{background:var(--accent);border-color:var(--accent);color:var(--onAccent);font-weight:600}
form[aria-busy=true] .primary{opacity:.6}
.explain{padding:1rem 1.1rem;border:1px solid var(--edge);border-radius:8px;background:var(--panel)}
#explanation:not(:empty){margin-top:1rem}
.problem{display:flex;gap:.5rem;align-items:center;color:var(--warn)}
.steps{border:1px solid var(--edge);border-radius:8px;background:var(--panel)}
.step{padding:.6rem 1.1rem}
.step+.step{border-top:1px solid var(--edge)}
.step-head{display:flex;flex-wrap:wrap;gap:0 1rem}
.step-head .title{min-width:8rem}.step-head .state{margin-left:auto}
.steps{margin-top:1rem}
.step .facts{margin:.15rem 0}
.step.bad{background:var(--badGround)}
.fix{font-size:.875rem}

[aria-label=Decisions]{max-height:34rem}
.decisions td{font-size:.875rem;padding-block:.4rem}
.when{white-space:nowrap;color:var(--soft)}
.decisions .state.ok{color:var(--soft)}
.who{min-width:14rem}.what,.why{min-width:9rem}.who,.what,.why{max-width:22rem;overflow:clip}
.why{color:var(--soft)}
.trace code{display:block;max-width:6.5rem;overflow:hidden;text-overflow:ellipsis;white-space:nowrap;color:var(--soft)}
.settings th{width:18rem}
.settings td:last-child{width:9rem}
.settings pre{max-height:24rem;overflow:auto}
.source.is-set{font-weight:500}
.source.is-default{color:var(--soft)}
.defaults{margin-top:1rem}
.defaults>summary{margin-bottom:.6rem}
.warnings{margin:.4rem 0 1rem;padding-left:1.1rem;list-style:disc}

@media (max-width:48rem){
.top{position:static}
html{scroll-padding-top:.5rem}
main{padding:1rem .8rem;gap:1.75rem}
.clock{margin-left:auto}
.brand{order:-2}.clock{order:-1}.top nav{flex-basis:100%}
.tiles{grid-template-columns:repeat(2,1fr)}
.tile{padding:.6rem .8rem}
.tile:last-child:nth-child(odd){grid-column:span 2}
.reason summary{grid-template-columns:minmax(0,1fr) auto}
.reason .bar{grid-column:1/-1;order:3}
.reason summary .note{order:4;grid-column:1/-1;text-align:left}
.advice{padding-left:1.1rem}
.field,.field select,.field input{width:100%;max-width:none}
input,select,textarea{font-size:1rem}
thead{position:absolute;clip-path:inset(50%);width:1px;height:1px;overflow:hidden}
table,tbody,tr,tbody th{display:block;width:auto}
tbody tr{padding:.7rem .9rem}
tbody tr+tr{border-top:1px solid var(--edge)}
tbody tr+tr>*{border-top:0}
tbody th,td{padding:0}
tbody th{margin-bottom:.3rem}
td,td.number{display:grid;grid-template-columns:7rem minmax(0,1fr);gap:.75rem;text-align:left;white-space:normal;max-width:none;min-width:0;padding-block:.1rem!important;font-size:.875rem}
td::before{content:attr(data-label);color:var(--soft)}
.servers tr.bad>:first-child,.servers tr.warn>:first-child{box-shadow:none}
.servers tr.bad{box-shadow:inset 3px 0 var(--bad)}.servers tr.warn{box-shadow:inset 3px 0 var(--warn)}
.spark{width:100%}
td .state{white-space:normal}
.trace code{max-width:none}
[aria-label=Decisions]{max-height:80vh}
.settings th,.settings td:last-child{width:auto}
}
@media (prefers-reduced-motion:no-preference){.reason .title::before{transition:transform .12s}}
@media (forced-colors:active){.sign,.brand svg{forced-color-adjust:none}.area,.line,.bar,.key{forced-color-adjust:none}}
@media print{.top,.skip,#explain,.filters{display:none}.scroll{max-height:none!important;overflow:visible}}
`
