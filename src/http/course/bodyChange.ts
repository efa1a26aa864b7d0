/** Combines and applies changes to the body of a response. Pure. */
import * as Result from "effect/Result"
import type { UpstreamError } from "../../errors/GatewayError.ts"
import { chainFilters } from "../../message/BodyFilter.ts"
import type { BodyChange } from "./steps.ts"

/** Combines two changes into one; `undefined` changes nothing. */
export const chainChanges = (first: BodyChange | undefined, second: BodyChange | undefined): BodyChange | undefined =>
  first === undefined || second === undefined
    ? first ?? second
    : { ...second, whole: first.whole ?? second.whole, filter: chainFilters(first.filter, second.filter) }

/** Collects a body that is forwarded only after its end has been checked. */
export class CollectedBody {
  private readonly change: BodyChange
  private readonly limit: number
  private readonly leaving: Array<Uint8Array> = []
  private length = 0

  constructor(change: BodyChange) {
    this.change = change
    this.limit = change.whole?.limit ?? Number.POSITIVE_INFINITY
  }

  /** Takes a chunk; returns an error if the body must be rejected. */
  push(chunk: Uint8Array): UpstreamError | undefined {
    const { change: { filter, whole }, leaving } = this
    this.length += chunk.length
    if (this.length > this.limit) return whole?.tooLarge()
    for (const piece of filter.push(chunk)) leaving.push(piece)
    return this.fault()
  }

  /** The changed body. */
  end(): Result.Result<ReadonlyArray<Uint8Array>, UpstreamError> {
    const { change: { filter }, leaving } = this
    for (const piece of filter.end()) leaving.push(piece)
    const fault = this.fault()
    return fault === undefined ? Result.succeed(leaving) : Result.fail(fault)
  }

  private fault(): UpstreamError | undefined {
    const { faulty, filter } = this.change
    return filter.fault === undefined ? undefined : faulty(filter.fault)
  }
}
