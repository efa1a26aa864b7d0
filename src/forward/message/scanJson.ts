/**
 * A strict, pulling scanner over the bytes of one JSON text (RFC 8259) that builds no values.
 *
 * It keeps its own stack, so no depth of nesting overflows, and reports tokens as spans of the input, so that whoever
 * rewrites a message leaves all other bytes as they are.
 */
import { endOfLiteral, endOfNumber, endOfUtf8, escapedCodeUnit } from "./jsonLexemes.ts"

/**
 * What `JsonScanner.next` found. `Literal` is `true`, `false` or `null`; `Malformed` and `TooDeep` are final, as is
 * `End`.
 */
export type JsonToken =
  | "OpenObject"
  | "CloseObject"
  | "OpenArray"
  | "CloseArray"
  | "Name"
  | "String"
  | "Number"
  | "Literal"
  | "End"
  | "Malformed"
  | "TooDeep"

/** What the grammar allows next: `Rest` is what follows a complete value. */
type Expected = "Value" | "FirstElement" | "FirstName" | "Rest" | "Nothing"

const TAB = 0x09
const LF = 0x0a
const CR = 0x0d
const SPACE = 0x20
const QUOTE = 0x22
const COMMA = 0x2c
const MINUS = 0x2d
const ZERO = 0x30
const NINE = 0x39
const COLON = 0x3a
const OPEN_BRACKET = 0x5b
const BACKSLASH = 0x5c
const CLOSE_BRACKET = 0x5d
const OPEN_BRACE = 0x7b
const CLOSE_BRACE = 0x7d
/** Stands for the byte after the last one; no byte has this value. */
const NONE = -1

/** 1 for the bytes that stand for themselves inside a string: printable ASCII but `"` and `\`. */
const selfStanding = Uint8Array.from(
  { length: 256 },
  (_, byte) => byte >= SPACE && byte < 0x80 && byte !== QUOTE && byte !== BACKSLASH ? 1 : 0
)

/** How deeply the messages of MCP may nest objects and arrays: parsers behind may recurse. */
export const maxMessageDepth = 256

/**
 * Reads one JSON text, token by token, in one pass and time linear in its length.
 *
 * Use it where bytes must be judged or changed without being parsed and serialised again. Accepted is exactly what
 * RFC 8259 allows in UTF-8 without a byte order mark, except that a member name with a lone surrogate (`\ud800`) is
 * refused: parsers differ in what they make of it, so it could hide a name. In other strings it is only reported.
 */
export class JsonScanner {
  /** The span of the last token; of strings and names with their quotes. */
  start = 0
  end = 0
  /** Where the token before the last one ended: at `Name` and `CloseObject`, the end of the member before. */
  previousEnd = 0
  /** Where the comma before the last `Name` stands; -1 before the first member of an object. */
  separator = -1
  /** How many containers enclose the last token; those of a container's own brackets do not count itself. */
  depth = 0
  /** Whether the last string or name is ASCII without escapes, so that its bytes are its text. */
  plain = true
  /** Whether the last string holds half of a surrogate pair. */
  loneSurrogate = false

  private readonly bytes: Uint8Array
  private readonly maxDepth: number
  /** For each open container, whether it is an object. */
  private readonly open: Array<boolean> = []
  private expected: Expected = "Value"
  private last: JsonToken = "End"
  private position = 0

  /** `maxDepth` is how many containers may be open at once; one more is `TooDeep`. */
  constructor(bytes: Uint8Array, maxDepth: number) {
    this.bytes = bytes
    this.maxDepth = maxDepth
  }

  next(): JsonToken {
    this.previousEnd = this.end
    const byte = this.skipSpace()
    switch (this.expected) {
      case "Rest":
        return this.rest(byte)
      case "FirstName":
        this.separator = -1
        return byte === CLOSE_BRACE ? this.close("CloseObject") : this.name(byte)
      case "FirstElement":
        return byte === CLOSE_BRACKET ? this.close("CloseArray") : this.value(byte)
      case "Value":
        return this.value(byte)
      case "Nothing":
        return this.last
    }
  }

