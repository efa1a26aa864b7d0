import { type ScalarPlace, stringValue } from "./json/scalarValue.ts"
import type { JsonScanner, JsonToken } from "./json/scanJson.ts"

/** The value of a member that should be a string, kept beyond the bytes that it was read from. */
export class KeptString {
  /** Whether it is a string at all. */
  readonly isString: boolean
  /** Whether it exceeds `maxTokenBytes`; then the text is not available. */
  readonly isLong: boolean
  /** Whether it has what some parsers drop, or end a string at: half of a surrogate pair, U+0000. */
  readonly isUnclear: boolean

  private place: ScalarPlace | undefined
  private value: string | undefined = undefined

  /** Takes the value that the scanner has just read the beginning of. */
  constructor({ end, long, loneSurrogate, nul, plain, start }: JsonScanner, token: JsonToken) {
    this.isString = token === "String"
    this.isLong = this.isString && long
    this.isUnclear = this.isString && (loneSurrogate || nul)
    this.place = this.isString && !long ? { token, start, end, plain } : undefined
  }

  /** @param bytes those that the scanner still has */
  text(bytes: Uint8Array): string | undefined {
    return this.place === undefined ? this.value : stringValue(bytes, this.place)
  }

  /** The scanner is about to leave its bytes. */
  detach(bytes: Uint8Array): void {
    if (this.place === undefined) return
    this.value = this.text(bytes)
    this.place = undefined
  }
}
