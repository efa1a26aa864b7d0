/** A verifier of static tokens whose list changes, as at a reload: each change builds it again. */
import * as Clock from "effect/Clock"
import * as Context from "effect/Context"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Redacted from "effect/Redacted"
import * as Scope from "effect/Scope"
import type { StaticToken } from "../../src/config/GatewaySettings.ts"
import type { VerifierNeeds } from "../../src/testing/tokenVerifier/VerifierUnderTest.ts"
import type { OpaqueTokens } from "../../src/testing/TokenVerifierTest.ts"
import { TokenVerifier } from "../../src/verify/TokenVerifier.ts"
import { staticProvider } from "../fixtures/providers.ts"
import { gatewayVerifier } from "./ourVerifiers.ts"

/** The list. */
class ListedTokens extends Context.Service<ListedTokens, {
  readonly add: (token: StaticToken) => Effect.Effect<void>
  readonly remove: (token: string) => Effect.Effect<void>
  /** Leaves all tokens out of the list, or has them again. */
  readonly hide: (hidden: boolean) => Effect.Effect<void>
}>()("mcp-authorizer/test/testing/ListedTokens") {}

const make = Effect.gen(function*() {
  const needs = yield* Effect.context<VerifierNeeds>()
  const scope = yield* Scope.Scope
  let tokens: ReadonlyArray<StaticToken> = []
  let hidden = false

  const build = Effect.suspend(() =>
    Effect.map(
      Effect.flatMap(Layer.makeMemoMap, (memoMap) =>
        Layer.buildWithMemoMap(
          gatewayVerifier(() => [staticProvider(hidden ? tokens.slice(0, 0) : tokens)]).pipe(
            Layer.provide(Layer.succeedContext(needs))
          ),
          memoMap,
          scope
        )),
      (context) => Context.get(context, TokenVerifier)
    )
  ).pipe(Effect.orDie)

  let current = yield* build
  const change = (next: () => ReadonlyArray<StaticToken>) =>
    Effect.gen(function*() {
      tokens = next()
      current = yield* build
    })

  return Context.make(TokenVerifier, {
    verify: (token) => Effect.suspend(() => current.verify(token)),
    peek: (token) => current.peek?.(token)
  }).pipe(Context.add(ListedTokens, {
    add: (token) => change(() => [...tokens, token]),
    hide: (now) =>
      Effect.andThen(
        Effect.sync(() => {
          hidden = now
        }),
        change(() => tokens)
      ),
    remove: (text) => change(() => tokens.filter(({ token }) => Redacted.value(token) !== text))
  }))
})

/** The verifier, and its list. */
export const listedVerifier = Layer.effectContext(make)

let made = 0

/** Tokens on the list. */
export const listedTokens: OpaqueTokens<ListedTokens> = {
  issue: Effect.fnUntraced(function*({ expiresIn, ...bearer }) {
    const text = `Static-${made++}-${"t".repeat(24)}`
    const expiresAt = (yield* Clock.currentTimeMillis) / 1000 + Duration.toSeconds(expiresIn)
    yield* ListedTokens.use(({ add }) => add({ ...bearer, token: Redacted.make(text), expiresAt }))
    return text
  }),
  denial: ListedTokens.useSync(({ hide }) => ({ begin: hide(true), end: hide(false) })),
  revoke: (text) => ListedTokens.use(({ remove }) => remove(text)),
  outages: Effect.succeed([])
}
