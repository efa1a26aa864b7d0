/** The request fields that repeat parts of the message (MCP 2026-07-28). Pure. */
import * as Base64 from "effect/encoding/Base64"
import * as Result from "effect/Result"
import { type FieldText, foldParam, hasMirrors, type MirroredFields } from "../message/mirrors.ts"
import type { Exchange } from "./Exchange.ts"

const paramPrefix = "mcp-param-"

const encodedPrefix = "=?base64?"
const encodedSuffix = "?="

const utf8 = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true })

const notEncoded: FieldText = Result.fail("not Base64 of UTF-8")

const decode = (encoded: string): FieldText => {
  const bytes = Base64.decode(encoded)
  // Only the canonical encoding is accepted, because decoders differ in which others they accept.
  if (Result.isFailure(bytes) || Base64.encode(bytes.success) !== encoded) return notEncoded
  const text = Result.try(() => utf8.decode(bytes.success))
  return Result.isFailure(text) ? notEncoded : Result.succeed(text.success)
}

/** Returns the value of a field, without the white space around it (RFC 9110, section 5.5). */
const valueOf = (lines: ReadonlyArray<string>): FieldText => {
  const [line] = lines
  if (line === undefined) return Result.succeed(undefined)
  if (lines.length > 1) return Result.fail("sent more than once")
  const value = line.replace(/^[\t ]+|[\t ]+$/g, "")
  return /^[\t\x20-\x7e]*$/.test(value) ? Result.succeed(value) : Result.fail("has characters that are not allowed")
}

/** Like `valueOf`, for a field that may be encoded. */
const decodedValueOf = (lines: ReadonlyArray<string>): FieldText =>
  Result.flatMap(
    valueOf(lines),
    (value) =>
      value !== undefined && value.startsWith(encodedPrefix) && value.endsWith(encodedSuffix) &&
        value.length >= encodedPrefix.length + encodedSuffix.length
        ? decode(value.slice(encodedPrefix.length, -encodedSuffix.length))
        : Result.succeed(value)
  )

const none: MirroredFields = { version: Result.succeed(undefined), others: undefined }

/**
 * Reads the fields of a request that repeat parts of its message: `MCP-Protocol-Version` and, if that names a revision
 * with the others, `Mcp-Method`, `Mcp-Name` and `Mcp-Param-*`.
 *
 * A field is malformed if it is sent twice, contains characters that are not allowed, or cannot be decoded.
 *
 * @see MCP 2026-07-28, Streamable HTTP: Request Metadata
 */
export const mirroredFields = ({ raw, request: { headers } }: Exchange): MirroredFields => {
  const joined = headers["mcp-protocol-version"]
  if (joined === undefined) return none
  const lines = raw.values("mcp-protocol-version")
  const version = valueOf(lines)
  if (!hasMirrors(joined) && !lines.some(hasMirrors)) return { version, others: undefined }
  const params = new Map<string, FieldText>()
  for (const name of Object.keys(headers)) {
    if (!name.startsWith(paramPrefix)) continue
    const folded = foldParam(name.slice(paramPrefix.length))
    const value = decodedValueOf(raw.values(name))
    params.set(folded, params.has(folded) ? Result.fail("sent more than once, in two spellings") : value)
  }
  return {
    version,
    others: {
      method: valueOf(raw.values("mcp-method")),
      name: decodedValueOf(raw.values("mcp-name")),
      params
    }
  }
}
