/** Which lookups succeed, and how soon. */
import type { Requirement } from "../Requirement.ts"
import type { Subject } from "./CacheFixture.ts"
import {
  Ask,
  AskFirst,
  AskNewest,
  AskUnknown,
  BeginOutage,
  Phase,
  Publish,
  Recover,
  Restart,
  SetHealth,
  SetLifetime,
  SetStore,
  Wait,
  WaitLong,
  Withdraw,
  WithdrawLater
} from "./Command.ts"
import { contract, fullRecovery, recovery } from "./contract.ts"
import { type Ask as Asked, endOf, healthyWithin, type History, lastGood, publishedWithin } from "./History.ts"
import { type Invariant, invariant, secondsOf } from "./invariant.ts"
import { fromAnyHealth, outages, rotations, sequences } from "./sequences.ts"

/** Reports the lookups with another result than expected, if one is expected. */
const unless = (expected: (ask: Asked, history: History) => string | undefined): Invariant => (history) =>
  history.asks.flatMap((ask) => {
    const outcome = ask.outcome._tag === "Key" ? ask.outcome.name ?? "a foreign key" : ask.outcome._tag
    const wanted = expected(ask, history)
    return wanted === undefined || wanted === outcome
      ? []
      : [`${ask.kid} was ${outcome} and not ${wanted} at ${secondsOf(history, ask.from)}`]
  })

/** A key that every set has had, once a provider has been healthy for as long as its failures are remembered. */
export const known: Invariant = unless(({ from, kid, to }, history) =>
  healthyWithin(history, from - recovery, to) ? publishedWithin(history, kid, history.start, to) : undefined
)

/** A key that every set has had, in a set that expired less than an hour ago, regardless of the provider. */
const held: Invariant = unless(({ from, instance, kid, to }, history) => {
  const last = lastGood(history, instance, from)
  return last !== undefined && to < endOf(last) + contract.stale
    ? publishedWithin(history, kid, history.start, to)
    : undefined
})

/** A key that was published half a minute ago, or after a period without fetches. */
const found: Invariant = unless(({ fetchesBefore, from, kid, to }, history) => {
  if (!healthyWithin(history, from - fullRecovery, to)) return undefined
  // A little longer: instances may share times in whole seconds.
  const pause = contract.extra + contract.fetch
  const asked = history.fetches.slice(0, fetchesBefore).some((fetch) => fetch.from > from - pause)
  return publishedWithin(history, kid, asked ? from - fullRecovery : from, to)
})

const slow: Invariant = (history) =>
  history.asks.flatMap(({ from, instance, kid, outcome, to }) => {
    const last = lastGood(history, instance, from - 1)
    const isHeld = last !== undefined && from < endOf(last) &&
      publishedWithin(history, kid, history.start, to) !== undefined
    const limit = isHeld ? 1000 : 2 * contract.fetch
    return outcome._tag === "Silence" || to - from > limit
      ? [`${kid} took ${(to - from) / 1000} s at ${secondsOf(history, from)}`]
      : []
  })

export const typed: Invariant = ({ asks }) =>
  asks.flatMap(({ outcome }) => outcome._tag === "Defect" ? [outcome.text] : [])

/** Whether the failure is attributed to the token or to the provider. */
const blame: Invariant = unless(({ from, kid, to }, history) => {
  const { fetches, sets } = history
  if (!fetches.some((fetch) => fetch.good && (fetch.to ?? to) <= to) && !healthyWithin(history, from, to)) {
    return "KeysUnavailable"
  }
  const wasPublished = sets.some(({ at, value }) => at <= to && value.has(kid))
  return !wasPublished && healthyWithin(history, from - fullRecovery, to) ? "UnknownKey" : undefined
})

const phases: Invariant = (history) =>
  history.reports.flatMap(({ at, instance, phase, usable }) => {
    const last = lastGood(history, instance, at - 1)
    const isFresh = last !== undefined && at < endOf(last)
    const isGone = history.fetches.every((fetch) =>
      !fetch.good || fetch.from > at || at >= endOf(fetch) + contract.stale
    )
    return (isFresh && !(usable && ["fresh", "refreshing"].includes(phase))) || (isGone && usable)
      ? [`${phase}, ${usable ? "usable" : "not usable"} at ${secondsOf(history, at)}`]
      : []
  })

export const availability = <E>(subject: Subject<E>): ReadonlyArray<Requirement<never>> => [
  invariant(
    subject,
    {
      id: "KEYS-20",
      title: "MUST serve keys again within 16 seconds after the provider has recovered",
      source: "RFC 9110, section 15.6.4"
    },
    outages([AskFirst, AskUnknown, BeginOutage, Recover, Wait, Restart]),
    known
  ),
  invariant(
    subject,
    {
      id: "KEYS-21",
      title: "MUST serve keys of a set that ended up to an hour ago while the provider is down",
      source: "RFC 9111, section 4.2.4; RFC 5861, section 4"
    },
    outages([AskFirst, AskUnknown, Wait, SetLifetime, Phase]),
    held
  ),
  invariant(
    subject,
    {
      id: "KEYS-22",
      title: "MUST find a key that was published after the set was fetched",
      source: "OpenID Connect Core 1.0, section 10.1.1"
    },
    rotations([Ask, AskNewest, AskUnknown, Publish, WithdrawLater, Wait, SetLifetime, Restart]),
    found
  ),
  invariant(
    subject,
    {
      id: "KEYS-23",
      title: "MUST return within the time of two fetches, and at once for a key of a fresh set",
      source: "OpenID Connect Core 1.0, section 10.1.1"
    },
    outages([Ask, AskUnknown, Wait, Publish, SetLifetime, SetStore]),
    slow
  ),
  invariant(
    subject,
    {
      id: "KEYS-24",
      title: "MUST fail only with UnknownKey or KeysUnavailable, regardless of the provider and the store",
      source: "RFC 9110, section 15.6"
    },
    fromAnyHealth([Ask, Ask, AskUnknown, SetHealth, SetHealth, SetStore, Publish, Withdraw, Wait, Restart], 10, 40),
    typed
  ),
  invariant(
    subject,
    {
      id: "KEYS-25",
      title: "MUST fail with KeysUnavailable when there is no set, and with UnknownKey when the set lacks the key",
      source: "RFC 6750, section 3.1; RFC 9110, section 15.6",
      runs: 40
    },
    fromAnyHealth([BeginOutage, AskUnknown, Ask, Ask, Wait, Wait, Recover, SetLifetime], 5, 30),
    blame
  ),
  invariant(
    subject,
    {
      id: "KEYS-26",
      title: "MUST report whether there are usable keys",
      source: "RFC 9111, section 4.2"
    },
    sequences([Phase, Phase, AskFirst, BeginOutage, Recover, Wait, WaitLong, SetLifetime], 10, 40),
    phases
  )
]
