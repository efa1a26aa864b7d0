/** The last hour of the gateway's activity, in ring buffers with one slot for each ten seconds. */
import type { Counts, Series, Traffic } from "../page/Status.ts"
import { type Activity, idleServer, noActivity, type ServerActivity } from "./Activity.ts"
import { binCount, quantile } from "./durations.ts"

/** The length of a slot, and the number of slots of an hour. */
export const slotMillis = 10_000
export const slotCount = 360

const slotsOfMinute = 60_000 / slotMillis
const slotsOfFiveMinutes = 5 * slotsOfMinute

/** The maximum number of reasons and servers with a history. */
const maxRings = 1_024

const numbers = 3 + binCount

/** The values of a server, in the order in which a slot stores them. */
const flat = ({ durations, failed, passed, rejected }: ServerActivity): ReadonlyArray<number> => [
  passed,
  rejected,
  failed,
  ...durations
]

/** Ring buffers of slots, each with several values. */
class Rings {
  readonly #width: number
  readonly #rings = new Map<string, Uint32Array>()

  constructor(width: number) {
    this.#width = width
  }

  /** Writes a slot. Skipped slots become zero. */
  write(name: string, slot: number, values: ReadonlyArray<number>): void {
    const known = this.#rings.get(name)
    if (known === undefined && (this.#rings.size >= maxRings || values.every((value) => value === 0))) return
    const ring = known ?? new Uint32Array(this.#width * slotCount)
    this.#rings.set(name, ring)
    ring.set(values, slot * this.#width)
  }

  clear(slot: number): void {
    for (const ring of this.#rings.values()) ring.fill(0, slot * this.#width, (slot + 1) * this.#width)
  }

  /** The values of a slot; zeros if the name has no ring buffer. */
  read(name: string, slot: number): Uint32Array {
    const ring = this.#rings.get(name)
    return ring === undefined
      ? new Uint32Array(this.#width)
      : ring.subarray(slot * this.#width, (slot + 1) * this.#width)
  }
}

const add = (sum: Array<number>, values: ArrayLike<number>): Array<number> => {
  for (let index = 0; index < values.length; index++) sum[index] = (sum[index] ?? 0) + (values[index] ?? 0)
  return sum
}

const grown = (now: ReadonlyArray<number>, before: ReadonlyArray<number>): ReadonlyArray<number> =>
  // A sum that has decreased is incomplete, because a process did not reply this time.
  now.map((value, index) => Math.max(0, value - (before[index] ?? 0)))

const countsOf = ([passed = 0, rejected = 0, failed = 0]: ReadonlyArray<number>): Counts => ({
  passed,
  rejected,
  failed
})

/** The last hour, as far as it was sampled. Not a service, because each process with an admin port has one. */
export class History {
  readonly #servers = new Rings(numbers)
  readonly #rejections = new Rings(1)
  readonly #startedAt: number
  #before: Activity = noActivity
  #until: number
  /** The slot that ends at `#until`. */
  #last = slotCount - 1

  /** @param now milliseconds since 1970; earlier activity counts towards the first slot */
  constructor(now: number) {
    this.#startedAt = now
    this.#until = now
  }

  /** When the last slot ended. */
  get until(): number {
    return this.#until
  }

  /** Records the activity so far, if at least one slot has passed since the last call. */
  sample(activity: Activity, now: number): void {
    const passed = Math.floor((now - this.#until) / slotMillis)
    if (passed < 1) return
    // There are no samples for the time in which the machine was asleep.
    for (let skipped = 0; skipped < Math.min(passed, slotCount); skipped++) {
      this.#last = (this.#last + 1) % slotCount
      this.#servers.clear(this.#last)
      this.#rejections.clear(this.#last)
    }
    this.#until += passed * slotMillis
    for (const [name, server] of Object.entries(activity.servers)) {
      this.#servers.write(name, this.#last, this.#grownServer(name, server))
    }
    for (const [key, { count }] of Object.entries(activity.rejections)) {
      this.#rejections.write(key, this.#last, [this.#grownRejection(key, count)])
    }
    this.#before = activity
  }

  #grownServer(name: string, server: ServerActivity): ReadonlyArray<number> {
    return grown(flat(server), flat(this.#before.servers[name] ?? idleServer))
  }

  #grownRejection(key: string, count: number): number {
    return Math.max(0, count - (this.#before.rejections[key]?.count ?? 0))
  }

  /** The slots of the last hour, the oldest first. */
  #slots(): ReadonlyArray<number> {
    return Array.from({ length: slotCount }, (_, index) => (this.#last + 1 + index) % slotCount)
  }

  /** How often requests ended with an error in the last hour. */
  rejections(activity: Activity, key: string): number {
    const count = activity.rejections[key]?.count ?? 0
    return this.#slots().reduce(
      (sum, slot) => sum + (this.#rejections.read(key, slot)[0] ?? 0),
      this.#grownRejection(key, count)
    )
  }

  /**
   * The requests for some MCP servers together, including those since the last slot ended.
   *
   * @param names the names of the servers; `""` for a server without a name
   */
  traffic(activity: Activity, names: ReadonlyArray<string>, now: number): Traffic {
    const slots = this.#slots().map((slot) =>
      names.reduce((sum, name) => add(sum, this.#servers.read(name, slot)), Array.from({ length: numbers }, () => 0))
    )
    const current = names.reduce(
      (sum, name) => add(sum, this.#grownServer(name, activity.servers[name] ?? idleServer)),
      Array.from({ length: numbers }, () => 0)
    )
    const since = (count: number) => slots.slice(slotCount - count).reduce((sum, slot) => add(sum, slot), [...current])
    const [minute, fiveMinutes, hour] = [since(slotsOfMinute), since(slotsOfFiveMinutes), since(slotCount)]
    const { failed, passed, rejected } = countsOf(minute)
    const covered = Math.min(60_000 + now - this.#until, Math.max(slotMillis, now - this.#startedAt))
    return {
      sinceStart: countsOf(names.reduce((sum, name) => add(sum, flat(activity.servers[name] ?? idleServer)), [0])),
      lastHour: countsOf(hour),
      lastFiveMinutes: countsOf(fiveMinutes),
      perSecond: (failed + passed + rejected) * 1000 / covered,
      p50: quantile(fiveMinutes.slice(3), 0.5),
      p95: quantile(fiveMinutes.slice(3), 0.95),
      series: seriesOf(slots)
    }
  }
}

const rounded = (value: number | null): number | null => value === null ? null : Math.round(value * 10) / 10

const seriesOf = (slots: ReadonlyArray<ReadonlyArray<number>>): Series => ({
  passed: slots.map(([passed = 0]) => passed),
  rejected: slots.map(([, rejected = 0]) => rejected),
  failed: slots.map(([, , failed = 0]) => failed),
  p50: slots.map((slot) => rounded(quantile(slot.slice(3), 0.5))),
  p95: slots.map((slot) => rounded(quantile(slot.slice(3), 0.95)))
})
