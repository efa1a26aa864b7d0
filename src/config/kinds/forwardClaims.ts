/** Claims that the MCP server gets in separate fields. */
import * as Result from "effect/Result"
import { identityFields } from "../../identity/identityFields.ts"
import { fieldName } from "../../identity/untrustedFields.ts"
import { isPath } from "./claimPaths.ts"
import { invalid } from "./kind.ts"
import { stringMap } from "./stringMap.ts"

/** A claim, by its path, and the field that forwards it. */
export interface ForwardedClaim {
  readonly claim: string
  /** In lower case. */
  readonly field: string
}

const maxClaims = 32

const form = "Write {\"groups\": \"x-auth-groups\", \"tid\": \"x-auth-tenant\"}: for each claim a field of its own"

/** The fields that the gateway fills from the identity. */
const ownFields: ReadonlySet<string> = new Set(identityFields)

const fieldForm = /^[a-z][a-z0-9]*(?:-[a-z0-9]+)*$/

// Fields with credentials, and fields that servers interpret themselves.
const taken = /^(?:authorization|proxy(?:-.*)?|cookie2?|x-http-method.*|x-method-override)$/

/** Returns whether a field may contain a claim: proxies and servers must not interpret the field themselves. */
const mayContainClaim = (field: string): boolean => {
  const { claimsIdentity, describesRoute } = fieldName(field)
  return field.length <= 64 && fieldForm.test(field) && !taken.test(field) &&
    (claimsIdentity || (field.startsWith("x-") && !describesRoute))
}

export const forwardClaims = stringMap<ReadonlyArray<ForwardedClaim>>({
  form,
  parse: (members) => {
    if (members.length > maxClaims) return invalid("is too long", `Name at most ${maxClaims} claims`)
    const claims = members.map(([claim, field]) => ({ claim, field: field.toLowerCase() }))
    if (!claims.every(({ claim }) => isPath(claim))) {
      return invalid("has a member whose name is not the path of a claim", form)
    }
    if (!claims.every(({ field }) => mayContainClaim(field))) {
      return invalid(
        "has a member that is not the name of a field for claims",
        `${form}; names begin with x-, and consist of letters, digits and hyphens`
      )
    }
    if (claims.some(({ field }) => ownFields.has(field))) {
      return invalid(
        "has the name of a field that the gateway fills itself",
        "Choose another name; MCP_SUBJECT_CLAIMS, MCP_CLIENT_CLAIMS and MCP_SCOPE_CLAIMS decide what is in the gateway's own fields"
      )
    }
    return new Set(claims.map(({ field }) => field)).size === claims.length
      ? Result.succeed(claims)
      : invalid("names a field twice", "Give each claim a field of its own")
  },
  show: (claims) => Object.fromEntries(claims.map(({ claim, field }) => [claim, field]))
})
