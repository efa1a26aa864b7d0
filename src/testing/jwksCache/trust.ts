/** Which keys are returned, and for how long. */
import type { Requirement } from "../Requirement.ts"
import type { Subject } from "./CacheFixture.ts"
import {
  Ask,
  AskFirst,
  AskUnknown,
  BeginOutage,
  CorruptStore,
  Phase,
  Publish,
  Recover,
  Repeat,
  Restart,
  SetHealth,
  SetLifetime,
  SetStore,
  Wait,
  WaitLong,
  Withdraw
} from "./Command.ts"
import { contract, fullRecovery } from "./contract.ts"
import { type Ask as Asked, endOf, type Fetch, healthyWithin, type History, lastGood } from "./History.ts"
import { type Invariant, invariant, secondsOf } from "./invariant.ts"
import { corruptions, lateWithdrawals, longOutages, sequences, withdrawals } from "./sequences.ts"

/** A key that was returned. */
interface Given extends Asked {
  readonly name: string | undefined
}

const given = ({ asks }: History): ReadonlyArray<Given> =>
  asks.flatMap((ask) => ask.outcome._tag === "Key" ? [{ ...ask, name: ask.outcome.name }] : [])

/** Reports the keys that were returned without a reason. */
const unless = (reason: (given: Given, history: History) => boolean): Invariant => (history) =>
  given(history).filter((key) => !reason(key, history)).map(({ from, kid, name }) =>
    `${kid} was ${name ?? "a foreign key"} at ${secondsOf(history, from)}`
  )

/** The earlier fetches that brought this key. */
const broughtBy = ({ kid, name, to }: Given, { fetches }: History): ReadonlyArray<Fetch> =>
  fetches.filter((fetch) => fetch.good && (fetch.to ?? to) <= to && fetch.set.get(kid) === name)

const wasPublished: Invariant = unless(({ kid, name, to }, { sets }) =>
  name !== undefined && sets.some(({ at, value }) => at <= to && value.get(kid) === name)
)

/** Its set has not expired, or the provider could not be requested. */
const hasNotEnded: Invariant = unless((key, history) =>
  !healthyWithin(history, key.from - fullRecovery, key.from) ||
  broughtBy(key, history).some((fetch) => key.from < endOf(fetch) + contract.fetch)
)

const endedLately: Invariant = unless((key, history) =>
  broughtBy(key, history).some((fetch) => key.from < endOf(fetch) + contract.stale + contract.fetch)
)

/** No later set of the same instance lacks the key. */
const isInTheLastSet: Invariant = unless((key, history) => {
  const last = lastGood(history, key.instance, key.from - 1)
  return last === undefined || broughtBy(key, history).some(({ from, to }) => (to ?? from) >= (last.to ?? last.from))
})

export const trust = <E>(subject: Subject<E>): ReadonlyArray<Requirement<never>> => [
  invariant(
    subject,
    {
      id: "KEYS-10",
      title:
        "MUST return only keys that the provider published under the key id, regardless of the provider and the store",
      source: "RFC 7517, section 4.5; RFC 8725, section 3.8",
      runs: 50
    },
    sequences(
      [Ask, Ask, AskUnknown, Publish, Withdraw, Repeat, SetHealth, SetStore, SetLifetime, Wait, Wait, Restart],
      10,
      40
    ),
    wasPublished
  ),
  invariant(
    subject,
    {
      id: "KEYS-11",
      title: "MUST reject a withdrawn key when its set has ended, at most 24 hours after it was fetched",
      source: "OpenID Connect Core 1.0, section 10.1.1; RFC 9111, section 4.2"
    },
    withdrawals([Ask, Publish, SetLifetime, Wait, Restart, Phase]),
    hasNotEnded
  ),
  invariant(
    subject,
    {
      id: "KEYS-12",
      title: "MUST reject a withdrawn key as soon as a later set lacks it",
      source: "RFC 7517, section 5"
    },
    withdrawals([Ask, AskUnknown, Publish, Repeat, Wait, BeginOutage, Recover]),
    isInTheLastSet
  ),
  invariant(
    subject,
    {
      id: "KEYS-13",
      title: "MUST NOT use a set for more than an hour after its end",
      source: "RFC 9111, section 4.2.4; RFC 5861, section 4",
      runs: 15
    },
    longOutages([AskFirst, Wait, WaitLong, SetLifetime, Phase]),
    endedLately
  ),
  invariant(
    subject,
    {
      id: "KEYS-14",
      title:
        "MUST NOT use a stored entry that belongs to another URL, has ended, or claims to be fresh for more than a day",
      source: "RFC 9111, section 4.2",
      runs: 15
    },
    corruptions([CorruptStore, AskFirst, AskUnknown, Wait, WaitLong, Restart, Phase]),
    wasPublished
  ),
  invariant(
    subject,
    {
      id: "KEYS-15",
      title: "MUST reject a withdrawn key when its set has ended after an outage that is over",
      source: "RFC 9111, section 4.2.4; OpenID Connect Core 1.0, section 10.1.1",
      runs: 20
    },
    lateWithdrawals([Ask, Publish, SetLifetime, Wait, Phase]),
    hasNotEnded
  )
]
