import type { LimitCounters } from "./LimitStore.ts"
import { makePrompt } from "./prompt.ts"

/**
 * Uses a store within `timeoutMillis`, and not at all for a second after three failures in a row.
 *
 * Fails with `StoreFailed`. Log lines report that the store begins to fail and that it works again, at most once a
 * minute.
 */
export const makePromptCounters = (counters: LimitCounters, timeoutMillis: number): LimitCounters => {
  const prompt = makePrompt(timeoutMillis, {
    failing: (detail) => `Rate limits are not shared with other processes: ${detail}. See MCP_STORE_FAILURE.`,
    working: "Rate limits are shared with other processes again."
  })
  return { charge: (charges, mode) => prompt(counters.charge(charges, mode)) }
}
