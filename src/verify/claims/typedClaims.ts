/** Claims in the shape that the embedding program declares. Pure. */
import * as Result from "effect/Result"
import * as Schema from "effect/Schema"
import * as SchemaIssue from "effect/SchemaIssue"
import { AccessDenied } from "../../errors/GatewayError.ts"
import type { Identity } from "../../identity/Identity.ts"

// This formatter leaves out the input, because claims are personal data.
const issuesOf = SchemaIssue.makeFormatterStandardSchemaV1()

// Enough to show what is wrong; large claim sets may have many issues.
const maxIssues = 5

const describe = ({ message, path = [] }: ReturnType<typeof issuesOf>["issues"][number]): string => {
  const place = path.map((step) => String(typeof step === "object" ? step.key : step)).join(".")
  return place === "" ? message : `${place}: ${message}`
}

/** Reads the claims of a caller as the program declares them. */
export type DecodeClaims<Claims> = (identity: Pick<Identity, "claims">) => Result.Result<Claims, AccessDenied>

/**
 * Builds the function that reads the claims of a caller by a schema.
 *
 * Claims that do not match fail with `AccessDenied` and the reason `Claims`. The token is valid, so signing in again
 * would yield the same claims, and a 401 would send the client through sign-in for nothing (RFC 9110, sections 15.5.2
 * and 15.5.4; RFC 6750, section 3.1).
 */
export const makeDecodeClaims = <Claims>(schema: Schema.ConstraintDecoder<Claims>): DecodeClaims<Claims> => {
  const decode = Schema.decodeUnknownResult(schema, { errors: "all" })
  return ({ claims }) =>
    Result.mapError(decode(claims), ({ issue }) => {
      const details = issuesOf(issue).issues.slice(0, maxIssues).map(describe)
      return new AccessDenied({ reason: "Claims", detail: `the claims do not fit: ${details.join("; ")}` })
    })
}
