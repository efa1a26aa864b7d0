/** Mixed traffic at half of what is possible, while the parts around the gateway fail and come back. */
import * as Effect from "effect/Effect"
import type { TestIssuer } from "../../../src/issuer/TestIssuer.ts"
import { figure, score } from "../../bench/report/Outcome.ts"
import { audience } from "../../bench/tokens.ts"
import { closedPort } from "../../node/support/ports.ts"
import type { MixedArguments, MixedResult } from "../clients/mixed.ts"
import { pause, resume } from "../signals.ts"
import { conversation, descriptorsOf, gateway, mcpServer, Soak, type SoakCase, statsOf, tell } from "../Soak.ts"

const mebi = 2 ** 20

/** Memory after a forced collection, in MiB. */
const settled = Effect.fnUntraced(function*(ours: Parameters<typeof tell>[0]) {
  const { external, heapUsed } = yield* tell(ours, { _tag: "Measure" })
  return (heapUsed + external) / mebi
})

/** Waits until the gateway has the keys of its provider. */
const ready = ({ origin }: Parameters<typeof tell>[0]): Effect.Effect<void> =>
  Effect.promise((signal) => fetch(`${origin}/readyz`, { signal })).pipe(
    Effect.delay("200 millis"),
    Effect.repeat({ until: ({ status }) => status === 200 }),
    Effect.asVoid
  )

const traffic = Effect.fnUntraced(function*(
  seconds: number,
  rate: number,
  during: (
    client: Effect.Success<ReturnType<typeof conversation>>,
    ours: Parameters<typeof tell>[0],
    server: Effect.Success<typeof mcpServer>
  ) => Effect.Effect<void, never, Soak | TestIssuer>
) {
  const server = yield* mcpServer
  const providerPort = yield* closedPort
  const issuer = `http://127.0.0.1:${providerPort}`
  const ours = yield* gateway(server.origin, {
    settings: {
      MCP_JWT_ISSUER: issuer,
      MCP_JWT_JWKS_URI: `${issuer}/jwks`,
      MCP_JWT_ALGORITHM: "ES256",
      MCP_JWT_AUDIENCE: audience
    }
  })
  const options: MixedArguments = { providerPort, origin: ours.origin, seconds, rate }
  const client = yield* conversation("mixed", options)
  yield* client.hear
  // The gateway was there before its provider, and asks it again after a while.
  yield* ready(ours)
  yield* client.say("start")
  yield* during(client, ours, server)
  // Written by `clients/mixed.ts`.
  return { result: JSON.parse(yield* client.hear) as MixedResult, ours, server }
}, Effect.scoped)

const least = (values: ReadonlyArray<number>): number => Math.min(...values)

/** One disturbance a minute, in turn. */
const disturbances = ["rotate", "provider", "server", "rotate"] as const

export const mixedCase: SoakCase = {
  name: "mixed traffic",
  run: Effect.gen(function*() {
    const { minutes } = yield* Soak
    const capacity = yield* traffic(10, 0, () => Effect.void)
    const rate = Math.floor(capacity.result.total / capacity.result.seconds / 2)

    const memory: Array<number> = []
    const descriptors: Array<number> = []
    const connections: Array<number> = []
    const seconds = Math.round(minutes * 60)
    // The first quarter, of five minutes at most, is the warm-up.
    const warmUp = Math.min(seconds / 4, 300)
    const step = Math.max(10, Math.min(30, seconds / 12))

    const { result } = yield* traffic(
      seconds,
      rate,
      Effect.fnUntraced(function*(client, ours, server) {
        for (let passed = 0, minute = 0; passed + step < seconds; passed += step) {
          yield* Effect.sleep(`${step} seconds`)
          if (passed >= warmUp) {
            memory.push(yield* settled(ours))
            descriptors.push(yield* descriptorsOf(ours))
            connections.push((yield* statsOf(server)).open)
          }
          if (passed / 60 < minute) continue
          switch (disturbances[minute++ % disturbances.length]) {
            case "rotate":
              yield* client.say("rotate")
              break
            case "provider":
              // Known keys go on; nobody may notice.
              yield* client.say("provider down")
              yield* Effect.sleep("5 seconds")
              yield* client.say("provider up")
              break
            case "server":
              yield* client.say("disturbed")
              yield* pause(server.pid)
              yield* Effect.sleep("3 seconds")
              yield* resume(server.pid)
              yield* client.say("calm")
              break
            case undefined:
              break
          }
        }
      })
    )
    const first = memory.slice(0, Math.max(1, Math.floor(memory.length / 3)))
    const last = memory.slice(-Math.max(1, Math.floor(memory.length / 3)))
    // From the middle of the first third to the middle of the last.
    const growthMinutes = Math.max((memory.length - first.length) * step / 60, 1 / 60)
    return {
      figures: [
        figure("operations possible", "a second", [capacity.result.total / capacity.result.seconds]),
        figure("operations", "a second", [result.total / result.seconds]),
        figure("ordinary calls", "ms (p99)", [result.p99]),
        figure("memory after collection", "MiB", memory),
        figure("open descriptors", "", descriptors),
        figure("connections to the MCP server", "", connections)
      ],
      scores: [
        score("mixed/failed", "good requests refused, broken off or let in wrongly", result.failed),
        score(
          "mixed/growth",
          "MiB of memory that come in 10 minutes after the warm-up, after collection",
          (least(last) - least(first)) / growthMinutes * 10
        )
      ],
      notes: Object.entries(result.operations).map(([name, { excused, failures, good }]) =>
        `${name}: ${good} good, ${excused} failed during a disturbance, others: ${JSON.stringify(failures)}`
      )
    }
  })
}
