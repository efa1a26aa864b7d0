/** The metrics of cached keys, by provider. */
import * as Effect from "effect/Effect"
import type * as Scope from "effect/Scope"
import { primeFetches } from "../keys/keyMetrics.ts"
import type { KeySetState } from "../keys/keySetState.ts"
import { observeGauge } from "../metrics/observe.ts"
import { type Phase, phases } from "../remote/remoteState.ts"

export interface ObservedKeys {
  readonly name: string
  readonly keySets?: Effect.Effect<ReadonlyArray<KeySetState>> | undefined
}

const seconds = (millis: number | undefined): number => millis === undefined ? Number.NaN : millis / 1000

/** Records metrics of the cached key sets of a provider while the scope is open. */
export const observeKeys = Effect.fnUntraced(function*(
  { keySets, name }: ObservedKeys
): Effect.fn.Return<void, never, Scope.Scope> {
  if (keySets === undefined) return
  yield* primeFetches(name)
  for (const [index, { source }] of (yield* keySets).entries()) {
    const labels = { provider: name, source }
    // `keySets` reads memory only, so it can run synchronously.
    // @effect-diagnostics-next-line runEffectInsideEffect:off
    const state = (): KeySetState | undefined => Effect.runSync(keySets)[index]
    const isIn = (phase: Phase) => (): number => state()?.phase === phase ? 1 : 0
    yield* observeGauge("mcp_authorizer.key.age", labels, () => -seconds(state()?.fetchedIn))
    yield* observeGauge("mcp_authorizer.key.overdue", labels, () => Math.max(0, -seconds(state()?.freshUntilIn)))
    yield* observeGauge("mcp_authorizer.key.failures", labels, () => state()?.failures ?? 0)
    yield* Effect.forEach(
      phases,
      (phase) => observeGauge("mcp_authorizer.key.phase", { ...labels, phase }, isIn(phase)),
      { discard: true }
    )
  }
})
