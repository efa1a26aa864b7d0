/** `npm run bench`: measures the gateway next to its peers, in one run, and prints what it found. */
import * as NodeRuntime from "@effect/platform-node/NodeRuntime"
import * as NodeServices from "@effect/platform-node/NodeServices"
import * as Command from "effect/cli/Command"
import * as Flag from "effect/cli/Flag"
import * as Clock from "effect/Clock"
import * as Console from "effect/Console"
import * as Data from "effect/Data"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import * as Runtime from "effect/Runtime"
import { mkdir, readFile, writeFile } from "node:fs/promises"
import { tmpdir } from "node:os"
import { join, resolve } from "node:path"
import { TestIssuer } from "../../src/issuer/TestIssuer.ts"
import { Bench, type Case, makeBench } from "./Bench.ts"
import { bulk } from "./cases/bulk.ts"
import { fresh } from "./cases/fresh.ts"
import { initialize } from "./cases/initialize.ts"
import { latency } from "./cases/latency.ts"
import { lists } from "./cases/lists.ts"
import { manyServers } from "./cases/manyServers.ts"
import { memory } from "./cases/memory.ts"
import { rules } from "./cases/rules.ts"
import { seen } from "./cases/seen.ts"
import { startup } from "./cases/startup.ts"
import { streams } from "./cases/streams.ts"
import { telemetry } from "./cases/telemetry.ts"
import { workers } from "./cases/workers.ts"
import { describeMachine, tools } from "./machine.ts"
import { commonFlags, countFlag, perform } from "./perform.ts"
import { describeProfiles } from "./profiles.ts"
import { type Limits, missed } from "./report/limits.ts"
import { figureTable, scoreTable, table } from "./report/tables.ts"
import { audience } from "./tokens.ts"

const cases: ReadonlyArray<Case> = [
  seen,
  fresh,
  initialize,
  rules,
  telemetry,
  latency,
  streams,
  bulk,
  lists,
  memory,
  startup,
  workers,
  manyServers
]

/** A case broke off, or `--check` found a limit missed; all has been printed. */
class BenchFailed extends Data.TaggedError("BenchFailed")<{}> {
  override readonly [Runtime.errorReported] = false
}

const flags = {
  case: Flag.Literals("case", cases.map(({ name }) => name)).pipe(
    Flag.withDescription("What to measure; may be repeated; everything unless given"),
    Flag.atLeast(0)
  ),
  seconds: countFlag("seconds", "How long one measurement takes", 5),
  rounds: countFlag("rounds", "How often each measurement is made; the median counts", 5),
  check: Flag.Boolean("check").pipe(
    Flag.withDescription("Exit with 1 when a score misses its limit in test/bench/floors.json"),
    Flag.withDefault(false)
  ),
  profile: Flag.Boolean("profile").pipe(
    Flag.withDescription("Keep CPU profiles of the gateway, and print where its time went"),
    Flag.withDefault(false)
  ),
  ...commonFlags
}

const bench = Effect.fnUntraced(function*(options: Command.Command.Config.Infer<typeof flags>) {
  const { check, gateway, json, profile, rounds, seconds } = options
  const stamp = (yield* Clock.currentTimeMillis).toString()
  const place = join(tmpdir(), `mcp-authorizer-bench-${stamp}`)
  const profileDirectory = profile ? `${place}-profiles` : undefined
  if (profileDirectory !== undefined) yield* Effect.promise(() => mkdir(profileDirectory))
  const limits = yield* Effect.promise(async () =>
    // Written by hand, and part of this benchmark.
    JSON.parse(await readFile("test/bench/floors.json", "utf8")) as Limits
  )
  const machine = yield* Effect.promise(describeMachine)
  const wanted = cases.filter(({ name }) => options.case.length === 0 || options.case.includes(name))

  const bench = yield* makeBench({ seconds, rounds, gatewayFile: resolve(gateway), profileDirectory })
  const outcomes = yield* Effect.forEach(wanted, perform).pipe(Effect.provideService(Bench, bench))

  const scores = outcomes.flatMap((outcome) => outcome.scores)
  const figures = outcomes.flatMap((outcome) => outcome.figures.map((one) => ({ case: outcome.name, ...one })))
  const notes = [
    ...outcomes.flatMap((outcome) => outcome.notes),
    ...tools.wrk === undefined ? ["load: autocannon, which may be what limits (wrk is not installed)"] : []
  ]
  const facts = {
    ...machine,
    run: `${rounds} rounds of ${seconds} s each, in turns; 32 connections where not said otherwise`
  }
  yield* Console.log([
    table(["Machine", ""], Object.entries(facts)),
    figureTable(figures),
    scoreTable(scores, limits),
    ...notes,
    ...profileDirectory === undefined ? [] : yield* Effect.promise(() => describeProfiles(profileDirectory))
  ].join("\n\n"))

  const file = Option.getOrElse(json, () => `${place}.json`)
  yield* Effect.promise(() => writeFile(file, JSON.stringify({ machine: facts, outcomes, notes, limits }, null, 2)))
  yield* Console.log(`\nresults: ${file}`)
  if (profileDirectory !== undefined) yield* Console.log(`profiles: ${profileDirectory}`)

  const misses = missed(scores, limits)
  if (misses.length > 0) yield* Console.log(`missed: ${misses.map(({ id }) => id).join(", ")}`)
  const broke = outcomes.some((outcome) => outcome.broke)
  if (broke || (check && misses.length > 0)) return yield* new BenchFailed()
}, Effect.scoped)

Command.make("bench", flags, bench).pipe(
  Command.withDescription(
    "Measures the gateway and its peers on this machine; only ratios within one run are meaningful."
  ),
  Command.run({ version: "0" }),
  Effect.provide([NodeServices.layer, TestIssuer.layer({ audience })]),
  NodeRuntime.runMain
)
