/**
 * oauth2-proxy with `--skip-jwt-bearer-tokens`: in Go, once for each request.
 *
 * It has the settings of a service that only takes bearer tokens, without its logs, which no peer writes either.
 */
import * as Effect from "effect/Effect"
import { TestIssuer } from "../../../src/issuer/TestIssuer.ts"
import { closedPort } from "../../node/support/ports.ts"
import { placement } from "../machine.ts"
import { serve } from "../processes.ts"
import { audience } from "../tokens.ts"

/** Starts it in front of an MCP server. */
export const startOauth2Proxy = Effect.fnUntraced(function*(file: string, upstream: string) {
  const { issuer, jwksUri } = yield* TestIssuer
  const port = yield* closedPort
  const args = [
    "--provider=oidc",
    "--skip-jwt-bearer-tokens",
    // A bad token gets 403 instead of a page to log in with.
    "--bearer-token-login-fallback=false",
    `--oidc-issuer-url=${issuer}`,
    "--skip-oidc-discovery",
    `--oidc-jwks-url=${jwksUri}`,
    `--login-url=${issuer}/authorize`,
    `--redeem-url=${issuer}/token`,
    // The audience that tokens must have.
    `--client-id=${audience}`,
    // Required, and of no use without logins.
    "--client-secret=none",
    "--cookie-secret=0123456789abcdef0123456789abcdef",
    "--email-domain=*",
    `--http-address=127.0.0.1:${port}`,
    `--upstream=${upstream}/`,
    "--pass-host-header=false",
    "--pass-access-token=false",
    "--standard-logging=false",
    "--auth-logging=false",
    "--request-logging=false"
  ]
  // Go's runtime uses as many threads for Go code as it has cores: one if processes are pinned.
  return yield* serve({ file, args, cores: placement.server }, port, "/ping")
})
