/** Reads a whole JSON text that all parsers read in the same way. */
import * as Result from "effect/Result"
import type { InvalidRequest } from "../../errors/GatewayError.ts"
import type { Json } from "../../identity/Json.ts"
import { reject, rejectToken } from "../reject.ts"
import { stringValue } from "./scalarValue.ts"
import { JsonScanner, maxMessageDepth } from "./scanJson.ts"

const decoder = new TextDecoder("utf-8", { ignoreBOM: true })

/** Returns the rejection of a text that is not JSON, is nested too deeply, or has a duplicate member in an object. */
const check = (bytes: Uint8Array): InvalidRequest | undefined => {
  const scanner = new JsonScanner(bytes, maxMessageDepth)
  // The names of the members so far, for each open container; none for an array.
  const open: Array<Set<string> | undefined> = []
  for (;;) {
    const token = scanner.next()
    switch (token) {
      case "OpenObject":
      case "OpenArray":
        open.push(undefined)
        break
      case "CloseObject":
      case "CloseArray":
        open.pop()
        break
      case "Name": {
        const name = stringValue(bytes, scanner)
        const names = open[open.length - 1]
        if (names === undefined) open[open.length - 1] = new Set([name])
        else if (names.has(name)) return reject("AmbiguousMessage", "an object has a member twice")
        else names.add(name)
        break
      }
      case "String":
      case "Number":
      case "Literal":
        break
      case "End":
        return undefined
      default:
        return rejectToken(token)
    }
  }
}

/**
 * Reads a JSON text (RFC 8259) in UTF-8. Rejects duplicate members, and nesting deeper than 256.
 *
 * Parsers take the first, the last or all of several members with one name, so the gateway and the server could decide
 * by different ones.
 */
export const readValue = (bytes: Uint8Array): Result.Result<Json, InvalidRequest> => {
  const rejected = check(bytes)
  // Cannot throw, and returns JSON: the scanner has checked the text.
  return rejected === undefined ? Result.succeed(JSON.parse(decoder.decode(bytes)) as Json) : Result.fail(rejected)
}
