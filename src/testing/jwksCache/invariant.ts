/** Makes requirements of judgements on what happened. */
import type * as Arbitrary from "effect/Arbitrary"
import * as Effect from "effect/Effect"
import * as Schema from "effect/Schema"
import * as assert from "../assert.ts"
import { type Requirement, requirement, type RequirementName } from "../Requirement.ts"
import { sources, type Subject } from "./CacheFixture.ts"
import type { Command } from "./Command.ts"
import type { History } from "./History.ts"
import { runCommands } from "./runCommands.ts"

/** What is wrong with what happened: nothing, if it is as it must be. */
export type Invariant = (history: History) => ReadonlyArray<string>

/** Seconds since the history began, to read reports by. */
export const secondsOf = ({ start }: History, at: number): string => `${(at - start) / 1000} s`

/** The requirement that nothing is wrong, whatever these commands make happen. */
export const invariant = <E>(
  subject: Subject<E>,
  name: RequirementName,
  commands: Arbitrary.Arbitrary<ReadonlyArray<Command>>,
  check: Invariant
): Requirement<never> =>
  requirement(
    name,
    { commands, source: Schema.Literals(["Jwks", "Discovery"]) },
    ({ commands, source }) =>
      Effect.map(
        runCommands(subject, commands, sources[source]),
        (history) => assert.deepStrictEqual(check(history), [])
      )
  )
