/** Why requests were rejected or failed, with what each reason means and how to fix it. Pure. */
import { adviceOf } from "../rejections.ts"
import { foreign, type Html, html } from "./html.ts"
import { live, section } from "./parts.ts"
import type { RejectionStatus, Status } from "./Status.ts"
import { count, relative } from "./words.ts"

/** A bar as long as a share of the longest one. Drawn as SVG, because inline styles are forbidden. */
const bar = (value: number, longest: number): Html =>
  html`<svg class="bar" viewBox="0 0 100 6" preserveAspectRatio="none" aria-hidden="true"><rect width="100" height="6" class="rail"/><rect width="${
    Math.round(1000 * value / Math.max(1, longest)) / 10
  }" height="6" class="value"/></svg>`

const entry = ({ last, lastHour, reason, sinceStart }: RejectionStatus, longest: number, now: number): Html => {
  const { fix, isUsual, meaning, title } = adviceOf(reason)
  const about = [
    ...(last.server === undefined ? [] : [`MCP server ${last.server}`]),
    ...(last.provider === undefined ? [] : [`provider ${last.provider}`])
  ]
  return html`<li data-key="${reason}"><details class="reason"><summary>
<span class="title">${title}${isUsual === true && html` <span class="kind">usual</span>`}</span>
${bar(lastHour, longest)}
<span class="number">${count(lastHour)}<span class="visually-hidden"> in the last hour</span></span>
<span class="note">last ${relative(last.at, now)}</span>
</summary>
<div class="advice">
<p><strong>What this means.</strong> ${meaning}</p>
<p><strong>How to fix it.</strong> ${fix}</p>
${
    last.detail !== undefined &&
    html`<p class="latest"><strong>The latest${
      about.length > 0 && html` (${foreign(about.join(", "))})`
    }.</strong> <code>${foreign(last.detail)}</code></p>`
  }
<p class="note"><code>${reason}</code> in the log; ${count(sinceStart)} since the start</p>
</div></details></li>
`
}

export const rejections = ({ now, rejections }: Status): Html => {
  const ordered = rejections.toSorted((one, other) => other.lastHour - one.lastHour || other.last.at - one.last.at)
  const longest = Math.max(0, ...ordered.map(({ lastHour }) => lastHour))
  return section(
    "rejections",
    "Rejections and failures",
    "in the last hour, by reason",
    live(
      "rejections",
      ordered.length === 0
        ? html`<p class="empty">No request was rejected or failed since the start.</p>`
        : html`<ul class="reasons">${ordered.map((one) => entry(one, longest, now))}</ul>`
    )
  )
}
