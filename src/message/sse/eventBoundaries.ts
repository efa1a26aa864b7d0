/** Finds where events with data begin and end in a server-sent event stream. */
import { COLON, CR, LF } from "../bytes.ts"
import { dataField } from "./eventMessage.ts"

const byteOrderMark: ReadonlyArray<number> = [0xef, 0xbb, 0xbf]

/** The current line is not a `data` line. */
const OTHER = -1

/**
 * What a byte means for the data of an event. `MayBegin`: the first byte of a possible first `data` line. `Other`: the
 * line is not a `data` line after all. `Ends`: the last byte of the event. `Nothing`: no change.
 */
export type EventBoundary = "Nothing" | "MayBegin" | "Other" | "Ends"

/**
 * Follows an event stream byte by byte.
 *
 * Source: HTML, section 9.2.5 (parsing an event stream): lines end in CR, LF or CRLF, an empty line ends an event, one
 * byte order mark may come first. An event that ends in CRLF ends with its CR, since an LF may never come.
 */
export class EventBoundaries {
  private hasData = false
  /** How many bytes of `data` the current line has matched so far, or `OTHER`. */
  private matched = 0
  private atLineStart = true
  private afterCr = false
  /** How many bytes of a byte order mark have arrived; all of them if there is none. */
  private marked = 0

  step(byte: number): EventBoundary {
    if (this.marked < byteOrderMark.length) {
      if (byte === byteOrderMark[this.marked]) {
        this.marked++
        return "Nothing"
      }
      if (this.marked > 0) {
        this.matched = OTHER
        this.atLineStart = false
      }
      this.marked = byteOrderMark.length
    }
    if (byte === CR || byte === LF) return this.endOfLine(byte)
    this.afterCr = false
    this.atLineStart = false
    return this.hasData || this.matched === OTHER ? "Nothing" : this.startOfLine(byte)
  }

  private endOfLine(byte: number): EventBoundary {
    const secondHalf = byte === LF && this.afterCr
    this.afterCr = byte === CR
    if (secondHalf) return "Nothing"
    const { atLineStart, hasData, matched } = this
    this.atLineStart = true
    this.matched = 0
    if (atLineStart) {
      this.hasData = false
      return hasData ? "Ends" : "Nothing"
    }
    if (hasData) return "Nothing"
    this.hasData = matched === dataField.length
    return matched > 0 && !this.hasData ? "Other" : "Nothing"
  }

  private startOfLine(byte: number): EventBoundary {
    const { matched } = this
    if (matched === dataField.length && byte === COLON) {
      this.hasData = true
      return "Nothing"
    }
    if (byte === dataField[matched]) {
      this.matched++
      return matched === 0 ? "MayBegin" : "Nothing"
    }
    this.matched = OTHER
    return matched > 0 ? "Other" : "Nothing"
  }
}
