import * as Base64 from "effect/encoding/Base64"
import * as Redacted from "effect/Redacted"
import type { FieldReader } from "../config/providers/FieldReader.ts"
import type { Json } from "../identity/Json.ts"
import type { ProviderRequest } from "../remote/ProviderHttp.ts"

/** How the gateway authenticates at an introspection endpoint (RFC 7662, section 2.1). */
export type ClientAuth =
  /** HTTP Basic authentication, or credentials in the form (RFC 6749, section 2.3.1). */
  | { readonly method: "basic" | "post"; readonly clientId: string; readonly clientSecret: Redacted.Redacted<string> }
  /** The gateway's own bearer token (RFC 6750, section 2.1). */
  | { readonly method: "bearer"; readonly token: Redacted.Redacted<string> }
  | { readonly method: "none" }

// application/x-www-form-urlencoded (RFC 6749, appendix B): a space becomes `+`, `:` becomes `%3A`.
const formEncode = (text: string): string => new URLSearchParams([["", text]]).toString().slice(1)

const basicAuthorization = (clientId: string, clientSecret: Redacted.Redacted<string>): Redacted.Redacted<string> =>
  Redacted.make(`Basic ${Base64.encode(`${formEncode(clientId)}:${formEncode(Redacted.value(clientSecret))}`)}`)

export interface OwnCredentials extends Pick<ProviderRequest, "authorization"> {
  readonly form: Required<ProviderRequest>["form"]
  /** The names of the settings with the credentials, for the log. */
  readonly origin: string
}

/** Builds the gateway's own credentials for a request (RFC 6749, section 2.3.1; RFC 6750, section 2.1). */
export const authenticate = (auth: ClientAuth): OwnCredentials => {
  switch (auth.method) {
    case "basic":
      return {
        authorization: basicAuthorization(auth.clientId, auth.clientSecret),
        form: [],
        origin: "MCP_CLIENT_ID, MCP_CLIENT_SECRET and MCP_CLIENT_AUTH"
      }
    case "post":
      return {
        form: [["client_id", auth.clientId], ["client_secret", auth.clientSecret]],
        origin: "MCP_CLIENT_ID, MCP_CLIENT_SECRET and MCP_CLIENT_AUTH"
      }
    case "bearer":
      return {
        authorization: Redacted.make(`Bearer ${Redacted.value(auth.token)}`),
        form: [],
        origin: "MCP_CLIENT_SECRET and MCP_CLIENT_AUTH"
      }
    case "none":
      return { form: [], origin: "MCP_CLIENT_AUTH (none)" }
  }
}

/** The settings that each authentication method needs, and those that it ignores. */
const credentials = {
  basic: { needs: ["client_id", "client_secret"], others: [] },
  post: { needs: ["client_id", "client_secret"], others: [] },
  bearer: { needs: ["client_secret"], others: ["client_id"] },
  none: { needs: [], others: ["client_id", "client_secret"] }
} as const

/** Reads how the gateway authenticates. Reports settings that are missing or unused. */
export const readClientAuth = (fields: FieldReader): ClientAuth | undefined => {
  const method = fields.read("client_auth") ?? (fields.given.has("client_auth") ? undefined : "basic")
  const clientId = fields.read("client_id")
  const clientSecret = fields.read("client_secret")
  if (method === undefined) return undefined
  for (const field of credentials[method].needs) {
    if (!fields.given.has(field)) {
      fields.report(field, {
        problem: "is missing; a provider of type introspection needs it",
        fix: `Set it, or choose another way to authenticate with ${fields.label("client_auth")}`
      })
    }
  }
  for (const field of credentials[method].others) {
    if (fields.given.has(field)) {
      fields.report(field, {
        problem: `is unused when ${fields.label("client_auth")} is ${method}`,
        fix: "Remove it, or choose another way"
      })
    }
  }
  if (method === "none") return { method }
  if (clientSecret === undefined) return undefined
  if (method === "bearer") return { method, token: clientSecret }
  return clientId === undefined ? undefined : { method, clientId, clientSecret }
}

/** The members that the output of `--check` has for it. */
export const describeClientAuth = (auth: ClientAuth): { readonly [member: string]: Json } => ({
  client_auth: auth.method,
  ...("clientId" in auth ? { client_id: auth.clientId } : {}),
  ...(auth.method === "none" ? {} : { client_secret: "(hidden)" })
})

/** Warnings about credentials that are probably not what the operator meant. */
export const clientAuthWarnings = (auth: ClientAuth): ReadonlyArray<string> =>
  "clientId" in auth && /\s/.test(auth.clientId)
    ? ["the client id contains a space. Check that it is exactly one client id."]
    : []
