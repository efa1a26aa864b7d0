/** The message inside one server-sent event. */
import { COLON, CR, LF, SPACE } from "../bytes.ts"
import { joinBytes, type Splice, spliceBytes } from "../json/spliceBytes.ts"

/** `data` in ASCII. */
export const dataField: ReadonlyArray<number> = [0x64, 0x61, 0x74, 0x61]
const dataStart = new TextEncoder().encode("data: ")
const lineFeed = Uint8Array.of(LF)

/** A `data` line: the positions of the line, of its value, and of the next line. */
interface DataLine {
  readonly start: number
  readonly value: number
  readonly valueEnd: number
  readonly end: number
}

/**
 * Applies `change` to the data of an event, which is the concatenation of its `data` lines.
 *
 * `event` consists of whole lines, which may end in CR, LF or CRLF. Other lines are unchanged. If `change` returns the
 * instance that it was given, the event is returned as the same instance.
 *
 * Source: HTML, section 9.2.6 (interpreting an event stream).
 */
export const changeData = (event: Uint8Array, change: (data: Uint8Array) => Uint8Array): Uint8Array => {
  const lines = dataLines(event)
  const [first, ...others] = lines
  if (first === undefined) return event
  const data = joinBytes(lines.flatMap(({ value, valueEnd }, index) => {
    const text = event.subarray(value, valueEnd)
    return index === 0 ? [text] : [lineFeed, text]
  }))
  const changed = change(data)
  if (changed === data) return event
  const insert = renderData(changed, event.subarray(first.valueEnd, first.end))
  return spliceBytes(event, [
    { start: first.start, end: first.end, insert },
    ...others.map(({ end, start }): Splice => ({ start, end, insert: undefined }))
  ])
}

const dataLines = (event: Uint8Array): ReadonlyArray<DataLine> => {
  const lines: Array<DataLine> = []
  let start = 0
  while (start < event.length) {
    let valueEnd = start
    while (valueEnd < event.length && event[valueEnd] !== CR && event[valueEnd] !== LF) valueEnd++
    const end = event[valueEnd] === CR && event[valueEnd + 1] === LF
      ? valueEnd + 2
      : Math.min(valueEnd + 1, event.length)
    const value = valueOfData(event, start, valueEnd)
    if (value >= 0) lines.push({ start, value, valueEnd, end })
    start = end
  }
  return lines
}

/** Returns the position of the line's value; -1 if it is not a `data` line. */
const valueOfData = (event: Uint8Array, start: number, end: number): number => {
  const colon = start + dataField.length
  if (colon > end || dataField.some((byte, index) => event[start + index] !== byte)) return -1
  if (colon === end) return end
  if (event[colon] !== COLON) return -1
  return colon + 1 < end && event[colon + 1] === SPACE ? colon + 2 : colon + 1
}

const renderData = (data: Uint8Array, lineEnd: Uint8Array): Uint8Array => {
  const pieces: Array<Uint8Array> = []
  let start = 0
  while (start <= data.length) {
    const lf = data.indexOf(LF, start)
    const end = lf < 0 ? data.length : lf
    pieces.push(dataStart, data.subarray(start, end), lineEnd)
    start = end + 1
  }
  return joinBytes(pieces)
}
