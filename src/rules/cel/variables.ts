import type { CelInput } from "@bufbuild/cel"
import { timestampFromMs } from "@bufbuild/protobuf/wkt"
import type { Identity } from "../../identity/Identity.ts"
import type { Operation } from "../../message/operation.ts"
import * as T from "./types.ts"
import { lastingMapOf, mapOf } from "./values.ts"

export interface ConditionInput {
  readonly identity: Identity
  readonly claims: Identity["claims"]
  /** The method, the name of the tool or prompt or the URI of the resource, and the arguments. */
  readonly message: Operation
  /** The name of the MCP server (`servers[].name`); empty if there is only one. */
  readonly server: string
  /** Milliseconds since 1970. */
  readonly now: number
}

const timestamp = T.simple("google.protobuf.Timestamp")

export const variables = {
  identity: T.record({
    subject: T.string,
    principal: T.string,
    client_id: T.string,
    issuer: T.string,
    provider: T.string,
    scopes: T.list(T.string),
    groups: T.list(T.string),
    email: T.string,
    name: T.string,
    expires_at: timestamp,
    claims: T.map(T.string, T.dyn)
  }),
  claims: T.map(T.string, T.dyn),
  message: T.record({ method: T.string, name: T.string, arguments: T.dyn }),
  server: T.string,
  now: timestamp
}

export type Variable = keyof typeof variables

export const isVariable = (name: string): name is Variable => Object.hasOwn(variables, name)

const identityValues = new WeakMap<Identity, CelInput>()

const identityValue = (identity: Identity): CelInput => {
  const before = identityValues.get(identity)
  if (before !== undefined) return before
  const { claims, clientId, expiresAt, groups = [], issuer, name, principal, provider, scopes, subject } = identity
  const expires = expiresAt !== undefined && Number.isFinite(expiresAt) ? timestampFromMs(expiresAt * 1000) : undefined
  const value = mapOf(
    {
      subject,
      principal,
      client_id: clientId,
      issuer,
      provider,
      scopes,
      groups,
      // Left out if unverified: anyone could enter the address.
      email: identity.emailVerified === true ? identity.email : undefined,
      name,
      claims,
      expires_at: expires && expiresAt
    },
    new Map(expires === undefined ? [] : [["expires_at", expires]])
  )
  identityValues.set(identity, value)
  return value
}

export const values: { readonly [name in Variable]: (input: ConditionInput) => CelInput } = {
  identity: ({ identity }) => identityValue(identity),
  claims: ({ claims }) => lastingMapOf(claims),
  message: ({ message: { arguments: args, method, subject } }) =>
    mapOf({ method, name: subject?.name, arguments: args }),
  server: ({ server }) => server,
  now: ({ now }) => timestampFromMs(now)
}
