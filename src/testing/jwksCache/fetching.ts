/** How often a provider is requested. */
import * as Effect from "effect/Effect"
import * as assert from "../assert.ts"
import { type Requirement, requirement } from "../Requirement.ts"
import { makeFixture, type Subject } from "./CacheFixture.ts"
import {
  Ask,
  AskFirst,
  AskUnknown,
  BeginOutage,
  Health,
  Late,
  lifetimes,
  Phase,
  Prefetch,
  Publish,
  Recover,
  Restart,
  SetLifetime,
  Wait,
  WaitBriefly,
  WaitLong,
  Withdraw
} from "./Command.ts"
import { contract } from "./contract.ts"
import { endOf, type Fetch, fetchesOf, healthyWithin, type History, instancesOf } from "./History.ts"
import { type Invariant, invariant, secondsOf } from "./invariant.ts"
import { freshness } from "./KeyProvider.ts"
import { keyId } from "./publisher.ts"
import { forEachWithOwnClock } from "./runCommands.ts"
import { fromAnyHealth, sequences, unknownKeyBursts } from "./sequences.ts"

/** Reports consecutive fetches that are too close together. */
const tooSoon = (
  history: History,
  fetches: ReadonlyArray<Fetch>,
  earliest: (before: Fetch) => number
): ReadonlyArray<string> =>
  fetches.flatMap((fetch, index) => {
    const before = fetches[index - 1]
    return before !== undefined && fetch.from < earliest(before)
      ? [`fetches at ${secondsOf(history, before.from)} and ${secondsOf(history, fetch.from)}`]
      : []
  })

const eachInstance = (history: History, check: (fetches: ReadonlyArray<Fetch>) => ReadonlyArray<string>) =>
  instancesOf(history).flatMap((instance) => check(fetchesOf(history, instance)))

/** The fetches for what a set lacks that has neither expired nor is about to. */
const extras = (fetches: ReadonlyArray<Fetch>): ReadonlyArray<Fetch> =>
  fetches.filter(({ from }, index) => {
    const held = fetches.slice(0, index).findLast(({ good }) => good)
    return held !== undefined && from < endOf(held) - contract.ahead
  })

const extrasApart: Invariant = (history) =>
  eachInstance(history, (fetches) => tooSoon(history, extras(fetches), ({ from }) => from + contract.extra))

/** More than two fetches within half a minute: one may be due, and one for what the set lacks. */
const crowds: Invariant = (history) =>
  eachInstance(history, (fetches) =>
    fetches.flatMap((fetch, index) => {
      const third = fetches[index + 2]
      return third !== undefined && third.from < fetch.from + contract.extra &&
          healthyWithin(history, fetch.from, third.from)
        ? [`three fetches from ${secondsOf(history, fetch.from)} to ${secondsOf(history, third.from)}`]
        : []
    }))

const backsOff: Invariant = (history) =>
  eachInstance(
    history,
    (fetches) => tooSoon(history, fetches, ({ from, good, to }) => good ? 0 : (to ?? from) + contract.backOff)
  )

const singly: Invariant = (history) =>
  history.fetches.flatMap(({ from, others }) =>
    others > 0 ? [`a fetch at ${secondsOf(history, from)} concurrent with another`] : []
  )

const oncePerLifetime: Invariant = (history) => {
  // The store is not a lock: two instances may fetch at the same time, and the store keeps one of the results.
  const first = history.fetches.filter(({ from, instance }, index) => {
    const before = history.fetches[index - 1]
    return before === undefined || before.instance === instance || before.from !== from
  })
  const ends = ({ from }: Fetch) => history.fetches.filter((fetch) => fetch.from === from).map(endOf)
  return tooSoon(history, first, (before) => Math.min(...ends(before)) - contract.ahead)
}

export const fetching = <E>(subject: Subject<E>): ReadonlyArray<Requirement<never>> => [
  invariant(
    subject,
    {
      id: "KEYS-01",
      title: "MUST fetch a set again for unknown keys at most once in 30 seconds, failed attempts included",
      source: "OpenID Connect Core 1.0, section 10.1.1",
      runs: 30
    },
    unknownKeyBursts([AskUnknown, AskUnknown, Ask, Publish, Withdraw, Wait, BeginOutage, Recover, Phase]),
    (history) => [...extrasApart(history), ...crowds(history)]
  ),
  invariant(
    subject,
    {
      id: "KEYS-02",
      title: "MUST NOT ask a provider for 10 seconds after a failed fetch",
      source: "RFC 9110, section 15.6.4"
    },
    fromAnyHealth([BeginOutage, Ask, AskUnknown, Wait, WaitBriefly, WaitBriefly, Prefetch, Phase, Recover], 15, 50),
    backsOff
  ),
  invariant(
    subject,
    {
      id: "KEYS-03",
      title: "MUST NOT run two fetches of a set at a time, however many callers wait",
      source: "RFC 9111, section 4"
    },
    sequences([Ask, AskUnknown, Prefetch, Phase, Wait, WaitLong, Publish, Restart, BeginOutage, Recover], 15, 40),
    singly
  ),
  invariant(
    subject,
    {
      id: "KEYS-04",
      title: "MUST fetch a set at most once in its lifetime, even when several instances share a store",
      source: "RFC 9111, section 4.2",
      runs: 30
    },
    sequences([AskFirst, AskFirst, Prefetch, Phase, Wait, Wait, SetLifetime, Restart], 15, 50),
    oncePerLifetime
  ),
  requirement(
    {
      id: "KEYS-05",
      title: "MUST keep a set for its max-age, but at least for a minute and at most for 24 hours",
      source: "RFC 9111, sections 4.2.1 and 5.2.2; OpenID Connect Core 1.0, section 10.1.1",
      runs: 10
    },
    lifetimes,
    (said) =>
      forEachWithOwnClock(
        Object.values(said),
        Effect.fnUntraced(function*(lifetime) {
          const { ask, history, provider, publisher, wait } = yield* makeFixture(subject)
          provider.setLifetime(lifetime)
          const begin = yield* ask(0, keyId(0))
          yield* publisher.withdraw(keyId(0))
          const { millis } = freshness(lifetime)
          yield* wait((millis - contract.ahead - 1000) / 1000)
          const within = yield* ask(0, keyId(0))
          assert.strictEqual(history().fetches.length, 1, `within ${millis} ms`)
          yield* wait((contract.ahead + 1000 + contract.fetch) / 1000)
          const after = yield* ask(0, keyId(0))
          const outcomes = [begin, within, after].map((lookups) => lookups.at(-1)?.outcome._tag)
          assert.deepStrictEqual(outcomes, ["Key", "Key", "UnknownKey"], `after ${millis} ms`)
        })
      )
  ),
  requirement(
    {
      id: "KEYS-06",
      title: "MUST NOT wait or fail in a prefetch, and need no further fetch after it",
      source: "RFC 9111, section 4",
      runs: 15
    },
    { health: Health, late: Late },
    ({ health, late }) =>
      forEachWithOwnClock(
        [health, late],
        Effect.fnUntraced(function*(health) {
          const { ask, history, prefetch, provider, wait } = yield* makeFixture(subject)
          provider.setHealth(health)
          assert.isTrue(yield* prefetch(0), health._tag)
          yield* wait(contract.fetch / 1000)
          yield* ask(0, keyId(0))
          assert.strictEqual(history().fetches.length, 1)
        })
      )
  )
]
