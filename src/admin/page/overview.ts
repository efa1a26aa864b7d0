/** The beginning of the page: whether all is well, the numbers that matter, and the last hour. Pure. */
import { type Html, html, type Part } from "./html.ts"
import { live, section, sign, type State } from "./parts.ts"
import {
  areaPlot,
  type Layer,
  linePlot,
  niceCeiling,
  plotPoints,
  stackTop,
  thinned,
  thinnedDurations
} from "./plots.ts"
import type { Counts, Series, Status } from "./Status.ts"
import { type Trouble, troubles } from "./troubles.ts"
import { count, counted, millis, percent, rate, span, timeOfDay } from "./words.ts"

const total = ({ failed, passed, rejected }: Counts): number => failed + passed + rejected

/** The state of the whole gateway in one sentence. */
export const verdict = (found: ReadonlyArray<Trouble>): { readonly state: State; readonly text: string } => {
  const [first] = found
  return first === undefined
    ? { state: "ok", text: "Everything works" }
    : { state: first.level, text: `${counted(found.length, "thing needs", "things need")} attention` }
}

/** More than these would hide the rest of the page. */
const maxTroubles = 8

const verdictOf = (status: Status): Html => {
  const found = troubles(status)
  const { state, text } = verdict(found)
  return html`<div class="verdict ${state}" role="status">
<p class="sentence">${sign(state)}<span>${text}</span></p>
${
    found.length === 0 ?
      undefined :
      html`<ul class="troubles">${
        found.slice(0, maxTroubles).map(({ level, text, where }) =>
          html`<li>${sign(level)}<a href="#${where}"><span class="visually-hidden">${
            level === "bad" ? "Problem: " : "Warning: "
          }</span><bdi class="clamp">${text}</bdi></a></li>`
        )
      }</ul>`
  }
${
    found.length > maxTroubles &&
    html`<p class="note">and ${count(found.length - maxTroubles)} more, at the servers and providers below</p>`
  }</div>`
}

const tile = (term: string, value: Part, note: Part): Html =>
  html`<div class="tile"><dt>${term}</dt><dd><span class="number">${value}</span><span class="note">${note}</span></dd></div>`

const tiles = (
  { now, startedAt, traffic: { lastFiveMinutes, lastHour, p50, p95, perSecond }, workers }: Status
): Html => {
  const [lately, hour] = [total(lastFiveMinutes), total(lastHour)]
  return html`<dl class="tiles">
${tile("Requests per second", rate(perSecond), `${count(hour)} in the last hour`)}
${tile("Typical duration", millis(p50), html`95 % within ${millis(p95)}`)}
${tile("Rejected", percent(lastFiveMinutes.rejected, lately), `${count(lastHour.rejected)} in the last hour`)}
${tile("Failed", percent(lastFiveMinutes.failed, lately), `${count(lastHour.failed)} in the last hour`)}
${
    tile(
      "Running for",
      span(now - startedAt),
      workers.configured === 1 ? "one process" : counted(workers.configured, "worker")
    )
  }
</dl>`
}

/** The requests of a slot as layers of a plot, in requests per second. */
export const layersOf = ({ failed, passed, rejected }: Series, slotMillis: number): ReadonlyArray<Layer> => {
  const perSecond = (values: ReadonlyArray<number>) => values.map((value) => value * 1000 / slotMillis)
  return [
    { name: "passed", values: perSecond(passed) },
    { name: "rejected", values: perSecond(rejected) },
    { name: "failed", values: perSecond(failed) }
  ]
}

const legend = (entries: ReadonlyArray<readonly [string, string]>): Html =>
  html`<ul class="legend" aria-hidden="true">${
    entries.map(([name, text]) =>
      html`<li><svg class="key" viewBox="0 0 10 10"><rect class="${name}" width="10" height="10" rx="2"/></svg>${text}</li>`
    )
  }</ul>`

const figure = (
  title: string,
  unit: string,
  top: string,
  times: readonly [string, string],
  plot: Html,
  key: Html
): Html =>
  html`<figure><figcaption><span>${title}</span> <span class="unit">${unit}</span>${key}</figcaption>
<div class="chart"><span class="top" aria-hidden="true">${top}</span>${plot}<span class="bottom" aria-hidden="true">0</span></div>
<p class="times" aria-hidden="true"><span>${times[0]}</span><span>${times[1]}</span></p></figure>`

const plots = ({ slots, traffic: { lastHour, p50, p95, series } }: Status): Html => {
  const layers = layersOf(series, slots.millis).map(({ name, values }) => ({
    name,
    values: thinned(values, plotPoints)
  }))
  const top = stackTop(layers)
  const lines = [
    { name: "p95", values: thinnedDurations(series.p95, plotPoints, "longest") },
    { name: "p50", values: thinnedDurations(series.p50, plotPoints, "mean") }
  ]
  const longest = niceCeiling(Math.max(1, ...lines.flatMap(({ values }) => values.map((value) => value ?? 0))))
  const times = [
    `${timeOfDay(slots.until - slots.count * slots.millis).slice(0, 5)}`,
    `${timeOfDay(slots.until).slice(0, 5)} UTC`
  ] as const
  return html`<div class="figures">
${
    figure(
      "Requests",
      "per second",
      rate(top),
      times,
      areaPlot(
        `Requests of the last hour: ${count(lastHour.passed)} passed, ${count(lastHour.rejected)} rejected, ${
          count(lastHour.failed)
        } failed; at most ${rate(top)} per second.`,
        layers,
        top
      ),
      legend([["passed", "passed"], ["rejected", "rejected"], ["failed", "failed"]])
    )
  }
${
    figure(
      "Duration",
      "of POST requests",
      millis(longest),
      times,
      linePlot(
        `Durations of the last hour, at most ${
          millis(longest)
        }. In the last five minutes half of the requests took up to ${millis(p50)}, and 95 percent up to ${
          millis(p95)
        }.`,
        lines,
        longest
      ),
      legend([["p50", "half within"], ["p95", "95 % within"]])
    )
  }
</div>`
}

export const overview = (status: Status): Html =>
  section(
    "overview",
    "Overview",
    undefined,
    live("overview", [verdictOf(status), tiles(status), plots(status)])
  )
