/** Small plots as inline SVG. The style sheet colours their classes. Pure. */
import { type Html, html, pathData } from "./html.ts"

/** The size of a plot in units of its view box; the style sheet determines the size on the screen. */
interface Size {
  readonly width: number
  readonly height: number
}

const decimals = (value: number): string => String(Math.round(value * 10) / 10)

/** Combines values into at most as many groups as a plot has room for. */
const combined = <A, B>(values: ReadonlyArray<A>, max: number, combine: (group: ReadonlyArray<A>) => B) => {
  const size = Math.max(1, Math.ceil(values.length / max))
  return Array.from(
    { length: Math.ceil(values.length / size) },
    (_, group) => combine(values.slice(group * size, (group + 1) * size))
  )
}

const mean = (values: ReadonlyArray<number>): number => values.reduce((sum, value) => sum + value, 0) / values.length

export const thinned = (values: ReadonlyArray<number>, max: number): ReadonlyArray<number> =>
  combined(values, max, mean)

/** The mean or the longest of each group of durations; none for a group without durations. */
export const thinnedDurations = (
  values: ReadonlyArray<number | null>,
  max: number,
  by: "mean" | "longest"
): ReadonlyArray<number | null> =>
  combined(values, max, (group) => {
    const known = group.filter((value) => value !== null)
    if (known.length === 0) return null
    return by === "mean" ? mean(known) : Math.max(...known)
  })

/** The smallest round number that is not below a value: the top of an axis. */
export const niceCeiling = (value: number): number => {
  if (!(value > 0)) return 1
  const power = 10 ** Math.floor(Math.log10(value))
  return power * ([1, 1.5, 2, 3, 4, 6, 8, 10].find((step) => step * power >= value * 0.999) ?? 10)
}

const xOf = (index: number, length: number, { width }: Size): number =>
  length < 2 ? width : index / (length - 1) * width

/** One band of a stack, from its lower to its upper edge. */
const band = (
  lower: ReadonlyArray<number>,
  upper: ReadonlyArray<number>,
  top: number,
  size: Size
): string => {
  const point = (value: number, index: number) =>
    `${decimals(xOf(index, upper.length, size))} ${decimals(size.height * (1 - value / top))}`
  const there = upper.map(point)
  const back = lower.map(point).toReversed()
  return `M${[...there, ...back].join("L")}Z`
}

/** A layer of a stack: its class in the style sheet, and its values. */
export interface Layer {
  readonly name: string
  readonly values: ReadonlyArray<number>
}

const sums = (one: ReadonlyArray<number>, other: ReadonlyArray<number>) =>
  one.map((value, index) => value + (other[index] ?? 0))

/** The height of a stack: the top of its axis. */
export const stackTop = (layers: ReadonlyArray<Layer>): number => {
  const zeros = (layers[0]?.values ?? []).map(() => 0)
  return niceCeiling(Math.max(0, ...layers.reduce((lower, { values }) => sums(lower, values), zeros)))
}

/** Areas on top of each other, the first at the bottom. */
const stack = (layers: ReadonlyArray<Layer>, top: number, size: Size): ReadonlyArray<Html> => {
  let lower: ReadonlyArray<number> = (layers[0]?.values ?? []).map(() => 0)
  return layers.map(({ name, values }) => {
    const upper = sums(lower, values)
    const shape = html`<path class="area ${name}" d="${pathData(band(lower, upper, top, size))}"/>`
    lower = upper
    return shape
  })
}

/** A line with gaps for missing values. A value between two gaps is a dot. */
const line = (
  { name, values }: { readonly name: string; readonly values: ReadonlyArray<number | null> },
  top: number,
  size: Size
): Html => {
  let path = ""
  values.forEach((value, index) => {
    if (value === null) return
    const isFirst = (values[index - 1] ?? null) === null
    const at = `${decimals(xOf(index, values.length, size))} ${decimals(size.height * (1 - value / top))}`
    path += isFirst ? `M${at}L${at}` : `L${at}`
  })
  return html`<path class="line ${name}" d="${pathData(path === "" ? "M0 0" : path)}"/>`
}

/** Horizontal lines at halves and quarters of the axis, and vertical ones at quarters of the hour. */
const grid = ({ height, width }: Size): Html => {
  const levels = [0, 0.25, 0.5, 0.75, 1].map((part) => `M0 ${decimals(height * part)}H${width}`)
  const times = [0.25, 0.5, 0.75].map((part) => `M${decimals(width * part)} 0V${height}`)
  return html`<path class="grid" d="${[...levels, ...times].join("")}"/>`
}

const plotSize: Size = { width: 360, height: 96 }

/** The number of points of a large plot. Each stands for 30 seconds, which smooths out noise. */
export const plotPoints = 120

const frame = (title: string, size: Size, kind: string, content: ReadonlyArray<Html>): Html =>
  html`<svg class="plot ${kind}" role="img" aria-label="${title}" viewBox="0 0 ${size.width} ${size.height}" preserveAspectRatio="none">${content}</svg>`

/**
 * A stacked area plot of the last hour.
 *
 * @param title the whole plot in words, for readers who cannot see it
 */
export const areaPlot = (title: string, layers: ReadonlyArray<Layer>, top: number): Html => {
  const shown = layers.map(({ name, values }) => ({ name, values: thinned(values, plotPoints) }))
  return frame(title, plotSize, "large", [grid(plotSize), ...stack(shown, top, plotSize)])
}

/** A plot of durations over the last hour, one line for each quantile. */
export const linePlot = (
  title: string,
  lines: ReadonlyArray<{ readonly name: string; readonly values: ReadonlyArray<number | null> }>,
  top: number
): Html => frame(title, plotSize, "large", [grid(plotSize), ...lines.map((one) => line(one, top, plotSize))])

const sparkSize: Size = { width: 60, height: 20 }

/** A plot of the last hour, as high as a line of text. */
export const spark = (title: string, layers: ReadonlyArray<Layer>): Html => {
  const shown = layers.map(({ name, values }) => ({ name, values: thinned(values, sparkSize.width) }))
  return frame(title, sparkSize, "spark", stack(shown, stackTop(shown), sparkSize))
}
