/** WebAssembly in its binary form, for modules that are small enough to read. */

/** The first bytes. */
export const preambleOf = { module: [0, 0x61, 0x73, 0x6d, 1, 0, 0, 0], component: [0, 0x61, 0x73, 0x6d, 0x0d, 0, 1, 0] }

/** LEB128 as Wasm has it: for addresses the signed form. */
export const leb = (value: number, signed = false): ReadonlyArray<number> => {
  const byte = value & 0x7f
  const rest = signed ? value >> 7 : value >>> 7
  const isLast = signed ? rest === 0 && !(byte & 0x40) || rest === -1 && byte & 0x40 : rest === 0
  return isLast ? [byte] : [byte | 0x80, ...leb(rest, signed)]
}

type Parts = ReadonlyArray<ReadonlyArray<number> | Uint8Array>

export const bytesOf = (...parts: Parts) => Buffer.concat(parts.map((part) => Uint8Array.from(part)))

export const section = (id: number, ...content: Parts) => {
  const bytes = bytesOf(...content)
  return bytesOf([id], leb(bytes.length), bytes)
}

export interface Segment {
  readonly at: number
  readonly data: Uint8Array
}

/** An active segment of the one memory. */
export const active = ({ at, data }: Segment) => bytesOf([0, 0x41], leb(at, true), [0x0b], leb(data.length), data)
