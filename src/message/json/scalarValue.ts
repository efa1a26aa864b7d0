/** The values of JSON scalars that a `JsonScanner` has found valid. */
import type { JsonScanner, JsonToken } from "./scanJson.ts"

/** The `id` of a JSON-RPC request (JSON-RPC 2.0, section 4). */
export type RequestId = string | number | null

const decoder = new TextDecoder()

/** Where a string stands that a scanner has passed. */
export type StringPlace = Pick<JsonScanner, "start" | "end" | "plain">

/** Longer texts are decoded faster by the platform than character by character. */
const shortText = 48

const asciiText = (bytes: Uint8Array, start: number, end: number): string => {
  if (end - start > shortText) return decoder.decode(bytes.subarray(start, end))
  let text = ""
  for (let at = start; at < end; at++) text += String.fromCharCode(bytes[at] ?? 0)
  return text
}

/** The text of a string, such as the scanner's last token. */
export const stringValue = (bytes: Uint8Array, { end, plain, start }: StringPlace): string =>
  plain
    ? asciiText(bytes, start + 1, end - 1)
    // The scanner has found it valid: this cannot throw, and is a string.
    : JSON.parse(decoder.decode(bytes.subarray(start, end))) as string

/** Where a scalar stands that a scanner has passed, and what it is. */
export interface ScalarPlace extends StringPlace {
  readonly token: JsonToken
}

/**
 * The id that stands there, or `undefined` if JSON-RPC allows no such id.
 *
 * Numbers above 2^53 lose digits here, as they do in most servers: ids are compared, never written.
 */
export const requestId = (bytes: Uint8Array, place: ScalarPlace): RequestId | undefined => {
  switch (place.token) {
    case "String":
      return stringValue(bytes, place)
    case "Number":
      return Number(decoder.decode(bytes.subarray(place.start, place.end)))
    case "Literal":
      return bytes[place.start] === 0x6e ? null : undefined
    default:
      return undefined
  }
}
