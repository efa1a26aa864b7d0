/**
 * Makes the initial memory of a component dense, so that hosts map it instead of copying it into each instance.
 *
 * Wasmtime, and with it Spin, maps the memory image of a module copy-on-write if the data spans at most 16 MiB or fills at
 * least half of its span. A snapshot of the JavaScript engine is neither: it consists of thousands of segments with gaps, each of
 * which the host would copy for each instance. Gaps that are written out as zeros cost bytes of the file, but compress to nothing.
 */
import { dataSection, preamble, rebuilt, sectionIds, sectionsOf, segmentsOf, unsigned } from "./wasmSections.mjs"

const alwaysMapped = 16 * 2 ** 20
const pageBytes = 65_536

const endOf = ({ data, start }) => start + data.length

/** The bytes that the segments have, and the pages from the first to the last of them. */
const extentOf = (segments) => {
  const filled = segments.reduce((sum, { data }) => sum + data.length, 0)
  const first = Math.min(...segments.map(({ start }) => start))
  const last = Math.max(...segments.map(endOf))
  const span = segments.length === 0 ? 0 : Math.ceil(last / pageBytes) * pageBytes - Math.floor(first / pageBytes) * pageBytes
  return { filled, span }
}

const isDense = ({ filled, span }) => span <= alwaysMapped || filled * 2 >= span

/** Returns the length of the longest gap that has to be filled; `undefined` if segments overlap. */
const longestFilledGap = (segments) => {
  const { filled, span } = extentOf(segments)
  const gaps = segments.slice(1).map((segment, index) => segment.start - endOf(segments[index]))
  if (gaps.some((gap) => gap < 0)) return undefined
  let missing = Math.ceil(span / 2) - filled
  let longest = 0
  for (const gap of gaps.toSorted((a, b) => a - b)) {
    if (missing <= 0) break
    missing -= gap
    longest = gap
  }
  return longest
}

const merged = (segments) => {
  const longest = isDense(extentOf(segments)) ? undefined : longestFilledGap(segments)
  if (longest === undefined) return segments
  const groups = []
  for (const segment of segments) {
    const group = groups.at(-1)
    if (group !== undefined && segment.start - endOf(group.at(-1)) <= longest) group.push(segment)
    else groups.push([segment])
  }
  return groups.map((group) => {
    const [{ start }] = group
    const data = new Uint8Array(endOf(group.at(-1)) - start)
    for (const part of group) data.set(part.data, part.start - start)
    return { start, data }
  })
}

const denseModule = (bytes) => {
  const sections = [...sectionsOf(bytes)]
  const data = sections.find(({ id }) => id === sectionIds.data)
  const segments = data === undefined ? undefined : segmentsOf(data.content)?.toSorted((a, b) => a.start - b.start)
  if (segments === undefined) return bytes
  const changed = merged(segments)
  if (changed === segments) return bytes
  return rebuilt(bytes, sections, ({ content, id }) =>
    id === sectionIds.data ?
      dataSection(changed) :
      id === sectionIds.dataCount ?
      unsigned(changed.length) :
      content)
}

/**
 * Returns the same component, or the same module, with segments of its initial memory merged: the shortest gaps are
 * filled with zeros until the data is dense. A dense image is returned unchanged.
 */
export const denseImage = (bytes) =>
  preamble(bytes).isComponent
    ? rebuilt(bytes, [...sectionsOf(bytes)], ({ content, id }) =>
      id === sectionIds.coreModule || id === sectionIds.nestedComponent ? denseImage(content) : content)
    : denseModule(bytes)

/**
 * Returns the extents of the initial memories of a component or module: bytes with data, bytes from the first to the last
 * page of them, and whether hosts map them.
 */
export const imagesOf = (bytes) => {
  const sections = [...sectionsOf(bytes)]
  if (preamble(bytes).isComponent) {
    return sections.filter(({ id }) => id === sectionIds.coreModule || id === sectionIds.nestedComponent)
      .flatMap(({ content }) => imagesOf(content))
  }
  return sections.filter(({ id }) => id === sectionIds.data).flatMap(({ content }) => {
    const segments = segmentsOf(content)
    if (segments === undefined || segments.length === 0) return []
    const extent = extentOf(segments)
    return [{ ...extent, segments: segments.length, isDense: isDense(extent) }]
  })
}
