/** Reading and writing the binary form of WebAssembly, as far as the build of the component needs it. */

/** Sections of modules, and of components. */
export const sectionIds = { coreModule: 1, nestedComponent: 4, memory: 5, export: 7, data: 11, dataCount: 12 }

const preambleBytes = 8
const i32Const = 0x41
const end = 0x0b

/** Reads LEB128 numbers and bytes from a position that moves. */
export const makeReader = (bytes, start = 0) => {
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

/** A number as unsigned LEB128. */
export const unsigned = (value) => {
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

/** Reads the head of a module or component. */
export const preamble = (bytes) => {
  const [magic, version] = [bytes.subarray(0, 4), bytes.subarray(4, 8)]
  if (Buffer.from(magic).toString("latin1") !== "\0asm") throw new Error("not WebAssembly")
  return { isComponent: version[2] === 1 }
}

/** The sections of a module or component. */
export function* sectionsOf(bytes) {
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
export const segmentsOf = (section) => {
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

const concatenated = (parts) => new Uint8Array(Buffer.concat(parts))

/** The content of a data section with these active segments. */
export const dataSection = (segments) =>
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

/** The same module or component, each section with the content that `change` returns for it. */
export const rebuilt = (bytes, sections, change) =>
  concatenated([
    bytes.subarray(0, preambleBytes),
    ...sections.flatMap((section) => {
      const content = change(section)
      return [Uint8Array.of(section.id), unsigned(content.length), content]
    })
  ])
