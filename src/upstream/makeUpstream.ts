import * as Effect from "effect/Effect"
import type { GatewaySettings } from "../config/GatewaySettings.ts"
import { InvalidConfiguration } from "../config/InvalidConfiguration.ts"
import type { Json } from "../identity/Json.ts"
import { loadSigningKeys } from "../keys/signingKeys.ts"
import { makeExchange } from "./exchange.ts"
import { makeIdentityJwt } from "./identityJwt.ts"
import { alwaysThese, type UpstreamAuthorizer } from "./UpstreamAuthorizer.ts"
import { fieldsWithoutCaller, fixedFields } from "./UpstreamFields.ts"

/** The authorizer of one MCP server, and the public keys that verify its tokens. */
export interface Upstream {
  readonly authorizer: UpstreamAuthorizer
  /** The key set that `/.well-known/jwks.json` publishes (RFC 7517, section 5); `undefined` without a signing key. */
  readonly keySet: { readonly keys: ReadonlyArray<Json> } | undefined
}

const unusableKey = (detail: string) =>
  new InvalidConfiguration({
    problems: [{
      setting: "MCP_SIGNING_KEY",
      source: undefined,
      problem: `cannot be used: ${detail}`,
      fix: "Make one with: openssl genpkey -algorithm ed25519, or -algorithm EC -pkeyopt ec_paramgen_curve:P-256"
    }]
  })

/** Imports the configured keys. Fails with `InvalidConfiguration`, at start. */
export const signingKeysOf = ({ signingKeys }: Pick<GatewaySettings, "signingKeys">) =>
  Effect.mapError(loadSigningKeys(signingKeys), ({ detail }) => unusableKey(detail))

/** Builds the authorizer for the MCP server of these settings, and the key set to publish. */
export const makeUpstream = Effect.fnUntraced(function*(settings: GatewaySettings) {
  const keys = yield* signingKeysOf(settings)
  const keySet = keys.length === 0 ? undefined : { keys: keys.map(({ publicJwk }) => publicJwk) }
  const { upstreamAuth } = settings
  const [key] = keys
  const authorizer = upstreamAuth._tag === "IdentityJwt" && key !== undefined
    ? yield* makeIdentityJwt(settings, upstreamAuth, key)
    : upstreamAuth._tag === "Exchange"
    ? yield* makeExchange(settings, upstreamAuth)
    : alwaysThese(fixedFields(upstreamAuth) ?? fieldsWithoutCaller)
  const upstream: Upstream = { authorizer, keySet }
  return upstream
})
