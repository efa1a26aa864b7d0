/** When the pieces of a stream arrived. Pure. */
import { eventsOf } from "./readMessage.ts"
import type { Responded } from "./wire/Reply.ts"

export interface Gaps {
  /** How many events with data were received. */
  readonly events: number
  /** The longest time without a byte, beginning with the request, in milliseconds. */
  readonly longest: number
  /** Several events arrived together after a long wait: they were held back, or the server sent them together. */
  readonly isBunched: boolean
}

/** If a stream is not held back, less than this part of its time passes before the first byte. */
const heldPart = 0.9

/** Measures the gaps between the pieces of a body. */
export const gapsOf = (
  { chunks, end, text, totalMillis }: Pick<Responded, "chunks" | "end" | "text" | "totalMillis">
): Gaps => {
  // The silence at the end of the listening time counts as well.
  const times = [0, ...chunks.map(({ at }) => at), ...(end === "slow" ? [totalMillis] : [])]
  const gaps = times.slice(1).map((at, index) => at - (times[index] ?? 0))
  const first = chunks[0]?.at ?? totalMillis
  const events = eventsOf(text).length
  return { events, longest: Math.max(0, ...gaps), isBunched: events > 1 && first > totalMillis * heldPart }
}
