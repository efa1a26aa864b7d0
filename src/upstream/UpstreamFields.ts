/** The fields by which the MCP server knows that a request comes from the gateway, and for whom. Pure. */
import * as Redacted from "effect/Redacted"
import type { UpstreamAuth } from "../config/UpstreamAuth.ts"
import type { Identity } from "../identity/Identity.ts"

/** Fields of a request to the MCP server, by their names in lower case. */
export type UpstreamFields = Readonly<Record<string, string>>

/** For whom a request is sent. */
export interface UpstreamCaller {
  /** `undefined`: the rules allow the request to anyone, or authentication is switched off. */
  readonly identity: Identity | undefined
  /** Returns the caller's own token, which was verified; empty without an identity. */
  readonly token: () => string
}

const nothing: UpstreamFields = {}

/** A token in its field: behind `Bearer` in `Authorization`, alone in any other. */
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

/** No fields: for a request without a caller, if the fields depend on the caller. */
export const fieldsWithoutCaller = nothing
