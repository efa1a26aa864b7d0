/** The states of providers in several processes and servers as one state for each provider. Pure. */
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

/** Returns the worst state of each provider: an operator must see what only one process suffers from. */
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
