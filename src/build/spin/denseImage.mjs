/**
 * Makes the initial memory of a component dense, so that hosts map it instead of copying it into each instance.
 *
 * Wasmtime, and with it Spin, maps the memory image of a module copy-on-write if the data spans at most 16 MiB or fills at
 * least half of its span. A snapshot of the JavaScript engine is neither: it consists of thousands of segments with gaps, each of
 * which the host would copy for each instance. Gaps that are written out as zeros cost bytes of the file, but compress to nothing.
 */

const alwaysMapped = 16 * 2 ** 20
const pageBytes = 65_536

const sectionIds = { coreModule: 1, nestedComponent: 4, data: 11, dataCount: 12 }
const preambleBytes = 8
const i32Const = 0x41
const end = 0x0b

/** Reads LEB128 numbers and bytes from a position that moves. */
const makeReader = (bytes, start = 0) => {
  let at = start
  const leb = (signed) => {
    let value = 0
    let shift = 0
    let byte
    do {
      byte = bytes[at++]
      value += (byte & 0x7f) * 2 ** shift
      shift += 7
    } while (byte & 0x80)
    return signed && byte & 0x40 ? value - 2 ** shift : value
  }
  return {
    at: () => at,
    byte: () => bytes[at++],
    unsigned: () => leb(false),
    signed: () => leb(true),
    take: (length) => bytes.subarray(at, at += length)
  }
}

const unsigned = (value) => {
  const bytes = []
  do {
    const rest = Math.floor(value / 128)
    bytes.push(rest > 0 ? value % 128 + 128 : value)
    value = rest
  } while (value > 0)
  return Uint8Array.from(bytes)
}

/** An address as the operand of `i32.const`, which is signed. */
const address = (value) => {
  const bytes = []
  let rest = value | 0
  while (true) {
    const byte = rest & 0x7f
    rest >>= 7
    if (rest === 0 && !(byte & 0x40) || rest === -1 && byte & 0x40) return Uint8Array.from([...bytes, byte])
    bytes.push(byte | 0x80)
  }
}

const preamble = (bytes) => {
  const [magic, version] = [bytes.subarray(0, 4), bytes.subarray(4, 8)]
  if (Buffer.from(magic).toString("latin1") !== "\0asm") throw new Error("not WebAssembly")
  return { isComponent: version[2] === 1 }
}

function* sectionsOf(bytes) {
  const reader = makeReader(bytes, preambleBytes)
  while (reader.at() < bytes.length) {
    const id = reader.byte()
    yield { id, content: reader.take(reader.unsigned()) }
  }
}

/**
 * Returns the segments of a data section by address. `undefined`: there are segments other than active ones of the only
 * memory, so the section must not be changed.
 */
const segmentsOf = (section) => {
  const reader = makeReader(section)
  const segments = []
  for (let count = reader.unsigned(); count > 0; count--) {
    if (reader.unsigned() !== 0 || reader.byte() !== i32Const) return undefined
    const start = reader.signed() >>> 0
    if (reader.byte() !== end) return undefined
    segments.push({ start, data: reader.take(reader.unsigned()) })
  }
  return segments
}

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

const concatenated = (parts) => new Uint8Array(Buffer.concat(parts))

const dataSection = (segments) =>
  concatenated([
    unsigned(segments.length),
    ...segments.flatMap(({ data, start }) => [
      Uint8Array.of(0, i32Const),
      address(start),
      Uint8Array.of(end),
      unsigned(data.length),
      data
    ])
  ])

const rebuilt = (bytes, sections, change) =>
  concatenated([
    bytes.subarray(0, preambleBytes),
    ...sections.flatMap((section) => {
      const content = change(section)
      return [Uint8Array.of(section.id), unsigned(content.length), content]
    })
  ])

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
