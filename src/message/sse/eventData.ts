/** Finds the data of server-sent events while their chunks arrive. */
import { COLON, CR, LF, SPACE } from "../bytes.ts"
import { dataField } from "./eventMessage.ts"

const byteOrderMark: ReadonlyArray<number> = [0xef, 0xbb, 0xbf]

/** Receives the data of an event stream. Positions count from the beginning of the stream. */
export interface EventDataReceiver {
  readonly data: (piece: Uint8Array, at: number) => void
  /** Another line of data has begun. A line feed separates it from the previous one. */
  readonly lineFeed: (at: number) => void
  /** The current event, which has data, has ended. */
  readonly ended: () => void
}

// The kind of the current line, as far as it is known.
const NAME = 0
const AFTER_COLON = 1
const VALUE = 2
const OTHER = 3

/**
 * Follows an event stream, and returns the data of each event in chunks, as they arrive.
 *
 * Source: HTML, section 9.2.5 (parsing an event stream) and 9.2.6 (interpreting it): lines end in CR, LF or CRLF, an
 * empty line ends an event, one byte order mark may come first, and one space after the colon does not count.
 */
export class EventData {
  private readonly to: EventDataReceiver
  private line = NAME
  /** How many bytes of `data` the current line has matched. */
  private matched = 0
  private lineIsEmpty = true
  private afterCr = false
  private hasData = false
  private marked = 0

  constructor(to: EventDataReceiver) {
    this.to = to
  }

  /** Whether an event with data has begun and not yet ended. */
  get isInEvent(): boolean {
    return this.hasData
  }

  push(chunk: Uint8Array, position: number): void {
    const { length } = chunk
    let at = this.endOfMark(chunk)
    let lf = -1
    let cr = -1
    while (at < length) {
      if (this.line === NAME || this.line === AFTER_COLON) {
        at = this.head(chunk, at, position)
        continue
      }
      if (lf < at) lf = indexOf(chunk, LF, at)
      if (cr < at) cr = indexOf(chunk, CR, at)
      const end = Math.min(lf, cr)
      if (this.line === VALUE && end > at) this.to.data(chunk.subarray(at, end), position + at)
      at = end
      if (at < length) this.endLine(chunk[at++] === CR)
    }
  }

  /** Reads a byte of the line's name, or the byte after the colon. Returns the position of the next byte. */
  private head(chunk: Uint8Array, at: number, position: number): number {
    const byte = chunk[at]
    if (byte === LF && this.afterCr) {
      this.afterCr = false
      return at + 1
    }
    this.afterCr = false
    if (this.line === AFTER_COLON) {
      this.line = VALUE
      return byte === SPACE ? at + 1 : at
    }
    if (byte === LF || byte === CR) {
      // A line that consists of the name alone has empty data.
      if (this.matched === dataField.length) this.beginData(position + at)
      this.endLine(byte === CR)
      return at + 1
    }
    this.lineIsEmpty = false
    if (this.matched === dataField.length) {
      if (byte === COLON) {
        this.line = AFTER_COLON
        this.beginData(position + at)
      } else {
        this.line = OTHER
      }
    } else if (byte === dataField[this.matched]) {
      this.matched++
    } else {
      this.line = OTHER
    }
    return at + 1
  }

  private beginData(position: number): void {
    if (this.hasData) this.to.lineFeed(position)
    this.hasData = true
  }

  private endLine(isCr: boolean): void {
    if (this.lineIsEmpty && this.hasData) {
      this.hasData = false
      this.to.ended()
    }
    this.line = NAME
    this.matched = 0
    this.lineIsEmpty = true
    this.afterCr = isCr
  }

  private endOfMark(chunk: Uint8Array): number {
    let at = 0
    while (this.marked < byteOrderMark.length && at < chunk.length) {
      if (chunk[at] !== byteOrderMark[this.marked]) {
        // A line that begins with a part of the mark has another name, and is ignored.
        if (this.marked > 0) {
          this.line = OTHER
          this.lineIsEmpty = false
        }
        this.marked = byteOrderMark.length
        break
      }
      at++
      this.marked++
    }
    return at
  }
}

/** Returns the position of the byte, or the end of the chunk. */
const indexOf = (chunk: Uint8Array, byte: number, from: number): number => {
  const found = chunk.indexOf(byte, from)
  return found === -1 ? chunk.length : found
}
