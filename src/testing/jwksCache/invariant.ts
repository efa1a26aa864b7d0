/** Builds requirements from invariants of histories. */
import type * as Arbitrary from "effect/Arbitrary"
import * as Effect from "effect/Effect"
import * as Schema from "effect/Schema"
import * as assert from "../assert.ts"
import { type Requirement, requirement, type RequirementName } from "../Requirement.ts"
import { sources, type Subject } from "./CacheFixture.ts"
import type { Command } from "./Command.ts"
import type { History } from "./History.ts"
import { runCommands } from "./runCommands.ts"

/** Returns the violations in a history; none if it is correct. */
export type Invariant = (history: History) => ReadonlyArray<string>

/** Returns the time since the start of the history, for reports. */
export const secondsOf = ({ start }: History, at: number): string => `${(at - start) / 1000} s`

/** Builds the requirement that the invariant holds for all histories of these commands. */
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
