/** Whether memory stays what it is, over a million requests. */
import * as Effect from "effect/Effect"
import { Bench, type Case } from "../Bench.ts"
import { generate } from "../load.ts"
import { residentMemory, type Running } from "../processes.ts"
import { figure, median, score } from "../report/Outcome.ts"
import { toolsList } from "../rounds.ts"
import { bareProxy, gateway, upstream } from "../servers.ts"

// A million in a run of the ordinary length.
const requestsPerSecond = 200_000

// Enough slices to distinguish them, but not more than a slow server can finish in time.
const slices = 20
const maxSlices = 60

const mebi = 2 ** 20

/** Resident memory in MiB after each slice of the load, and how many requests there were. */
const follow = Effect.fnUntraced(function*({ origin, pid }: Running) {
  const { generator, seconds } = yield* Bench
  const load = yield* toolsList
  const wanted = seconds * requestsPerSecond
  const memory: Array<number> = []
  let requests = 0
  while (requests < wanted && memory.length < maxSlices || memory.length < slices) {
    requests += (yield* generate(generator, origin, load, seconds)).requests
    memory.push(residentMemory(pid).now / mebi)
  }
  const part = Math.floor(memory.length / 4)
  // The first quarter is the warm-up.
  return { requests, early: memory.slice(part, 2 * part), late: memory.slice(-part) }
})

export const memory: Case = {
  name: "memory",
  run: Effect.gen(function*() {
    const { origin } = yield* upstream
    const server = yield* gateway(origin)
    const bare = yield* bareProxy(origin)
    const fresh = residentMemory(server.pid).now / mebi
    const ours = yield* follow(server)
    const theirs = yield* follow(bare)
    return {
      figures: [
        figure("requests, gateway", "", [ours.requests]),
        figure("resident at start, gateway", "MiB", [fresh]),
        figure("resident in the second quarter, gateway", "MiB", ours.early),
        figure("resident in the last quarter, gateway", "MiB", ours.late),
        figure("requests, bare proxy", "", [theirs.requests]),
        figure("resident in the last quarter, bare proxy", "MiB", theirs.late)
      ],
      scores: [
        score("memory/growth", "resident in the last to the second quarter", median(ours.late) / median(ours.early)),
        score("memory/bare", "resident in the end: gateway to bare proxy", median(ours.late) / median(theirs.late))
      ],
      notes: []
    }
  })
}
