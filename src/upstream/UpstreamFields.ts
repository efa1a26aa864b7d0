/** The fields that prove to the MCP server that a request comes from the gateway, and on whose behalf. Pure. */
import * as Redacted from "effect/Redacted"
import type { UpstreamAuth } from "../config/UpstreamAuth.ts"
import type { Identity } from "../identity/Identity.ts"

/** Fields of a request to the MCP server, by their names in lower case. */
export type UpstreamFields = Readonly<Record<string, string>>

export interface UpstreamCaller {
  /** `undefined` if the rules allow the request to anyone, or if authentication is switched off. */
  readonly identity: Identity | undefined
  /** Returns the caller's own token, which was verified; empty without an identity. */
  readonly token: () => string
}

const nothing: UpstreamFields = {}

/** Builds the field for a token: after `Bearer` in `Authorization`, without a scheme in any other field. */
export const tokenField = (field: string, token: string): UpstreamFields => ({
  [field]: field === "authorization" ? `Bearer ${token}` : token
})

/** Returns the fields that are the same for all callers; `undefined` if they depend on the caller. */
export const fixedFields = (auth: UpstreamAuth): UpstreamFields | undefined => {
  switch (auth._tag) {
    case "None":
      return nothing
    case "Header":
      return { [auth.field]: Redacted.value(auth.value) }
    case "IdentityJwt":
    case "Exchange":
      return undefined
  }
}

/** The fields of a request without a caller, if fields depend on the caller: none. */
export const fieldsWithoutCaller = nothing
