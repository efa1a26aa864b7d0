import { type ScalarPlace, stringValue } from "./json/scalarValue.ts"
import type { JsonScanner, JsonToken } from "./json/scanJson.ts"

/** The value of a member that should be a string, kept after the scanner has discarded its bytes. */
export class KeptString {
  readonly isString: boolean
  /** Whether it exceeds `maxTokenBytes`, so that the text is not available. */
  readonly isLong: boolean
  /** Whether it contains what some parsers drop or take for the end: a lone surrogate, or U+0000. */
  readonly isUnclear: boolean

  private place: ScalarPlace | undefined
  private value: string | undefined = undefined

  /** Begins with the value whose first token the scanner has just read. */
  constructor({ end, long, loneSurrogate, nul, plain, start }: JsonScanner, token: JsonToken) {
    this.isString = token === "String"
    this.isLong = this.isString && long
    this.isUnclear = this.isString && (loneSurrogate || nul)
    this.place = this.isString && !long ? { token, start, end, plain } : undefined
  }

  /** @param bytes the bytes that the scanner still has */
  text(bytes: Uint8Array): string | undefined {
    return this.place === undefined ? this.value : stringValue(bytes, this.place)
  }

  /** Called before the scanner discards its bytes. */
  detach(bytes: Uint8Array): void {
    if (this.place === undefined) return
    this.value = this.text(bytes)
    this.place = undefined
  }
}
