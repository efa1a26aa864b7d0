import * as Base64 from "effect/encoding/Base64"
import * as Redacted from "effect/Redacted"
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

/** The part of a request that authenticates the gateway. */
export interface OwnCredentials extends Pick<ProviderRequest, "authorization"> {
  /** Fields of the form. */
  readonly form: Required<ProviderRequest>["form"]
  /** The settings that contain the credentials, for the log. */
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
