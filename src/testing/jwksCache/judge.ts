/** Makes requirements of judgements on what happened. */
import type * as Arbitrary from "effect/Arbitrary"
import * as Effect from "effect/Effect"
import * as Schema from "effect/Schema"
import * as assert from "../assert.ts"
import { type Requirement, requirement, type RequirementName } from "../Requirement.ts"
import type { Command } from "./Command.ts"
import type { History } from "./History.ts"
import { play } from "./play.ts"
import { sources, type Subject } from "./World.ts"

/** What is wrong with what happened: nothing, if it is as it must be. */
export type Judgement = (history: History) => ReadonlyArray<string>

/** Seconds since the history began, to read reports by. */
export const moment = ({ start }: History, at: number): string => `${(at - start) / 1000} s`

/** The requirement that nothing is wrong, whatever these commands make happen. */
export const always = <E>(
  subject: Subject<E>,
  name: RequirementName,
  commands: Arbitrary.Arbitrary<ReadonlyArray<Command>>,
  judge: Judgement
): Requirement<never> =>
  requirement(
    name,
    { commands, source: Schema.Literals(["Jwks", "Discovery"]) },
    ({ commands, source }) =>
      Effect.map(
        play(subject, commands, sources[source]),
        (history) => assert.deepStrictEqual(judge(history), [])
      )
  )
