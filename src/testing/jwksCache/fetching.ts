/** How often a provider is asked. */
import * as Effect from "effect/Effect"
import * as assert from "../assert.ts"
import { type Requirement, requirement } from "../Requirement.ts"
import {
  Ask,
  AskFirst,
  AskUnknown,
  FallIll,
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
import { always, type Judgement, moment } from "./judge.ts"
import { freshness } from "./KeyProvider.ts"
import { inTurn } from "./play.ts"
import { keyId } from "./publisher.ts"
import { inAnyHealth, intrusions, sequences } from "./sequences.ts"
import { makeWorld, type Subject } from "./World.ts"

/** Pairs of neighbours that come too soon one after the other. */
const tooSoon = (
  history: History,
  fetches: ReadonlyArray<Fetch>,
  earliest: (before: Fetch) => number
): ReadonlyArray<string> =>
  fetches.flatMap((fetch, index) => {
    const before = fetches[index - 1]
    return before !== undefined && fetch.from < earliest(before)
      ? [`fetches at ${moment(history, before.from)} and ${moment(history, fetch.from)}`]
      : []
  })

const eachInstance = (history: History, judge: (fetches: ReadonlyArray<Fetch>) => ReadonlyArray<string>) =>
  instancesOf(history).flatMap((instance) => judge(fetchesOf(history, instance)))

/** The fetches for what a set lacks that is neither ended nor about to end. */
const extras = (fetches: ReadonlyArray<Fetch>): ReadonlyArray<Fetch> =>
  fetches.filter(({ from }, index) => {
    const held = fetches.slice(0, index).findLast(({ good }) => good)
    return held !== undefined && from < endOf(held) - contract.ahead
  })

const extrasApart: Judgement = (history) =>
  eachInstance(history, (fetches) => tooSoon(history, extras(fetches), ({ from }) => from + contract.extra))

/** More than two within half a minute: one may be due, and one for what the set lacks. */
const crowds: Judgement = (history) =>
  eachInstance(history, (fetches) =>
    fetches.flatMap((fetch, index) => {
      const third = fetches[index + 2]
      return third !== undefined && third.from < fetch.from + contract.extra &&
          healthyWithin(history, fetch.from, third.from)
        ? [`three fetches from ${moment(history, fetch.from)} to ${moment(history, third.from)}`]
        : []
    }))

const backsOff: Judgement = (history) =>
  eachInstance(
    history,
    (fetches) => tooSoon(history, fetches, ({ from, good, to }) => good ? 0 : (to ?? from) + contract.backOff)
  )

const singly: Judgement = (history) =>
  history.fetches.flatMap(({ from, others }) =>
    others > 0 ? [`a fetch at ${moment(history, from)} beside another`] : []
  )

const oncePerLifetime: Judgement = (history) => {
  // The store is no lock: two instances may ask at the same moment, and it keeps the answer of one.
  const first = history.fetches.filter(({ from, instance }, index) => {
    const before = history.fetches[index - 1]
    return before === undefined || before.instance === instance || before.from !== from
  })
  const ends = ({ from }: Fetch) => history.fetches.filter((fetch) => fetch.from === from).map(endOf)
  return tooSoon(history, first, (before) => Math.min(...ends(before)) - contract.ahead)
}

export const fetching = <E>(subject: Subject<E>): ReadonlyArray<Requirement<never>> => [
  always(
    subject,
    {
      id: "KEYS-01",
      title: "MUST fetch a set again for unknown keys at most once in 30 seconds, failed attempts included",
      source: "OpenID Connect Core 1.0, section 10.1.1",
      runs: 30
    },
    intrusions([AskUnknown, AskUnknown, Ask, Publish, Withdraw, Wait, FallIll, Recover, Phase]),
    (history) => [...extrasApart(history), ...crowds(history)]
  ),
  always(
    subject,
    {
      id: "KEYS-02",
      title: "MUST NOT ask a provider for 10 seconds after a failed fetch",
      source: "RFC 9110, section 15.6.4"
    },
    inAnyHealth([FallIll, Ask, AskUnknown, Wait, WaitBriefly, WaitBriefly, Prefetch, Phase, Recover], 15, 50),
    backsOff
  ),
  always(
    subject,
    {
      id: "KEYS-03",
      title: "MUST NOT run two fetches of a set at a time, however many callers wait",
      source: "RFC 9111, section 4"
    },
    sequences([Ask, AskUnknown, Prefetch, Phase, Wait, WaitLong, Publish, Restart, FallIll, Recover], 15, 40),
    singly
  ),
  always(
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
      inTurn(
        Object.values(said),
        Effect.fnUntraced(function*(lifetime) {
          const { ask, history, provider, publisher, wait } = yield* makeWorld(subject)
          provider.setLifetime(lifetime)
          const begin = yield* ask(0, keyId(0))
          yield* publisher.withdraw(keyId(0))
          const { millis } = freshness(lifetime)
          yield* wait((millis - contract.ahead - 1000) / 1000)
          const within = yield* ask(0, keyId(0))
          assert.strictEqual(history().fetches.length, 1, `within ${millis} ms`)
          yield* wait((contract.ahead + 1000 + contract.fetch) / 1000)
          const after = yield* ask(0, keyId(0))
          const outcomes = [begin, within, after].map((answers) => answers.at(-1)?.outcome._tag)
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
      inTurn(
        [health, late],
        Effect.fnUntraced(function*(health) {
          const { ask, history, prefetch, provider, wait } = yield* makeWorld(subject)
          provider.setHealth(health)
          assert.isTrue(yield* prefetch(0), health._tag)
          yield* wait(contract.fetch / 1000)
          yield* ask(0, keyId(0))
          assert.strictEqual(history().fetches.length, 1)
        })
      )
  )
]
