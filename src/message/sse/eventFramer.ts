/** Changes one event of a server-sent event stream while its chunks arrive. */
import type { BodyFilter } from "../BodyFilter.ts"
import { EventBoundaries } from "./eventBoundaries.ts"

/** No byte of the current chunk is held back. */
const NOWHERE = -1

const nothing = new Uint8Array(0)

/**
 * Passes each event with data to `change` and forwards the result, until an event was changed.
 *
 * Only bytes that may change are held back: from the first `data` line of an event to its end. All others, such as
 * heartbeats, are forwarded with their chunk. Once an event was changed, or if an event is longer than `maxEventBytes`,
 * everything is forwarded as it arrives.
 */
export class EventFramer implements BodyFilter {
  /** Never set: an event that cannot be changed is forwarded as it is. */
  readonly fault = undefined

  private readonly change: (event: Uint8Array) => Uint8Array
  private readonly maxEventBytes: number
  private readonly boundaries = new EventBoundaries()
  private passing = false
  /** Held bytes of earlier chunks: the first `heldLength` bytes. */
  private held = nothing
  private heldLength = 0

  /** Returns the event with changes, or the given instance if nothing changes. */
  constructor(change: (event: Uint8Array) => Uint8Array, maxEventBytes: number) {
    this.change = change
    this.maxEventBytes = maxEventBytes
  }

  /** Takes a chunk; returns the bytes to forward now, in order. */
  push(chunk: Uint8Array): ReadonlyArray<Uint8Array> {
    if (this.passing) return [chunk]
    const { boundaries } = this
    const leaving: Array<Uint8Array> = []
    /** The chunk is forwarded up to `left`, and held back from `hold` on. */
    let left = 0
    let hold = this.heldLength > 0 ? 0 : NOWHERE
    for (let at = 0; at < chunk.length; at++) {
      const boundary = boundaries.step(chunk[at] ?? 0)
      if (boundary === "MayBegin") {
        hold = at
      } else if (boundary === "Other") {
        leaving.push(this.release())
        hold = NOWHERE
      } else if (boundary === "Ends") {
        const end = at + 1
        if (this.heldLength + end - hold > this.maxEventBytes) return this.pass(leaving, chunk.subarray(left))
        leaving.push(chunk.subarray(left, hold))
        const event = this.complete(chunk.subarray(hold, end))
        const changed = this.change(event)
        leaving.push(changed)
        if (changed !== event) return this.pass(leaving, chunk.subarray(end))
        left = end
        hold = NOWHERE
      }
    }
    if (hold === NOWHERE) {
      leaving.push(left === 0 ? chunk : chunk.subarray(left))
      return leaving.filter(isNotEmpty)
    }
    const withheld = chunk.length - hold
    if (this.heldLength + withheld > this.maxEventBytes) return this.pass(leaving, chunk.subarray(left))
    leaving.push(chunk.subarray(left, hold))
    this.keep(chunk.subarray(hold))
    return leaving.filter(isNotEmpty)
  }

  /** Returns the bytes that are still held when the stream ends. */
  end(): ReadonlyArray<Uint8Array> {
    return [this.release()].filter(isNotEmpty)
  }

  private pass(leaving: ReadonlyArray<Uint8Array>, rest: Uint8Array): ReadonlyArray<Uint8Array> {
    this.passing = true
    return [...leaving, this.release(), rest].filter(isNotEmpty)
  }

  private complete(rest: Uint8Array): Uint8Array {
    if (this.heldLength === 0) return rest
    this.keep(rest)
    return this.release()
  }

  private release(): Uint8Array {
    const released = this.held.subarray(0, this.heldLength)
    this.held = nothing
    this.heldLength = 0
    return released
  }

  /** Doubles the buffer if it is too small, so that an event in many chunks is copied in linear time. */
  private keep(bytes: Uint8Array): void {
    const length = this.heldLength + bytes.length
    if (length > this.held.length) {
      const roomier = new Uint8Array(Math.max(length, 2 * this.held.length))
      roomier.set(this.held.subarray(0, this.heldLength))
      this.held = roomier
    }
    this.held.set(bytes, this.heldLength)
    this.heldLength = length
  }
}

const isNotEmpty = (bytes: Uint8Array): boolean => bytes.length > 0
