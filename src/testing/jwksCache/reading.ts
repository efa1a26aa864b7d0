/** Which responses are key sets, and which of their members are keys. */
import * as Arbitrary from "effect/Arbitrary"
import * as Effect from "effect/Effect"
import * as Schema from "effect/Schema"
import { makeSigningKey } from "../../issuer/SigningKey.ts"
import { either, oneOf } from "../arbitrary.ts"
import * as assert from "../assert.ts"
import { type Requirement, requirement } from "../Requirement.ts"
import { makeFixture, type Subject } from "./CacheFixture.ts"
import type { Ask, Outcome } from "./History.ts"
import { keyId, materialName } from "./publisher.ts"
import { forEachWithOwnClock, withOwnClock } from "./runCommands.ts"
import { algorithmFor, makeUnusable, UnusableKind } from "./unusableKeys.ts"

const megabyte = 1_048_576

const unknown: Outcome = { _tag: "UnknownKey" }

const key = (name: string): Outcome => ({ _tag: "Key", name })

/** Asserts the result of a lookup. */
const assertTold = ([ask]: ReadonlyArray<Ask>, ...expected: ReadonlyArray<Outcome>) =>
  assert.deepInclude(expected, ask?.outcome)

/** Keys in addition to the first, by the number in their `kid`. */
const moreKeys = (minLength: number, maxLength: number) => Arbitrary.array(oneOf([0, 1, 2]), { minLength, maxLength })

const unusable = UnusableKind.literals.flatMap((kind) => [true, false].map((first) => ({ kind, first })))

