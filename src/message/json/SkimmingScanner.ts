/** A scanner that quickly skips values that are too deep to matter. */
import {
  BACKSLASH,
  CLOSE_BRACE,
  CLOSE_BRACKET,
  COLON,
  COMMA,
  CR,
  LETTER_U,
  LF,
  NINE,
  OPEN_BRACE,
  OPEN_BRACKET,
  QUOTE,
  SPACE,
  TAB
} from "../bytes.ts"
import { AFTER_NAME, AFTER_VALUE, FIRST_ELEMENT, FIRST_NAME, NEXT_NAME, NOTHING, VALUE } from "./grammarState.ts"
import { endOfUtf8, escapedCodeUnit, isLiteral, isNumber, lengthOfLiteral, numberStep } from "./jsonLexemes.ts"
import type { KnownName } from "./memberName.ts"
import { JsonScanner } from "./scanJson.ts"
import { selfStanding } from "./selfStanding.ts"

/** No position: `next` must read the token. */
const LEFT = -1

/** The length of a string, in bytes, from which reading whole words is faster than reading bytes. */
const longStretch = 32

/** How many bytes at the end of a chunk are left to `next`, which handles tokens that continue in the next chunk. */
const margin = 16

/**
 * A `JsonScanner` that can also skim: check the grammar without reporting tokens.
 *
 * Use it if most of a text does not matter. `skim` stops at anything unusual, such as an error or the end of a chunk.
 * `next` continues from there, and reports the tokens that it reads.
 */
export class SkimmingScanner extends JsonScanner {
  /**
   * Skips tokens that are deeper than `depth`, as far as that is fast.
   *
   * @param name also skips members at `depth` whose name is certainly neither this one nor a variant of it
   */
  skim(depth: number, name?: KnownName): void {
    const { bytes, open } = this
    const floor = name === undefined ? depth : depth - 1
    if (open.length <= floor || this.expected >= NOTHING) return
    const end = bytes.length - margin
    let { expected, inObject, position: at } = this
    while (at < end) {
      const byte = bytes[at] ?? 0
      if (byte <= SPACE) {
        if (byte !== SPACE && byte !== LF && byte !== CR && byte !== TAB) break
        at++
        continue
      }
      const mayClose = expected === AFTER_VALUE || expected === (inObject ? FIRST_NAME : FIRST_ELEMENT)
      if (mayClose && byte === (inObject ? CLOSE_BRACE : CLOSE_BRACKET)) {
        // The next bracket closes the container that matters.
        if (open.length - 1 <= floor) break
        open.pop()
        inObject = open[open.length - 1] === true
        expected = AFTER_VALUE
        at++
        continue
      }
      if (expected === AFTER_VALUE) {
        if (byte !== COMMA) break
        expected = inObject ? NEXT_NAME : VALUE
        at++
      } else if (expected === AFTER_NAME) {
        if (byte !== COLON) break
        expected = VALUE
        at++
      } else if (byte === QUOTE) {
        const isName = expected === FIRST_NAME || expected === NEXT_NAME
        const next = this.endOfString(at + 1, end, isName)
        if (next === LEFT) break
        if (isName && open.length === depth && name !== undefined && mayBe(bytes, at + 1, next - 1, name)) break
        at = next
        expected = isName ? AFTER_NAME : AFTER_VALUE
      } else if (expected === FIRST_NAME || expected === NEXT_NAME) {
        break
      } else if (byte === OPEN_BRACE || byte === OPEN_BRACKET) {
        if (open.length >= this.maxDepth) break
        inObject = byte === OPEN_BRACE
        open.push(inObject)
        expected = inObject ? FIRST_NAME : FIRST_ELEMENT
        at++
      } else {
        const next = byte <= NINE ? endOfNumber(bytes, at, end) : endOfLiteral(bytes, at)
        if (next === LEFT) break
        at = next
        expected = AFTER_VALUE
      }
    }
    this.position = at
    this.expected = expected
    this.inObject = inObject
  }

  /** Continues after the innermost container, whose end is before this position, without reading its contents. */
  leave(place: number): void {
    const { open } = this
    open.pop()
    this.inObject = open[open.length - 1] === true
    this.expected = AFTER_VALUE
    this.position = place
  }

  /** Skips the rest of the current bytes. */
  discard(): void {
    this.position = this.bytes.length
    this.kept = this.position
  }

  /**
   * Returns the end of the string whose quote is before `from`; `LEFT` if the string does not end before `end`, or is
   * invalid.
   */
  private endOfString(from: number, end: number, isName: boolean): number {
    const { bytes } = this
    let at = from
    let near = from + longStretch
    while (at < end) {
      const byte = bytes[at] ?? 0
      if (selfStanding[byte] === 1) {
        at++
        if (at < near) continue
        at = this.endOfStretch(at)
        near = at + longStretch
      } else if (byte === QUOTE) {
        return at + 1
      } else if (byte === BACKSLASH) {
        const isLong = bytes[at + 1] === LETTER_U
        // A lone surrogate makes a name invalid.
        if ((isLong && isName) || escapedCodeUnit(bytes, at) < 0) return LEFT
        at += isLong ? 6 : 2
      } else {
        const next = endOfUtf8(bytes, at)
        if (next < 0) return LEFT
        at = next
      }
    }
    return LEFT
  }
}

/** Returns whether some parser could read a name as the given one: it has escapes, or the same length. */
const mayBe = (bytes: Uint8Array, start: number, end: number, { exact }: KnownName): boolean => {
  if (end - start === exact.length) return true
  for (let at = start; at < end; at++) if (selfStanding[bytes[at] ?? 0] === 0) return true
  return false
}

const endOfNumber = (bytes: Uint8Array, from: number, end: number): number => {
  let at = from
  let state = 0
  while (at < end) {
    const next = numberStep[(state << 8) | (bytes[at] ?? 0)] ?? 0
    if (next === 0) return isNumber(state) ? at : LEFT
    state = next
    at++
  }
  return LEFT
}

const endOfLiteral = (bytes: Uint8Array, at: number): number => {
  const length = lengthOfLiteral(bytes[at] ?? 0)
  return length > 0 && isLiteral(bytes, at) ? at + length : LEFT
}
