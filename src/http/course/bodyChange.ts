/** Changes to the body of a response, whole and one after the other. Pure. */
import * as Result from "effect/Result"
import type { UpstreamError } from "../../errors/GatewayError.ts"
import { chainFilters } from "../../message/BodyFilter.ts"
import { joinBytes } from "../../message/json/spliceBytes.ts"
import type { BodyChange } from "./steps.ts"

/** Changes a body that is here as a whole. */
export const applyChange = (change: BodyChange, bytes: Uint8Array): Result.Result<Uint8Array, UpstreamError> => {
  if (change._tag === "Message") {
    return bytes.length > change.limit
      ? Result.fail(change.tooLarge())
      : change.apply(bytes)
  }
  const { faulty, filter } = change
  const changed = joinBytes([...filter.push(bytes), ...filter.end()])
  return filter.fault === undefined ? Result.succeed(changed) : Result.fail(faulty(filter.fault))
}

/** Two changes as one; `undefined` changes nothing. */
export const chainChanges = (first: BodyChange | undefined, second: BodyChange | undefined): BodyChange | undefined => {
  if (first === undefined || second === undefined) return first ?? second
  if (first._tag === "Passing" && second._tag === "Passing") {
    return { ...second, filter: chainFilters(first.filter, second.filter) }
  }
  const { limit, tooLarge } = first._tag === "Message"
    ? first
    : second as Extract<BodyChange, { readonly _tag: "Message" }>
  return {
    _tag: "Message",
    limit,
    tooLarge,
    apply: (bytes) => Result.flatMap(applyChange(first, bytes), (changed) => applyChange(second, changed))
  }
}
