import * as Result from "effect/Result"
import { type JwsAlgorithm, jwsAlgorithms } from "../GatewaySettings.ts"
import { type Kind, list, refuse } from "./kinds.ts"

const isAllowed = (name: string): name is JwsAlgorithm => jwsAlgorithms.some((algorithm) => algorithm === name)

/** Signature algorithms that verify with a public key. */
export const algorithms: Kind<ReadonlyArray<JwsAlgorithm>, string | ReadonlyArray<JwsAlgorithm>> = list<
  ReadonlyArray<JwsAlgorithm>,
  JwsAlgorithm
>(
  "comma list",
  /,/,
  (members) => {
    const allowed = members.filter(isAllowed)
    if (allowed.length === members.length) return Result.succeed(allowed)
    const cure = `List some of ${jwsAlgorithms.join(", ")}`
    if (members.some((member) => member.toLowerCase() === "none")) {
      return refuse("allows unsigned tokens (none), which are never accepted", cure)
    }
    if (members.some((member) => /^hs\d/i.test(member))) {
      return refuse("allows HMAC (HS256, HS384, HS512), which would make a public key a signing key", cure)
    }
    return refuse("contains an unknown algorithm", cure)
  }
)
