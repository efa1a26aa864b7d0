/** The values of JSON scalars that a `JsonScanner` has found valid. */
import type { JsonScanner, JsonToken } from "./scanJson.ts"

/** The `id` of a JSON-RPC request (JSON-RPC 2.0, section 4). */
export type RequestId = string | number | null

const decoder = new TextDecoder()

/** The position of a string that a scanner has passed. */
export type StringPlace = Pick<JsonScanner, "start" | "end" | "plain">

/** The length from which the platform decodes text faster than a loop over characters. */
const shortText = 48

const asciiText = (bytes: Uint8Array, start: number, end: number): string => {
  if (end - start > shortText) return decoder.decode(bytes.subarray(start, end))
  let text = ""
  for (let at = start; at < end; at++) text += String.fromCharCode(bytes[at] ?? 0)
  return text
}

/** Returns the text of a string, such as the scanner's last token. */
export const stringValue = (bytes: Uint8Array, { end, plain, start }: StringPlace): string =>
  plain
    ? asciiText(bytes, start + 1, end - 1)
    // Cannot throw, and returns a string: the scanner has checked it.
    : JSON.parse(decoder.decode(bytes.subarray(start, end))) as string

/** The position and the type of a scalar that a scanner has passed. */
export interface ScalarPlace extends StringPlace {
  readonly token: JsonToken
}

/**
 * Returns the id at that position; `undefined` if JSON-RPC does not allow it as an id.
 *
 * Numbers above 2^53 lose digits here, as in most servers. That is harmless, because ids are only compared.
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
