/**
 * Reads the names, strings, numbers and literals of one JSON text (RFC 8259, sections 3, 6 and 7), which may arrive in
 * pieces.
 */
import { BACKSLASH, LETTER_U, QUOTE } from "../bytes.ts"
import {
  endOfEscape,
  endOfUtf8,
  escapedCodeUnit,
  isDigit,
  isLiteral,
  isNumber,
  mayRepeat,
  numberStep
} from "./jsonLexemes.ts"
import { endOfSelfStanding, selfStanding, type Words, wordsOf } from "./selfStanding.ts"

/** The maximum length, in bytes, of a string, name or number that is kept together if it arrives in pieces. */
export const maxTokenBytes = 4096

/** The length of a string, in bytes, from which reading whole words is faster than reading bytes. */
const longStretch = 64

// Properties of a valid string.
const NOT_PLAIN = 1
const LONE_SURROGATE = 2
const NUL = 4

/** The result of reading a scalar: complete, continued in the next piece, or malformed. */
export type Scalar = "Read" | "CutShort" | "Malformed"

/**
 * The bytes of a scanner, its position in them, and the scalar that it is reading.
 *
 * `push` replaces the bytes by a new sequence, which begins with the old bytes from `kept` on, and moves all positions
 * accordingly. A token that continues in the new piece is read on with `restOfString` or `restOfNumber`; a literal is
 * read again from its beginning.
 */
export class ScalarScanner {
  /** The bytes to read: the last chunk, after the kept part of the previous ones. */
  bytes: Uint8Array
  /** The buffer for the next piece, and where the kept bytes begin in it. */
  kept = 0
  /** The span of the last token, including the quotes of strings and names. If the token is `long`, only its end. */
  start = 0
  end = 0
  /** Whether the last string, name or number exceeds `maxTokenBytes`. */
  long = false

  /** The position at which reading continues. */
  protected position = 0
  protected whole: boolean
  /** The beginning of the scalar that is being read, and its state as a number or as a string. */
  private scalarStart = 0
  private numberState = 0
  private traits = 0
  private words: Words | undefined = undefined

  constructor(bytes: Uint8Array, whole: boolean) {
    this.bytes = bytes
    this.whole = whole
  }

  /** Whether the last string or name is ASCII without escapes, so that its bytes are its text. */
  get plain(): boolean {
    return this.traits === 0
  }

  /** Whether the last string contains a lone surrogate. */
  get loneSurrogate(): boolean {
    return (this.traits & LONE_SURROGATE) !== 0
  }

  /** Whether the last string contains U+0000. */
  get nul(): boolean {
    return (this.traits & NUL) !== 0
  }

  /** Adds the next piece, after the scanner has read all available bytes. */
  push(piece: Uint8Array): void {
    const { bytes, kept } = this
    const length = bytes.length - kept
    if (length === 0) {
      this.bytes = piece
    } else {
      const joined = new Uint8Array(length + piece.length)
      joined.set(bytes.subarray(kept))
      joined.set(piece, length)
      this.bytes = joined
    }
    this.words = undefined
    this.position -= kept
    this.scalarStart -= kept
    this.start -= kept
    this.end -= kept
    this.kept = 0
  }

  /** Ends the text: there are no more pieces. */
  finish(): void {
    this.whole = true
  }

  /** Reads the string or name whose opening quote is at the position. */
  protected string(): Scalar {
    this.scalarStart = this.position++
    this.traits = 0
    this.long = false
    return this.restOfString()
  }

  protected restOfString(): Scalar {
    const { bytes, whole } = this
    const { length } = bytes
    let at = this.position
    for (;;) {
      const near = Math.min(length, at + longStretch)
      while (at < near && selfStanding[bytes[at] ?? 0] === 1) at++
      if (at === near) {
        if (at === length) break
        at = this.endOfStretch(at)
        continue
      }
      const byte = bytes[at] ?? 0
      if (byte === QUOTE) return this.read(at + 1)
      const end = byte === BACKSLASH ? endOfEscape(bytes, at) : endOfUtf8(bytes, at)
      if (!whole && isCutShort(bytes, at, end)) break
      if (end < 0) {
        this.position = at
        return "Malformed"
      }
      this.traits |= byte === BACKSLASH ? traitsOfEscape(bytes, at, end) : NOT_PLAIN
      at = end
    }
    this.position = at
    return whole ? "Malformed" : this.cutShort()
  }

  protected number(): Scalar {
    this.scalarStart = this.position
    this.numberState = 0
    this.long = false
    return this.restOfNumber()
  }

  protected restOfNumber(): Scalar {
    const { bytes } = this
    const { length } = bytes
    let at = this.position
    let state = this.numberState
    while (at < length) {
      const next = numberStep[(state << 8) | (bytes[at] ?? 0)] ?? 0
      if (next === 0) break
      at++
      state = next
      if (mayRepeat(state)) { while (at < length && isDigit(bytes[at] ?? 0)) at++ }
    }
    if (at === length && !this.whole) {
      this.numberState = state
      this.position = at
      return this.cutShort()
    }
    if (isNumber(state)) return this.read(at)
    this.position = at
    return "Malformed"
  }

  protected literal(length: number): Scalar {
    const { bytes, position } = this
    if (position + length > bytes.length && !this.whole) {
      this.kept = position
      return "CutShort"
    }
    if (!isLiteral(bytes, position)) return "Malformed"
    this.span(position, position + length)
    return "Read"
  }

  /** Records a token, and continues after it. */
  protected span(start: number, end: number): void {
    this.start = start
    this.end = end
    this.position = end
  }

  private read(end: number): Scalar {
    const start = this.scalarStart
    this.span(start, end)
    if (end - start > maxTokenBytes) this.long = true
    return "Read"
  }

  /** Keeps the available part of the scalar, unless it is too long: then only its span is known. */
  private cutShort(): Scalar {
    const { position, scalarStart } = this
    this.long ||= position - scalarStart > maxTokenBytes
    this.kept = this.long ? position : scalarStart
    this.span(scalarStart, position)
    return "CutShort"
  }

  /**
   * Returns the earliest position of a byte that may have to be read on its own, in a long run of plain bytes before
   * `at`.
   */
  protected endOfStretch(at: number): number {
    const { offset, words } = this.words ??= wordsOf(this.bytes)
    return Math.max(at, offset + (endOfSelfStanding(words, (at - offset) >> 2) << 2))
  }
}

/** Returns whether the next piece could change where the escape or the sequence at `at` ends. */
const isCutShort = (bytes: Uint8Array, at: number, end: number): boolean => {
  const { length } = bytes
  if (bytes[at] !== BACKSLASH) return end < 0 && at + 4 > length
  // A lone surrogate may be the first half of a pair.
  return at + 2 > length || (bytes[at + 1] === LETTER_U && at + 12 > length)
}

/** Returns the state of a string after the escape from `at` to `end`. */
const traitsOfEscape = (bytes: Uint8Array, at: number, end: number): number => {
  // An escape of two bytes is never a surrogate, and one of twelve bytes is a pair.
  if (end - at !== 6) return NOT_PLAIN
  const unit = escapedCodeUnit(bytes, at)
  if (unit === 0) return NOT_PLAIN | NUL
  return unit >= 0xd800 && unit <= 0xdfff ? NOT_PLAIN | LONE_SURROGATE : NOT_PLAIN
}
