/** Where programs sign in: an MCP server behind a gateway that can be killed, with an identity provider. */
import * as Effect from "effect/Effect"
import { Browser, fetchAgain } from "../facade/Browser.ts"
import type { FillIn } from "../support/PageForm.ts"
import type { RestartableGateway } from "../support/RestartableGateway.ts"

/** How long access tokens last, in seconds: programs refresh them within a test. */
export const accessTokenLife = 8

/** An MCP server that programs sign in to. */
export interface Site {
  readonly gateway: RestartableGateway
  /** The authorization server that programs see. */
  readonly issuer: string
  /** Who has signed in, and by which issuer, as the MCP server sees it. */
  readonly user: string
  readonly tokenIssuer: string
  /** The user at the pages on the way. */
  readonly fillIn: FillIn
  /** How often an access token was renewed. */
  readonly refreshes: Effect.Effect<number>
}

/** Kills the gateway and starts it again before a request that goes to it. */
export const restartBefore = ({ gateway }: Site) => (url: string): Effect.Effect<void> =>
  url.startsWith(`${gateway.origin}/`) ? gateway.restart : Effect.void

/**
 * Signs in at the URL that a program gives its user, and comes back to the program. The gateway is killed and started again before
 * each step.
 */
export const signInAt = Effect.fnUntraced(function*(url: string, site: Site): Effect.fn.Return<void> {
  const redirectUri = new URL(url).searchParams.get("redirect_uri")
  if (redirectUri === null) return yield* Effect.die(`no redirect_uri in ${url}`)
  const back = yield* new Browser(fetchAgain).walk(url, `${redirectUri}?`, site.fillIn, restartBefore(site))
  // The program takes its code to the token endpoint next.
  yield* site.gateway.restart
  const { status } = yield* Effect.promise(() => fetch(back))
  if (status >= 400) return yield* Effect.die(`the program responds ${status}`)
})
