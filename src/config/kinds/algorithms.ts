import * as Result from "effect/Result"
import * as Schema from "effect/Schema"
import { type JwsAlgorithm, jwsAlgorithms } from "../GatewaySettings.ts"
import { type Checked, invalid, type Kind, makeKind } from "./kind.ts"
import { listForms } from "./kinds.ts"

const isAllowed = (name: string): name is JwsAlgorithm => jwsAlgorithms.some((algorithm) => algorithm === name)

// The type for TypeScript code. Values from JSON are checked by `parse`.
const isString = (value: unknown): value is JwsAlgorithm => typeof value === "string"

const parse = (members: ReadonlyArray<string>): Checked<ReadonlyArray<JwsAlgorithm>> => {
  const allowed = members.filter(isAllowed)
  if (allowed.length === members.length) return Result.succeed(allowed)
  const fix = `List some of ${jwsAlgorithms.join(", ")}`
  if (members.some((member) => member.toLowerCase() === "none")) {
    return invalid("allows unsigned tokens (none), which are never accepted", fix)
  }
  if (members.some((member) => /^hs\d/i.test(member))) {
    return invalid("allows HMAC (HS256, HS384, HS512), which would make a public key a signing key", fix)
  }
  return invalid("contains an unknown algorithm", fix)
}

/** Signature algorithms that verify with a public key. */
export const algorithms: Kind<ReadonlyArray<JwsAlgorithm>, string | ReadonlyArray<JwsAlgorithm>> = makeKind<
  ReadonlyArray<JwsAlgorithm>,
  string | ReadonlyArray<JwsAlgorithm>
>({
  ...listForms({ label: "comma list", separator: /,/, parse }),
  // Any string is accepted here: `parse` rejects unknown names with an explanation.
  input: Schema.Union([Schema.NonEmptyString, Schema.Array(Schema.declare(isString))]),
  file: listForms({ label: "", separator: /,/, parse }).input,
  show: (value) => value
})
