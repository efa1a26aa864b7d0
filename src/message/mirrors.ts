/**
 * The parts of a message that the fields of its request repeat (MCP 2026-07-28). Pure.
 *
 * Source: MCP 2026-07-28, Streamable HTTP, "Request Metadata" and "Server Validation".
 */
import * as Result from "effect/Result"
import { HeaderMismatch, InvalidRequest, type MirroredField, MissingProtocolVersion } from "../errors/GatewayError.ts"
import type { RequestId } from "./json/scalarValue.ts"

/** The member of `params._meta` that names the revision of a message. */
export const versionMember = "io.modelcontextprotocol/protocolVersion"

/** A repeated text; `undefined` if it is absent; or its problem, for the log. */
export type FieldText = Result.Result<string | undefined, string>

/** The fields that repeat a message, as received. */
export interface MirroredFields {
  /** `MCP-Protocol-Version`. */
  readonly version: FieldText
  /** The other fields; `undefined` if the version names a revision without them. */
  readonly others: OtherFields | undefined
}

export interface OtherFields {
  /** `Mcp-Method`. */
  readonly method: FieldText
  /** `Mcp-Name`, decoded. */
  readonly name: FieldText
  /** Each `Mcp-Param-*`, decoded, by the rest of its name in the form of `foldParam`. */
  readonly params: ReadonlyMap<string, FieldText>
}

/** The parts of a body that fields must repeat. */
export interface MirroredContent {
  readonly isBatch: boolean
  readonly id: RequestId | undefined
  readonly hasId: boolean
  readonly method: string | undefined
  /** The subject of the message, if its method has one. */
  readonly subject: string | undefined
  readonly hasSubject: boolean
  readonly version: FieldText
  /** The problem of an `Mcp-Param-*` that does not agree with its argument, for the log. */
  readonly wrongParam: string | undefined
}

/** The first revision with these fields. Revisions are dates, so they compare as text. */
const firstRevision = "2026-07-28"

/** Returns whether fields repeat messages of this revision. An unknown revision counts as a later one. */
export const hasMirrors = (version: string): boolean => version >= firstRevision

/** Folds names of arguments and fields that differ only in case and in separators between words. */
export const foldParam = (name: string): string => name.toLowerCase().replaceAll(/[-_]/g, "")

const decimal = /^-?\d+(\.\d+)?$/

/**
 * Returns whether a field repeats an argument: a string as the same text, a boolean as `true` or `false`, a number in
 * any spelling.
 *
 * @param argument a JSON scalar that is not `null`
 */
export const repeatsArgument = (field: string, argument: string | number | boolean): boolean =>
  typeof argument === "number" ? decimal.test(field) && Number(field) === argument : field === String(argument)

/** Returns whether a message of this revision, or with these fields, must agree with its fields. */
export const mustAgree = ({ others }: MirroredFields, version: FieldText): boolean =>
  others !== undefined || Result.isFailure(version) || hasMirrors(version.success ?? "")

/** Why a request is rejected if its fields and its message do not agree. */
export type Disagreement = HeaderMismatch | MissingProtocolVersion | InvalidRequest

/**
 * Returns what in the fields of a request does not agree with its message; `undefined` if all agree, and for older
 * revisions.
 *
 * A notification needs no fields, because the revision does not require them there, but fields that it has must agree.
 */
export const disagreement = (
  fields: MirroredFields,
  content: MirroredContent | undefined
): Disagreement | undefined => {
  if (content === undefined || !mustAgree(fields, content.version)) return undefined
  const { others, version } = fields
  if (content.isBatch) {
    return new InvalidRequest({
      reason: "MalformedMessage",
      detail: "a batch, which this revision of MCP does not have"
    })
  }
  const id = content.id ?? null
  const mismatch = (field: MirroredField, detail: string) => new HeaderMismatch({ field, id, detail })
  const missingVersion = (detail: string) => new MissingProtocolVersion({ id, detail })
  if (Result.isFailure(version)) return mismatch("MCP-Protocol-Version", version.failure)
  if (Result.isFailure(content.version)) return missingVersion(content.version.failure)
  // A notification or a response: fields are not required.
  const isLenient = content.method === undefined || (!content.hasId && content.method.startsWith("notifications/"))
  if (content.version.success === undefined) {
    if (!isLenient) return missingVersion(`the message has no ${versionMember} in params._meta`)
  } else if (content.version.success !== version.success) {
    return mismatch("MCP-Protocol-Version", version.success === undefined ? "missing" : "not that of the message")
  }
  if (others === undefined) return undefined
  const method = wrong(others.method, content.method, isLenient)
  if (method !== undefined) return mismatch("Mcp-Method", method)
  const name = content.hasSubject ? wrong(others.name, content.subject, content.subject === undefined) : undefined
  if (name !== undefined) return mismatch("Mcp-Name", name)
  return content.wrongParam === undefined ? undefined : mismatch("Mcp-Param", content.wrongParam)
}

/** Returns the problem of a field that repeats this text, for the log. */
const wrong = (field: FieldText, content: string | undefined, mayBeMissing: boolean): string | undefined => {
  if (Result.isFailure(field)) return field.failure
  if (field.success === undefined) return mayBeMissing ? undefined : "missing"
  return field.success === content ? undefined : "not that of the message"
}
