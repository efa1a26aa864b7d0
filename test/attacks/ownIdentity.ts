/** Fields and members that a server could mistake for the caller's identity, and their required values. */
import { assert } from "@effect/vitest"
import type { RecordedRequest } from "../support/RecordedRequest.ts"

/** The gateway's own fields for `dev-user`, by name. */
export const own: Readonly<Record<string, string>> = {
  "x-auth-user-id": "dev-user",
  "x-auth-principal": "user",
  "x-auth-client-id": "dev-client",
  "x-auth-issuer": "static",
  "x-auth-scopes": "read write",
  "x-auth-email": "dev@example.com",
  "x-auth-provider": "static"
}

/** The name as the most lenient server reads it. */
const variable = (name: string): string => name.toUpperCase().replace(/[^A-Z0-9]+/g, "_").replace(/^_|_$/g, "")

const claims =
  /^(?:X_AUTH|X_USER|X_REMOTE|REMOTE|X_WEBAUTH|X_AUTHENTICATED|X_ACCESS_TOKEN|X_JWT|X_GOOG|X_FORWARDED)(?:_|$)/

/** Everything in the request that a server could take for an identity, as `[variable, value]`. */
const identityOf = ({ rawHeaders }: RecordedRequest): ReadonlyArray<readonly [string, string]> =>
  rawHeaders.flatMap((name, index) =>
    index % 2 === 0 && claims.test(variable(name)) ? [[variable(name), rawHeaders[index + 1] ?? ""] as const] : []
  )

const ownIdentity = Object.entries(own).map(([name, value]) => [variable(name), value] as const)

/** The upstream reads the gateway's identity of `dev-user`, each field once, and no other. */
export const assertOwnIdentity = (request: RecordedRequest): void => {
  assert.sameDeepMembers([...identityOf(request)], ownIdentity)
}
