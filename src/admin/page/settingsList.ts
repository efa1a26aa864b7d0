/** The settings that are in effect, with where each comes from. Pure. */
import { foreign, type Html, html } from "./html.ts"
import { cell, live, section, table } from "./parts.ts"
import type { EffectiveSetting, Status } from "./Status.ts"
import { span } from "./words.ts"

const shownValue = (value: EffectiveSetting["value"]): Html => {
  if (value === null) return html`<span class="note">not set</span>`
  if (typeof value === "string") return html`<code>${foreign(value)}</code>`
  if (typeof value !== "object") return html`<code>${String(value)}</code>`
  const text = JSON.stringify(value, null, 1).replaceAll(/\n\s*/g, " ")
  if (text === "[]" || text === "{}") return html`<span class="note">empty</span>`
  return text.length <= 120
    ? html`<code>${foreign(text)}</code>`
    : html`<details><summary>${Array.isArray(value) ? `a list of ${value.length}` : "an object"}</summary><pre>${
      JSON.stringify(value, null, 2).split("\n").map((line) => html`${line}<br>`)
    }</pre></details>`
}

const columns = { name: { title: "Setting" }, value: { title: "Value" }, source: { title: "From" } } as const

const row = ({ name, source, value }: EffectiveSetting): Html =>
  html`<tr role="row" data-key="${name}"><th scope="row" role="rowheader"><code>${name}</code></th>${
    cell(columns.value, shownValue(value))
  }${
    cell(columns.source, html`<span class="source ${source === "default" ? "is-default" : "is-set"}">${source}</span>`)
  }</tr>
`

const settingsTable = (label: string, rows: ReadonlyArray<EffectiveSetting>): Html =>
  table(label, "settings", Object.values(columns), rows.map(row))

/** The section: settings that were set first, and collapsed defaults. */
export const settings = ({ configuration, now, settings, warnings }: Status): Html => {
  const [set, defaults] = [
    settings.filter(({ source }) => source !== "default"),
    settings.filter(({ source }) => source === "default")
  ]
  return section(
    "settings",
    "Settings in effect",
    "secrets are masked",
    live("settings", [
      configuration !== undefined &&
      html`<p class="note">Configuration ${configuration.generation}, for ${span(now - configuration.since)}</p>`,
      configuration?.failed !== undefined &&
      html`<h3>Not used: what was read ${span(now - configuration.failed.at)} ago</h3><ul class="warnings">${
        configuration.failed.problems.map((text) => html`<li>${foreign(text)}</li>`)
      }</ul>`,
      warnings.length > 0 &&
      html`<h3>Valid, but unwise</h3><ul class="warnings">${
        warnings.map((text) => html`<li>${foreign(text)}</li>`)
      }</ul>`,
      set.length > 0 && settingsTable("Settings that were set", set),
      html`<details class="defaults" data-key="defaults"><summary>${defaults.length} settings with their defaults</summary>${
        settingsTable("Settings with their defaults", defaults)
      }</details>`
    ])
  )
}
