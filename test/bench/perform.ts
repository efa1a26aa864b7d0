/** The common part of the benchmark and the soak: running cases, and the command line. */
import * as Flag from "effect/cli/Flag"
import * as Console from "effect/Console"
import * as Effect from "effect/Effect"
import type * as Scope from "effect/Scope"
import type { Outcome } from "./report/Outcome.ts"

/** Something to be run; its servers end with the scope. */
export interface Performance<R> {
  readonly name: string
  readonly run: Effect.Effect<Outcome, never, R | Scope.Scope>
}

/** Runs a case. One that cannot be run does not cost the others their results. */
export const perform = Effect.fnUntraced(function*<R>({ name, run }: Performance<R>) {
  yield* Console.error(`running: ${name}`)
  return yield* Effect.scoped(run).pipe(
    Effect.map((outcome) => ({ name, broke: false, ...outcome })),
    Effect.catchDefect((defect) =>
      Effect.succeed({ name, broke: true, figures: [], scores: [], notes: [`${name}: broke off: ${String(defect)}`] })
    )
  )
})

/** The destination of the results, and the cases to run. */
export const commonFlags = {
  json: Flag.String("json").pipe(
    Flag.withMetavar("FILE"),
    Flag.withDescription("Where the results go; a new file in the system's temporary directory unless given"),
    Flag.optional
  ),
  gateway: Flag.String("gateway").pipe(
    Flag.withMetavar("FILE"),
    Flag.withDescription("The main.js of another build, to compare"),
    Flag.withDefault("dist/main.js")
  )
}

/** A whole number of at least 1. */
export const countFlag = (name: string, description: string, usual: number) =>
  Flag.Int(name).pipe(
    Flag.withDescription(description),
    Flag.filter((count) => count >= 1, () => `--${name} is at least 1`),
    Flag.withDefault(usual)
  )
