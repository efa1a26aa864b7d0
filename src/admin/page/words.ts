/** Numbers and times as people read them. Pure. */
import * as DateTime from "effect/DateTime"
import { type Html, html } from "./html.ts"

const grouped = new Intl.NumberFormat("en-US", { maximumFractionDigits: 0 })

/** A whole number, with a thin group separator. */
export const count = (value: number): string => grouped.format(value)

export const counted = (value: number, noun: string, plural = `${noun}s`): string =>
  `${count(value)} ${value === 1 ? noun : plural}`

/** Requests in a second: two significant digits below ten. */
export const rate = (value: number): string => {
  if (value === 0) return "0"
  if (value < 0.095) return "< 0.1"
  return value < 9.95 ? value.toFixed(1) : count(value)
}

/** A duration in milliseconds, in a suitable unit; `–` if it is unknown. */
export const millis = (value: number | null): string => {
  if (value === null) return "–"
  if (value < 9.95) return `${value.toFixed(1)} ms`
  if (value < 999.5) return `${Math.round(value)} ms`
  return value < 59_950 ? `${(value / 1000).toFixed(1)} s` : `${Math.round(value / 60_000)} min`
}

export const percent = (part: number, whole: number): string => {
  if (whole === 0 || part === 0) return "0 %"
  const share = 100 * part / whole
  return share < 0.1 ? "< 0.1 %" : `${share < 9.95 ? share.toFixed(1) : Math.round(share)} %`
}

const units = [["d", 86_400], ["h", 3_600], ["min", 60], ["s", 1]] as const

/** A span of time in its largest unit: `3 min`. */
export const span = (milliseconds: number): string => {
  const seconds = Math.max(0, Math.round(milliseconds / 1000))
  const [unit, size] = units.find(([, size]) => seconds >= size) ?? ["s", 1]
  return `${Math.floor(seconds / size)} ${unit}`
}

const iso = (at: number): string => DateTime.formatIso(DateTime.makeUnsafe(at))

/** How long ago something was, or how soon it will be, with the exact time for machines and as a tooltip. */
export const relative = (at: number, now: number): Html => {
  const text = Math.abs(at - now) < 1_000 ? "now" : at < now ? `${span(now - at)} ago` : `in ${span(at - now)}`
  return html`<time datetime="${iso(at)}" title="${iso(at)}">${text}</time>`
}

/** The time of day in UTC, to the second. */
export const timeOfDay = (at: number): string => iso(at).slice(11, 19)
