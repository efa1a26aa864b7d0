/** How the gateway authenticates at the token endpoint of a provider, as a client that is registered there. */
import * as Clock from "effect/Clock"
import * as SecureRandom from "effect/crypto/SecureRandom"
import * as Effect from "effect/Effect"
import * as Base64Url from "effect/encoding/Base64Url"
import type { FacadeAuth } from "../config/Facade.ts"
import { signAssertion, type UnusableClientKey } from "../keys/clientAssertion.ts"
import type { ProviderRequest } from "../remote/ProviderHttp.ts"
import { authenticate } from "./clientCredentials.ts"

export type ClientAuthentication = Pick<ProviderRequest, "authorization"> & Required<Pick<ProviderRequest, "form">>

/**
 * The URL of the token endpoint, and how clients may authenticate there; no methods if the metadata do not list them.
 */
export interface TokenEndpoint {
  readonly token: string
  readonly authMethods: ReadonlyArray<string>
}

/** Error codes about the gateway's own client (RFC 6749, section 5.2; GitHub has its own codes). */
const ownErrors: ReadonlySet<string> = new Set([
  "invalid_client",
  "unauthorized_client",
  "incorrect_client_credentials",
  "redirect_uri_mismatch"
])

/**
 * Returns whether the provider rejects the gateway's own client, and not what a user or a client of the gateway
 * presented.
 */
export const isOwnError = (error: string | undefined): boolean => error !== undefined && ownErrors.has(error)

/** Builds the function that authenticates one request (RFC 6749, section 2.3.1; RFC 7523, section 2.2). */
export const makeClientAuthentication = Effect.fnUntraced(function*(clientId: string, auth: FacadeAuth) {
  const random = yield* SecureRandom.SecureRandom

  return Effect.fnUntraced(function*(
    { authMethods, token }: TokenEndpoint
  ): Effect.fn.Return<ClientAuthentication, UnusableClientKey> {
    switch (auth.method) {
      case "none":
        return { form: [["client_id", clientId]] }
      case "private_key_jwt": {
        const id = Base64Url.encode(yield* Effect.orDie(random.randomBytes(16)))
        const now = Math.floor((yield* Clock.currentTimeMillis) / 1000)
        return {
          form: [
            ["client_id", clientId],
            ["client_assertion_type", "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"],
            ["client_assertion", yield* signAssertion(auth, { clientId, audience: token, id, now })]
          ]
        }
      }
      default: {
        // RFC 8414, section 2: if the metadata list no methods, the default is Basic authentication.
        const usesPost = authMethods.includes("client_secret_post") && !authMethods.includes("client_secret_basic")
        const method = auth.method ?? (usesPost ? "post" : "basic")
        const { authorization, form } = authenticate({ method, clientId, clientSecret: auth.clientSecret })
        return { form, ...(authorization === undefined ? {} : { authorization }) }
      }
    }
  })
})
