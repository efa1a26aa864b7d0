/** `npm run soak`: keeps the gateway under load, floods it, and injects faults; prints the results. */
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
import { readFile, writeFile } from "node:fs/promises"
import { tmpdir } from "node:os"
import { join, resolve } from "node:path"
import { TestIssuer } from "../../src/issuer/TestIssuer.ts"
import { describeMachine } from "../bench/machine.ts"
import { commonFlags, countFlag, perform } from "../bench/perform.ts"
import { type Limits, missed } from "../bench/report/limits.ts"
import { figureTable, scoreTable, table } from "../bench/report/tables.ts"
import { audience } from "../bench/tokens.ts"
import { chaosCases } from "./cases/chaos.ts"
import { floodCases } from "./cases/floods.ts"
import { idleCase } from "./cases/idle.ts"
import { mixedCase } from "./cases/mixed.ts"
import { makeSoak, Soak, type SoakCase } from "./Soak.ts"

const cases: ReadonlyArray<SoakCase> = [mixedCase, idleCase, ...floodCases, ...chaosCases]

/** A case broke off or missed a limit; all has been printed. */
class SoakFailed extends Data.TaggedError("SoakFailed")<{}> {
  override readonly [Runtime.errorReported] = false
}

const flags = {
  case: Flag.String("case").pipe(
    Flag.withDescription("What to run: the beginning of a case's name; may be repeated; everything unless given"),
    Flag.atLeast(0)
  ),
  minutes: countFlag("minutes", "How long mixed traffic runs", 60),
  rate: Flag.Int("rate").pipe(
    Flag.withDescription("Operations of mixed traffic in a second; half of what is possible unless given"),
    Flag.filter((rate) => rate >= 1, () => "--rate is at least 1"),
    Flag.optional
  ),
  seconds: countFlag("seconds", "How long each flood lasts", 60),
  clients: countFlag("clients", "How many idle clients there are, and how many event streams", 10_000),
  ci: Flag.Boolean("ci").pipe(
    Flag.withDescription(
      "Two minutes of mixed traffic, and a last line that says how many limits were met: N passed, N failed"
    ),
    Flag.withDefault(false)
  ),
  ...commonFlags
}

const ciSeconds = 120

const soak = Effect.fnUntraced(function*(options: Command.Command.Config.Infer<typeof flags>) {
  const limits = yield* Effect.promise(async () =>
    // Written by hand, and part of this soak.
    JSON.parse(await readFile("test/soak/limits.json", "utf8")) as Limits
  )
  const beginnings = options.ci ? [mixedCase.name] : options.case
  const wanted = cases.filter(({ name }) =>
    beginnings.length === 0 || beginnings.some((beginning) => name.startsWith(beginning))
  )
  const machine = yield* Effect.promise(describeMachine)
  const made = yield* makeSoak({
    mixedSeconds: options.ci ? ciSeconds : options.minutes * 60,
    rate: Option.getOrUndefined(options.rate),
    seconds: options.seconds,
    clients: options.clients,
    gatewayFile: resolve(options.gateway)
  })
  const outcomes = yield* Effect.forEach(wanted, perform).pipe(Effect.provideService(Soak, made))

  const scores = outcomes.flatMap((outcome) => outcome.scores)
  const figures = outcomes.flatMap((outcome) => outcome.figures.map((one) => ({ case: outcome.name, ...one })))
  const notes = outcomes.flatMap((outcome) => outcome.notes)
  yield* Console.log([
    table(["Machine", ""], Object.entries(machine)),
    figureTable(figures),
    scoreTable(scores, limits),
    ...notes
  ].join("\n\n"))

  const stamp = (yield* Clock.currentTimeMillis).toString()
  const file = Option.getOrElse(options.json, () => join(tmpdir(), `mcp-authorizer-soak-${stamp}.json`))
  yield* Effect.promise(() => writeFile(file, JSON.stringify({ machine, outcomes, limits }, null, 2)))
  yield* Console.log(`\nresults: ${file}`)

  const misses = missed(scores, limits)
  if (misses.length > 0) yield* Console.log(`missed: ${misses.map(({ id }) => id).join(", ")}`)
  const broken = outcomes.filter((outcome) => outcome.broke).length
  if (options.ci) yield* Console.log(`${scores.length - misses.length} passed, ${misses.length + broken} failed`)
  if (misses.length > 0 || broken > 0) return yield* new SoakFailed()
}, Effect.scoped)

Command.make("soak", flags, soak).pipe(
  Command.withDescription("Holds the gateway under load and floods it, on this machine; fails when a limit is missed."),
  Command.run({ version: "0" }),
  Effect.provide([NodeServices.layer, TestIssuer.layer({ audience })]),
  NodeRuntime.runMain
)
