/** Combines the states of a provider in several processes and servers into one. Pure. */
import type { ProviderState } from "../verify/ProviderRegistry.ts"

/** From the best to the worst. */
const order: ReadonlyArray<ProviderState["state"]> = [
  "ready",
  "fresh",
  "refreshing",
  "empty",
  "expired",
  "pending",
  "stale",
  "refused",
  "unavailable"
]

const rank = ({ ready, state }: ProviderState): number => order.indexOf(state) + (ready ? 0 : order.length)

/** Returns the worst state of each provider: operators must also see a problem of a single process. */
export const worstStates = (found: Iterable<ReadonlyArray<ProviderState>>): ReadonlyArray<ProviderState> => {
  const worst = new Map<string, ProviderState>()
  for (const states of found) {
    for (const state of states) {
      const present = worst.get(state.provider)
      if (present === undefined || rank(state) > rank(present)) worst.set(state.provider, state)
    }
  }
  return [...worst.values()]
}
