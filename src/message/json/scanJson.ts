/**
 * A strict pull scanner over the bytes of one JSON text (RFC 8259). It builds no values.
 *
 * It keeps its own stack, so that deep nesting cannot overflow, and reports tokens as spans of the input, so that a
 * rewriter can leave all other bytes as they are.
 */
import {
  CLOSE_BRACE,
  CLOSE_BRACKET,
  COLON,
  COMMA,
  CR,
  LF,
  NINE,
  OPEN_BRACE,
  OPEN_BRACKET,
  QUOTE,
  SPACE,
  TAB
} from "../bytes.ts"
import {
  AFTER_NAME,
  AFTER_VALUE,
  FIRST_ELEMENT,
  FIRST_NAME,
  NEXT_NAME,
  NOTHING,
  REST_OF_LONG_NAME,
  REST_OF_NAME,
  REST_OF_NUMBER,
  REST_OF_STRING,
  VALUE
} from "./grammarState.ts"
import { lengthOfLiteral } from "./jsonLexemes.ts"
import { type Scalar, ScalarScanner } from "./scanScalars.ts"

/**
 * What `JsonScanner.next` found. `Literal` is `true`, `false` or `null`; `More` means that more bytes are needed;
 * `Malformed` and `TooDeep` are final, as is `End`.
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
  | "More"
  | "End"
  | "Malformed"
  | "TooDeep"

/** The position after the last byte; no byte has this value. */
const NONE = -1

/**
 * How deeply MCP messages may nest objects and arrays. The limit protects parsers behind the gateway, which may
 * recurse.
 */
export const maxMessageDepth = 256

/** The position of the comma before a `Name` if there is none. */
export const noSeparator = -1
/** The position of a comma that was in an earlier piece. */
const earlierSeparator = -2

/**
 * Reads one JSON text, token by token, in one pass and time linear in its length.
 *
 * Use it where bytes must be checked or changed without being parsed and serialised again. It accepts exactly what
 * RFC 8259 allows in UTF-8 without a byte order mark, except that it rejects a member name with a lone surrogate
 * (`\ud800`): parsers treat it differently, so it could hide a name. In other strings it is only reported.
 *
 * A text in pieces is read until `More`; then `push` adds the next piece, and `finish` ends the text. Of a name longer
 * than `maxTokenBytes`, only the available part is reported.
 */
export class JsonScanner extends ScalarScanner {
  /**
   * The position of the comma before the last `Name`, or `noSeparator`; another negative number if it was in an earlier
   * piece.
   */
  separator = noSeparator
  /** How many containers enclose the last token. A bracket is not inside its own container. */
  depth = 0

  /** For each open container, whether it is an object, and the same for the innermost one. */
  protected readonly open: Array<boolean> = []
  protected inObject = false
  /** A state of `grammarState.ts`. */
  protected expected = VALUE
  protected readonly maxDepth: number
  private last: JsonToken = "End"

  /**
   * `maxDepth` is the maximum number of open containers; one more is `TooDeep`. `bytes` are the whole text unless
   * `whole` is false.
   */
  constructor(bytes: Uint8Array, maxDepth: number, whole = true) {
    super(bytes, whole)
    this.maxDepth = maxDepth
  }

  /** Whether a comma was passed, and the name that must follow was not. */
  get nameIsDue(): boolean {
    return this.expected === NEXT_NAME || (this.expected === REST_OF_NAME && this.separator !== noSeparator)
  }

  override push(piece: Uint8Array): void {
    const { kept, separator } = this
    if (separator >= 0) this.separator = separator < kept ? earlierSeparator : separator - kept
    super.push(piece)
  }

  next(): JsonToken {
    if (this.expected >= NOTHING) {
      const token = this.resume()
      if (token !== undefined) return token
    }
    for (;;) {
      const byte = this.peek()
      if (byte === NONE) return this.exhausted()
      switch (this.expected) {
        case AFTER_VALUE:
          if (byte !== COMMA) return this.closeAs(byte)
          if (this.open.length === 0) return this.finishAs("Malformed")
          this.separator = this.position++
          this.expected = this.inObject ? NEXT_NAME : VALUE
          break
        case AFTER_NAME:
          if (byte !== COLON) return this.finishAs("Malformed")
          this.position++
          this.expected = VALUE
          break
        case NEXT_NAME:
          return this.name(byte)
        case FIRST_NAME:
          this.separator = noSeparator
          return byte === CLOSE_BRACE ? this.close() : this.name(byte)
        case FIRST_ELEMENT:
          return byte === CLOSE_BRACKET ? this.close() : this.value(byte)
        default:
          return this.value(byte)
      }
    }
  }

