/** What the shared store may cost. */
import type { Requirement } from "../Requirement.ts"
import { known } from "./availability.ts"
import { AskFirst, Phase, Publish, Restart, SetStore, Wait } from "./Command.ts"
import { always } from "./judge.ts"
import { spoilings } from "./sequences.ts"
import type { Subject } from "./World.ts"

export const storing = <E>(subject: Subject<E>): ReadonlyArray<Requirement<never>> => [
  always(
    subject,
    {
      id: "KEYS-27",
      title: "MUST serve the published keys even if the store fails, lies, hangs or keeps nothing",
      source: "RFC 9111, section 4",
      runs: 15
    },
    spoilings([SetStore, AskFirst, AskFirst, Wait, Wait, Restart, Publish, Phase]),
    known
  )
]
