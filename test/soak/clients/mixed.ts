/**
 * Mixed traffic, and the identity provider whose tokens it carries.
 *
 * Lines on standard input are commands; failures during a disturbance are counted separately.
 */
import { argv } from "node:process"
import { createInterface } from "node:readline"
import { agent } from "./exchange.ts"
import { IdentityProvider } from "./IdentityProvider.ts"
import { nowMillis } from "./now.ts"
import { Callers, type OperationName } from "./operations.ts"

/** The input of the client. */
export interface MixedArguments {
  /** Where the provider listens. */
  readonly providerPort: number
  readonly origin: string
  /** Operations a second; 0: as many as are possible. */
  readonly rate: number
}

/** The commands for the client while it runs. */
export type MixedOrder =
  /** Send calls with so many new tokens; `filled` when all have their response. */
  | { readonly _tag: "Fill"; readonly count: number }
  | { readonly _tag: "Go" }
  /** Send nothing more and close all connections; `paused` when nothing is under way. */
  | { readonly _tag: "Pause" }
  | { readonly _tag: "Rotate" }
  | { readonly _tag: "Provider"; readonly state: IdentityProvider["state"] }
  /** Something else is out of order, and clients will notice. */
  | { readonly _tag: "Disturbed" }
  | { readonly _tag: "Calm" }
  /** Print the result and end. */
  | { readonly _tag: "Stop" }

/** The results of one kind of operation. */
export interface OperationCount {
  readonly good: number
  /** Failures while everything behind the gateway worked, by what was seen. */
  readonly failures: Readonly<Record<string, number>>
  /** Failures while something was out of order. */
  readonly excused: number
}

export interface MixedResult {
  readonly operations: Readonly<Partial<Record<OperationName, OperationCount>>>
  readonly total: number
  /** Failures that nothing excuses. */
  readonly failed: number
  readonly excused: number
  /** How long it sent, without the pauses. */
  readonly seconds: number
  /** Milliseconds, of ordinary calls. */
  readonly p50: number
  readonly p99: number
  readonly rotations: number
}

// The parent process wrote it.
const options = JSON.parse(argv[2] ?? "") as MixedArguments
const provider = new IdentityProvider(options.providerPort)
const callers = new Callers(options.origin, provider)

/** The maximum number of pending operations, because people wait for their results. */
const mostPending = 512
/** How many are under way when as many as possible are wanted. */
const fullPending = 64
/** Failures soon after a disturbance are of the disturbance. */
const graceMillis = 5000
const tickMillis = 5

const counts = new Map<OperationName, { good: number; failures: Record<string, number>; excused: number }>()
let pending = 0
/** Streams that only listen do not count as pending operations. */
let listening = 0
let disturbed = false
let calmSince = 0
let going = false
let seconds = 0

// Each operation as often as it weighs.
const deck = Object.entries(callers.operations).flatMap(([name, { weight }]) =>
  // The keys of the table.
  Array.from({ length: weight }, () => name as OperationName)
)

const excused = (): boolean => disturbed || nowMillis() - calmSince < graceMillis

const operate = async (): Promise<void> => {
  const name = deck[Math.floor(Math.random() * deck.length)] ?? "call"
  const before = excused()
  const weight = name === "listen" ? 0 : 1
  pending += weight
  listening += 1 - weight
  const outcome = await callers.operations[name].run()
  pending -= weight
  listening -= 1 - weight
  const count = counts.get(name) ?? { good: 0, failures: {}, excused: 0 }
  counts.set(name, count)
  if (outcome === "good") count.good++
  else if (before || excused()) count.excused++
  else count.failures[outcome] = (count.failures[outcome] ?? 0) + 1
}

/**
 * Sends at the given rate until it is paused. Operations that were missed while the machine paused are not made up for.
 */
const go = (): void => {
  const { rate } = options
  let before = nowMillis()
  let due = 0
  going = true
  const timer = setInterval(() => {
    const now = nowMillis()
    seconds += (now - before) / 1000
    due = Math.min(due + rate * (now - before) / 1000, Math.max(rate / 4, 1))
    before = now
    if (!going) return clearInterval(timer)
    const count = rate === 0 ? fullPending - pending : Math.min(Math.floor(due), mostPending - pending)
    due -= count
    for (let index = 0; index < count; index++) void operate()
  }, rate === 0 ? 1 : tickMillis)
}

/** Runs something once nothing is under way. */
const whenQuiet = (then: () => void): void => {
  going = false
  const waiting = setInterval(() => {
    if (pending > 0 || listening > 0) return
    clearInterval(waiting)
    then()
  }, tickMillis)
}

const fill = async (count: number): Promise<void> => {
  let left = count
  const outcomes = new Set<string>()
  await Promise.all(Array.from({ length: fullPending }, async () => {
    while (left-- > 0) outcomes.add(await callers.callWithNewToken())
  }))
  process.stdout.write(`filled: ${Array.from(outcomes).join(", ")}\n`)
}

const finish = (): void => {
  const sorted = callers.times.toSorted((a, b) => a - b)
  const at = (share: number): number => sorted[Math.min(Math.floor(sorted.length * share), sorted.length - 1)] ?? NaN
  let total = 0
  let failed = 0
  let lost = 0
  for (const { excused, failures, good } of counts.values()) {
    const bad = Object.values(failures).reduce((sum, count) => sum + count, 0)
    total += good + bad + excused
    failed += bad
    lost += excused
  }
  const { rotations } = provider
  const operations = Object.fromEntries(counts)
  const result: MixedResult = {
    operations,
    total,
    failed,
    excused: lost,
    seconds,
    p50: at(0.5),
    p99: at(0.99),
    rotations
  }
  process.stdout.write(`${JSON.stringify(result)}\n`, () => process.exit(0))
}

const obey = (order: MixedOrder): void => {
  switch (order._tag) {
    case "Fill":
      return void fill(order.count)
    case "Go":
      return go()
    case "Pause":
      return whenQuiet(() => {
        agent.destroy()
        process.stdout.write("paused\n")
      })
    case "Rotate":
      provider.rotate()
      // New tokens come with the new key at once; callers renew theirs a little later.
      setTimeout(() => callers.renewTokens(), 1000)
      return
    case "Provider":
      provider.state = order.state
      return
    case "Disturbed":
      disturbed = true
      process.stdout.write("disturbed\n")
      return
    case "Calm":
      disturbed = false
      calmSince = nowMillis()
      return
    case "Stop":
      return whenQuiet(finish)
  }
}

createInterface({ input: process.stdin }).on("line", (line) => {
  // The parent process wrote it.
  obey(JSON.parse(line) as MixedOrder)
})
provider.listen(() => process.stdout.write("ready\n"))