  /** Continues a token that began in an earlier piece; `undefined` if there is nothing to report. */
  private resume(): JsonToken | undefined {
    switch (this.expected) {
      case REST_OF_NAME:
        return this.endName(this.restOfString())
      case REST_OF_LONG_NAME: {
        const token = this.endName(this.restOfString())
        return token === "Name" ? undefined : token
      }
      case REST_OF_STRING:
        return this.endValue(this.restOfString(), "String", REST_OF_STRING)
      case REST_OF_NUMBER:
        return this.endValue(this.restOfNumber(), "Number", REST_OF_NUMBER)
      default:
        return this.last
    }
  }

  private name(byte: number): JsonToken {
    return byte === QUOTE ? this.endName(this.string()) : this.finishAs("Malformed")
  }

  private endName(name: Scalar): JsonToken {
    if (name === "Malformed" || this.loneSurrogate) return this.finishAs("Malformed")
    this.depth = this.open.length
    if (name === "Read") {
      this.expected = AFTER_NAME
      return "Name"
    }
    const isNew = this.expected !== REST_OF_LONG_NAME
    if (this.long && isNew) {
      // This much of a name is enough to compare it with known names, so the rest is not kept.
      this.expected = REST_OF_LONG_NAME
      return "Name"
    }
    if (isNew) this.expected = REST_OF_NAME
    return "More"
  }

  private value(byte: number): JsonToken {
    if (byte === QUOTE) return this.endValue(this.string(), "String", REST_OF_STRING)
    if (byte <= NINE) return this.endValue(this.number(), "Number", REST_OF_NUMBER)
    if (byte === OPEN_BRACE) return this.enter(true)
    if (byte === OPEN_BRACKET) return this.enter(false)
    const length = lengthOfLiteral(byte)
    return length === 0 ? this.finishAs("Malformed") : this.endValue(this.literal(length), "Literal", VALUE)
  }

  private endValue(value: Scalar, token: JsonToken, rest: number): JsonToken {
    if (value === "Malformed") return this.finishAs("Malformed")
    this.depth = this.open.length
    this.expected = value === "Read" ? AFTER_VALUE : rest
    return value === "Read" ? token : "More"
  }

  private enter(isObject: boolean): JsonToken {
    const { open, position } = this
    if (open.length >= this.maxDepth) return this.finishAs("TooDeep")
    this.span(position, position + 1)
    this.depth = open.length
    open.push(isObject)
    this.inObject = isObject
    this.expected = isObject ? FIRST_NAME : FIRST_ELEMENT
    return isObject ? "OpenObject" : "OpenArray"
  }

  private closeAs(byte: number): JsonToken {
    if (this.open.length === 0 || byte !== (this.inObject ? CLOSE_BRACE : CLOSE_BRACKET)) {
      return this.finishAs("Malformed")
    }
    return this.close()
  }

  private close(): JsonToken {
    const { inObject, open, position } = this
    open.pop()
    this.inObject = open.length > 0 && open[open.length - 1] === true
    this.span(position, position + 1)
    this.depth = open.length
    this.expected = AFTER_VALUE
    return inObject ? "CloseObject" : "CloseArray"
  }

  private finishAs(token: "End" | "Malformed" | "TooDeep"): JsonToken {
    this.expected = NOTHING
    this.last = token
    this.span(this.position, this.position)
    this.kept = this.position
    return token
  }

  /** The result if the bytes end between two tokens. */
  private exhausted(): JsonToken {
    if (!this.whole) {
      this.kept = this.position
      return "More"
    }
    return this.finishAs(this.expected === AFTER_VALUE && this.open.length === 0 ? "End" : "Malformed")
  }

  /** Moves to the next byte that is not white space, and returns that byte without consuming it; `NONE` at the end. */
  private peek(): number {
    const { bytes, position } = this
    if (position < bytes.length) {
      const byte = bytes[position] ?? NONE
      if (byte > SPACE) return byte
    }
    return this.skipSpace()
  }

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
}
