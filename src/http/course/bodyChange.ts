/** Changes to the body of a response, whole and one after the other. Pure. */
import * as Result from "effect/Result"
import type { UpstreamError } from "../../errors/GatewayError.ts"
import { type BodyFilter, chainFilters, filterPieces } from "../../message/BodyFilter.ts"
import type { BodyChange } from "./steps.ts"

/** A body that has come to its end, or why there is none to forward. */
export type Changed = Result.Result<ReadonlyArray<Uint8Array>, UpstreamError>

/** Filters a body that is here already. */
export const filtered = (
  filter: BodyFilter,
  pieces: ReadonlyArray<Uint8Array>,
  faulty: (fault: string) => UpstreamError
): Changed => {
  const leaving = filterPieces(filter, pieces)
  return typeof leaving === "string" ? Result.fail(faulty(leaving)) : Result.succeed(leaving)
}

/** Changes a body that is here already. */
export const applyChange = (change: BodyChange, pieces: ReadonlyArray<Uint8Array>): Changed => {
  if (change._tag === "Passing") return filtered(change.filter, pieces, change.faulty)
  let length = 0
  for (const piece of pieces) length += piece.length
  return length > change.limit ? Result.fail(change.tooLarge()) : change.apply(pieces)
}

/** Lets the memory of a changed body be used again: it is sent, or never will be. */
export const closeChange = (change: BodyChange): void =>
  change._tag === "Passing" ? change.filter.close?.() : change.close?.()

/** Two changes as one; `undefined` changes nothing. */
export const chainChanges = (first: BodyChange | undefined, second: BodyChange | undefined): BodyChange | undefined => {
  if (first === undefined || second === undefined) return first ?? second
  if (first._tag === "Passing" && second._tag === "Passing") {
    return { ...second, filter: chainFilters(first.filter, second.filter) }
  }
  const limits = [first, second].find((change) => change._tag === "Message")
  return limits === undefined ? first : {
    ...limits,
    close: () => {
      closeChange(first)
      closeChange(second)
    },
    apply: (pieces) => Result.flatMap(applyChange(first, pieces), (changed) => applyChange(second, changed))
  }
}
