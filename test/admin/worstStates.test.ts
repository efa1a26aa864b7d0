import { assert, describe, it } from "@effect/vitest"
import { worstStates } from "../../src/admin/worstStates.ts"
import type { ProviderState } from "../../src/verify/ProviderRegistry.ts"

const state = (provider: string, state: ProviderState["state"], ready = true): ProviderState => ({
  provider,
  state,
  ready,
  keySets: []
})

const shown = (found: ReadonlyArray<ReadonlyArray<ProviderState>>) =>
  worstStates(found).map(({ provider, state }) => `${provider} ${state}`)

describe("providers in several processes", () => {
  it("each appear once, in the worst of their states", () => {
    assert.deepStrictEqual(
      shown([
        [state("a", "fresh"), state("b", "ready")],
        [state("a", "stale"), state("b", "unavailable", false)],
        [state("a", "refreshing"), state("b", "ready"), state("c", "empty", false)]
      ]),
      ["a stale", "b unavailable", "c empty"]
    )
  })

  it("one that cannot verify tokens is worse than one that can, regardless of its keys", () => {
    assert.deepStrictEqual(shown([[state("a", "stale")], [state("a", "fresh", false)]]), ["a fresh"])
  })

  it("are empty if no process replied", () => {
    assert.deepStrictEqual(shown([]), [])
  })
})