export const reading = <E>(subject: Subject<E>): ReadonlyArray<Requirement<never>> => [
  requirement(
    {
      id: "KEYS-30",
      title: "MUST skip members that are not usable public keys, and use the others",
      source: "RFC 7517, section 5; RFC 8725, sections 3.1 and 3.4",
      runs: 1
    },
    {},
    () =>
      forEachWithOwnClock(
        unusable,
        Effect.fnUntraced(function*({ first, kind }) {
          const { ask, publisher } = yield* makeFixture(subject)
          yield* publisher.publishUnusable(yield* makeUnusable(kind, "unusable"), "unusable", first)
          const outcomes = yield* Effect.all([
            ask(0, "unusable", { alg: algorithmFor(kind) }),
            ask(0, keyId(0)),
            // Looks up the only key that fits.
            ask(0, undefined)
          ])
          const good = key(materialName(0))
          assert.deepStrictEqual(outcomes.map(([one]) => one?.outcome), [unknown, good, good], kind)
        })
      )
  ),
  requirement(
    {
      id: "KEYS-31",
      title: "MUST return none of two different keys with one key id, and without a key id only the single fitting key",
      source: "RFC 7517, section 4.5; RFC 7515, section 4.1.4"
    },
    { more: either(moreKeys(0, 1), moreKeys(2, 4), moreKeys(2, 4)) },
    ({ more }) =>
      withOwnClock(Effect.gen(function*() {
        const { ask, publisher } = yield* makeFixture(subject)
        yield* Effect.forEach(more, (index) => publisher.publish(keyId(index)))
        const set = publisher.sets.at(-1)?.value ?? new Map<string, string>()
        for (const index of [0, 1, 2]) {
          const name = set.get(keyId(index))
          assertTold(yield* ask(0, keyId(index)), name === undefined ? unknown : key(name))
        }
        const [only, second] = set.values()
        if (only === undefined || second !== undefined) assertTold(yield* ask(0, undefined), unknown)
        // Of several keys with the same id, either none or all may count as matching.
        else assertTold(yield* ask(0, undefined), key(only), ...(more.length > 0 ? [unknown] : []))
      }))
  ),
  requirement(
    {
      id: "KEYS-32",
      title: "MUST NOT use members of a set after the hundredth",
      source: "RFC 8725, section 3.4",
      runs: 5
    },
    {
      allowed: Schema.Int.check(Schema.isBetween({ minimum: 90, maximum: 100 })),
      more: Schema.Int.check(Schema.isBetween({ minimum: 101, maximum: 300 }))
    },
    ({ allowed, more }) =>
      forEachWithOwnClock(
        [allowed, more],
        Effect.fnUntraced(function*(members) {
          const { ask, publisher } = yield* makeFixture(subject)
          for (let index = 2; index < members; index++) {
            yield* publisher.publishUnusable({ kty: "AKP" }, "other", false)
          }
          yield* publisher.publish("last")
          // A larger set may be truncated or rejected.
          const expected: ReadonlyArray<Outcome> = members > 100
            ? [unknown, { _tag: "KeysUnavailable" }]
            : [key(materialName(1))]
          assertTold(yield* ask(0, "last"), ...expected)
        })
      )
  ),
  requirement(
    {
      id: "KEYS-33",
      title: "MUST stop reading a response after 1 MiB and keep the current set",
      source: "RFC 9110, section 15.5.14; CVE-2026-22036"
    },
    { warm: Schema.Boolean },
    ({ warm }) =>
      withOwnClock(Effect.gen(function*() {
        const { ask, history, provider, wait } = yield* makeFixture(subject)
        if (warm) yield* ask(0, keyId(0))
        provider.setHealth({ _tag: "Oversized" })
        yield* wait(300)
        assertTold(yield* ask(0, keyId(0)), warm ? key(materialName(0)) : { _tag: "KeysUnavailable" })
        assert.isAtMost(history().bytesRead, 4 * megabyte)
      }))
  ),
  requirement(
    {
      id: "KEYS-34",
      title: "MUST treat a null member as absent",
      source: "RFC 7517, section 4 (absence); serialisers of many providers",
      runs: 1
    },
    {},
    () =>
      withOwnClock(Effect.gen(function*() {
        const { ask, publisher } = yield* makeFixture(subject)
        const absent = ["d", "p", "q", "oth", "k", "use", "key_ops", "alg", "ext", "x5c", "x5t"]
        for (const [index, name] of [...absent, undefined].entries()) {
          const nulls = Object.fromEntries((name === undefined ? absent : [name]).map((name) => [name, null]))
          yield* publisher.publish(`nulls-${index}`, (jwk) => ({ ...jwk, ...nulls }))
        }
        for (const index of [...absent.keys(), absent.length]) {
          assertTold(yield* ask(0, `nulls-${index}`), key(materialName(index + 1)))
        }
      }))
  ),
  requirement(
    {
      id: "KEYS-35",
      title: "MUST treat one key under two ids as one key",
      source: "RFC 7517, section 4.5",
      runs: 1
    },
    {},
    () =>
      forEachWithOwnClock(
        [true, false],
        Effect.fnUntraced(function*(first) {
          const { ask, publisher } = yield* makeFixture(subject)
          const jwk = publisher.materials[0]?.key.publicJwk
          yield* publisher.publishUnusable({ ...jwk, kid: "again" }, "again", first)
          for (const kid of [undefined, "again", keyId(0)]) assertTold(yield* ask(0, kid), key(materialName(0)))
        })
      )
  ),
  requirement(
    {
      id: "KEYS-36",
      title: "MUST tell keys with the same id apart by type and algorithm",
      source: "RFC 7517, section 4.5",
      runs: 1
    },
    {},
    () =>
      forEachWithOwnClock(
        (["RS256", "ES384", "EdDSA"] as const).flatMap((algorithm) =>
          [true, false].map((first) => ({ algorithm, first }))
        ),
        Effect.fnUntraced(function*({ algorithm, first }) {
          const { ask, publisher } = yield* makeFixture(subject)
          const { publicJwk } = yield* makeSigningKey({ algorithm, kid: keyId(0) })
          yield* publisher.publishUnusable(publicJwk, keyId(0), first)
          assertTold(yield* ask(0, keyId(0)), key(materialName(0)))
          assertTold(yield* ask(0, undefined), key(materialName(0)))
        })
      )
  )
]