  private rest(byte: number): JsonToken {
    if (this.open.length === 0) return this.finish(byte === NONE ? "End" : "Malformed")
    const inObject = this.open[this.open.length - 1] === true
    if (byte === COMMA) {
      this.separator = this.position++
      const after = this.skipSpace()
      return inObject ? this.name(after) : this.value(after)
    }
    if (inObject) return byte === CLOSE_BRACE ? this.close("CloseObject") : this.finish("Malformed")
    return byte === CLOSE_BRACKET ? this.close("CloseArray") : this.finish("Malformed")
  }

  /** A name and the colon after it; the span is the name's. */
  private name(byte: number): JsonToken {
    if (byte !== QUOTE || !this.string() || this.loneSurrogate) return this.finish("Malformed")
    if (this.skipSpace() !== COLON) return this.finish("Malformed")
    this.position++
    this.expected = "Value"
    return "Name"
  }

  private value(byte: number): JsonToken {
    switch (byte) {
      case QUOTE:
        this.expected = "Rest"
        return this.string() ? "String" : this.finish("Malformed")
      case OPEN_BRACE:
        return this.enter(true)
      case OPEN_BRACKET:
        return this.enter(false)
      default: {
        const isNumber = byte === MINUS || (byte >= ZERO && byte <= NINE)
        const end = isNumber ? endOfNumber(this.bytes, this.position) : endOfLiteral(this.bytes, this.position)
        if (end < 0) return this.finish("Malformed")
        this.span(this.position, end)
        this.expected = "Rest"
        return isNumber ? "Number" : "Literal"
      }
    }
  }

  private enter(isObject: boolean): JsonToken {
    if (this.open.length >= this.maxDepth) return this.finish("TooDeep")
    this.span(this.position, this.position + 1)
    this.open.push(isObject)
    this.expected = isObject ? "FirstName" : "FirstElement"
    return isObject ? "OpenObject" : "OpenArray"
  }

  private close(token: "CloseObject" | "CloseArray"): JsonToken {
    this.open.pop()
    this.span(this.position, this.position + 1)
    this.expected = "Rest"
    return token
  }

  private finish(token: "End" | "Malformed" | "TooDeep"): JsonToken {
    this.expected = "Nothing"
    this.last = token
    this.start = this.position
    this.end = this.position
    return token
  }

  private span(start: number, end: number): void {
    this.start = start
    this.end = end
    this.position = end
    this.depth = this.open.length
  }

  /** Moves to the next byte that is not white space and returns it without taking it. */
  private skipSpace(): number {
    const { bytes } = this
    const { length } = bytes
    let at = this.position
    while (at < length) {
      const byte = bytes[at] ?? NONE
      if (byte > SPACE || (byte !== SPACE && byte !== LF && byte !== CR && byte !== TAB)) {
        this.position = at
        return byte
      }
      at++
    }
    this.position = at
    return NONE
  }

  /** Takes the string that begins at the current position; `false` if it is not one. */
  private string(): boolean {
    const { bytes, position } = this
    const { length } = bytes
    let at = position + 1
    this.plain = true
    this.loneSurrogate = false
    while (at < length) {
      const byte = bytes[at] ?? NONE
      if (selfStanding[byte] === 1) {
        at++
      } else if (byte === QUOTE) {
        this.span(position, at + 1)
        return true
      } else {
        this.plain = false
        at = byte === BACKSLASH ? this.escape(at) : endOfUtf8(bytes, at)
        if (at < 0) return false
      }
    }
    return false
  }

  /** Where the escape at `at` ends, a surrogate pair being one; -1 if it is none. */
  private escape(at: number): number {
    const { bytes } = this
    const unit = escapedCodeUnit(bytes, at)
    if (unit < 0) return -1
    if (bytes[at + 1] !== 0x75) return at + 2
    if (unit >= 0xd800 && unit <= 0xdfff) {
      const second = unit < 0xdc00 && bytes[at + 6] === BACKSLASH ? escapedCodeUnit(bytes, at + 6) : -1
      if (second >= 0xdc00 && second <= 0xdfff) return at + 12
      this.loneSurrogate = true
    }
    return at + 6
  }
}
