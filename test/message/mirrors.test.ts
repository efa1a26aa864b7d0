/** The parts of a message that fields repeat, for a whole body and for chunks. */
import { assert, describe, it } from "@effect/vitest"
import * as Arbitrary from "effect/Arbitrary"
import * as Effect from "effect/Effect"
import * as Result from "effect/Result"
import * as Schema from "effect/Schema"
import { disagreement, type FieldText, type MirroredFields } from "../../src/message/mirrors.ts"
import { rewriteRequest } from "../../src/message/requestMessage.ts"
import { assertPiecesAgree, cut, send, sizes } from "./inPieces.ts"
import { encoder } from "./rewriting.ts"

const text = (value: string | undefined): FieldText => Result.succeed(value)

const revisions = ["2025-11-25", "2026-07-28", "2027-01-01"] as const
const methods = ["tools/call", "resources/read", "tools/list", "notifications/x", "x/y"] as const
const names = ["a", "b", "wétter", ""] as const

const perhaps = <const T extends ReadonlyArray<string>>(values: T) =>
  Schema.Union([Schema.Undefined, Schema.Literals(values)])

/** A message by its parts, and fields that may agree with it or not. */
const Parts = Schema.Struct({
  method: Schema.Literals(methods),
  name: perhaps(names),
  version: perhaps(revisions),
  region: perhaps(["eu", "us"]),
  methodFirst: Schema.Boolean,
  hasId: Schema.Boolean,
  fieldVersion: perhaps(revisions),
  fieldMethod: perhaps(methods),
  fieldName: perhaps(names),
  fieldRegion: perhaps(["eu", "us"])
})

type Parts = typeof Parts.Type

const bodyOf = ({ hasId, method, methodFirst, name, region, version }: Parts): string => {
  const named = method === "resources/read" ? { uri: name } : { name }
  const _meta = version === undefined ? undefined : { "io.modelcontextprotocol/protocolVersion": version }
  const params = { ...named, arguments: { nested: [{ region: "list" }], region }, _meta }
  const id = hasId ? { id: 7 } : {}
  return JSON.stringify(methodFirst ? { ...id, method, params } : { params, method, ...id })
}

const fieldsOf = ({ fieldMethod, fieldName, fieldRegion, fieldVersion }: Parts): MirroredFields => ({
  version: text(fieldVersion),
  others: fieldVersion === undefined || fieldVersion < "2026-07-28" ? undefined : {
    method: text(fieldMethod),
    name: text(fieldName),
    params: new Map(fieldRegion === undefined ? [] : [["region", text(fieldRegion)]])
  }
})

/** The reference, in the order in which the specification names the fields. */
const expected = (parts: Parts): string | undefined => {
  const { fieldMethod, fieldName, fieldRegion, fieldVersion, hasId, method, name, region, version } = parts
  const isModern = [version, fieldVersion].some((revision) => revision !== undefined && revision >= "2026-07-28")
  if (!isModern) return undefined
  const isNotification = method === "notifications/x" && !hasId
  if (version === undefined && !isNotification) return "MissingProtocolVersion"
  if (version !== undefined && version !== fieldVersion) return "MCP-Protocol-Version"
  if (fieldMethod === undefined ? !isNotification : fieldMethod !== method) return "Mcp-Method"
  const isNamed = method === "tools/call" || method === "resources/read"
  if (isNamed && fieldName !== name) return "Mcp-Name"
  const isCompared = method === "tools/call" && region !== undefined && fieldRegion !== undefined
  return isCompared && region !== fieldRegion ? "Mcp-Param" : undefined
}

const found = (fields: MirroredFields, rewritten: ReturnType<typeof rewriteRequest>): string | undefined => {
  if (Result.isFailure(rewritten)) return assert.fail(rewritten.failure.detail)
  const error = disagreement(fields, rewritten.success.content)
  return error?._tag === "HeaderMismatch" ? error.field : error?._tag
}

/** Half of the fields agree with the message, so that whole requests agree often enough. */
const parts = Arbitrary.map(
  Arbitrary.all({ any: Arbitrary.schema(Parts), same: Arbitrary.schema(Schema.Array(Schema.Boolean)) }),
  ({ any, same: [version = true, method = true, name = true, region = true] }): Parts => ({
    ...any,
    ...(version ? { fieldVersion: any.version } : {}),
    ...(method ? { fieldMethod: any.method } : {}),
    ...(name ? { fieldName: any.name } : {}),
    ...(region ? { fieldRegion: any.region } : {})
  })
)

describe("fields that repeat a message", () => {
  it.effect.prop(
    "MO-1 MO-3 MO-10 are found to disagree where they do, and however the message is divided",
    { parts, sizes },
    ({ parts, sizes }) =>
      Effect.sync(() => {
        const bytes = encoder.encode(bodyOf(parts))
        const mirrored = fieldsOf(parts)
        const rules = { authContext: undefined, mirrored }
        assert.strictEqual(found(mirrored, rewriteRequest(bytes, rules)), expected(parts), bodyOf(parts))
        assertPiecesAgree(bytes, rules, sizes)
        assert.strictEqual(found(mirrored, send(cut(bytes, sizes), rules).outcome), expected(parts))
      }),
    { arbitrary: { runs: 1500 } }
  )
})
