/** What a failing store may affect. */
import type { Requirement } from "../Requirement.ts"
import { known } from "./availability.ts"
import type { Subject } from "./CacheFixture.ts"
import { AskFirst, Phase, Publish, Restart, SetStore, Wait } from "./Command.ts"
import { invariant } from "./invariant.ts"
import { storeFailures } from "./sequences.ts"

export const storing = <E>(subject: Subject<E>): ReadonlyArray<Requirement<never>> => [
  invariant(
    subject,
    {
      id: "KEYS-27",
      title: "MUST serve the published keys even if the store fails, lies, hangs or keeps nothing",
      source: "RFC 9111, section 4",
      runs: 15
    },
    storeFailures([SetStore, AskFirst, AskFirst, Wait, Wait, Restart, Publish, Phase]),
    known
  )
]
