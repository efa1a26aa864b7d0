/** What every program has to do at every site. */
import { assert, layer } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import type * as Scope from "effect/Scope"
import type { Site } from "./Site.ts"

/** What a program has done. */
export interface Outcome {
  /** URLs that it has sent its user to. */
  readonly opened: ReadonlyArray<URL>
  readonly tools: ReadonlyArray<string>
  /** What the tool `whoami` says: the fields that name the caller. */
  readonly whoami: Readonly<Record<string, string>>
  /** What the tool `echo` says, which is called with the word `refreshed` when the access token is old. */
  readonly echo: string
}

/**
 * Signs in from the first 401 on, lists the tools and calls one, waits until its access token is old, and calls another. Kills the
 * gateway, and starts it again, before each step of the sign-in and before the refresh.
 */
export type Program = (site: Site) => Effect.Effect<Outcome, never, Scope.Scope>

/** Tests a program at several sites. */
export const testProgram = (
  name: string,
  program: Program,
  sites: Readonly<Record<string, Effect.Effect<Site, never, Scope.Scope>>>
): void =>
  layer(Layer.empty, { excludeTestServices: true })(name, (it) => {
    for (const [place, start] of Object.entries(sites)) {
      it.effect(`signs in at ${place}, calls a tool and refreshes its token, although the gateway is killed before each step`, () =>
        Effect.gen(function*() {
          const site = yield* start
          const { echo, opened, tools, whoami } = yield* program(site)
          assert.lengthOf(opened, 1)
          assert.isTrue(opened[0]?.href.startsWith(`${site.issuer}/`), opened[0]?.href)
          assert.strictEqual(opened[0]?.searchParams.get("code_challenge_method"), "S256")
          assert.includeMembers([...tools], ["echo", "whoami"])
          assert.strictEqual(whoami["x-auth-user-id"], site.user)
          assert.strictEqual(whoami["x-auth-issuer"], site.tokenIssuer)
          assert.strictEqual(echo, "refreshed")
          assert.isAtLeast(yield* site.refreshes, 1)
          // All that a gateway knows of a sign-in is in what its clients bring.
          assert.deepStrictEqual(yield* site.gateway.written, [])
        }))
    }
  })
