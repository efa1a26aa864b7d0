/** The sources of keys, and their isolation. */
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as Schema from "effect/Schema"
import type { JwksSource } from "../../keys/JwksCache.ts"
import * as assert from "../assert.ts"
import { type Requirement, requirement } from "../Requirement.ts"
import { makeFixture, sources, type Subject } from "./CacheFixture.ts"
import { Late } from "./Command.ts"
import type { Ask } from "./History.ts"
import { jwksUri } from "./KeyProvider.ts"
import { keyId, materialName } from "./publisher.ts"
import { forEachWithOwnClock, withOwnClock } from "./runCommands.ts"

/** Sources from which no key may be fetched: a URL that is not https, contains credentials, or is on another host. */
const forbidden = ([
  ["http://issuer.example/keys"],
  ["file:///etc/keys"],
  ["data:application/json,{\"keys\":[]}"],
  ["https://user:secret@issuer.example/keys"],
  ["https://", "issuer.example"],
  [jwksUri, "other.example"],
  [jwksUri, "*.issuer.example"],
  [jwksUri, "example"],
  [jwksUri, "ssuer.example"]
] as const).flatMap(([uri, ...allowedDomains]) => [true, false].map((warm) => ({ uri, allowedDomains, warm })))

const told = ([ask]: ReadonlyArray<Ask>): string | undefined =>
  ask?.outcome._tag === "Key" ? ask.outcome.name ?? "a foreign key" : ask?.outcome._tag

export const reaching = <E>(subject: Subject<E>): ReadonlyArray<Requirement<never>> => [
  requirement(
    {
      id: "KEYS-40",
      title: "MUST NOT follow a redirect",
      source: "RFC 9110, section 15.4; OpenID Connect Discovery 1.0, section 4.3"
    },
    {
      status: Schema.Literals([301, 302, 303, 307, 308]),
      kid: Schema.Literals([keyId(0), "attacker"]),
      warm: Schema.Boolean
    },
    ({ kid, status, warm }) =>
      withOwnClock(Effect.gen(function*() {
        const { ask, history, provider, wait } = yield* makeFixture(subject)
        if (warm) yield* ask(0, keyId(0))
        provider.setHealth({ _tag: "Redirect", status })
        yield* wait(300)
        const expected = warm && kid === keyId(0) ? materialName(0) : "KeysUnavailable"
        assert.strictEqual(told(yield* ask(0, kid)), expected)
        assert.strictEqual(history().redirected, 0)
      }))
  ),
  requirement(
    {
      id: "KEYS-41",
      title:
        "MUST NOT fetch, nor take from elsewhere, keys of a URL that is not https or of a host that is not allowed",
      source: "OpenID Connect Core 1.0, section 16.17; RFC 8725, section 3.10",
      runs: 1
    },
    {},
    () =>
      forEachWithOwnClock(
        forbidden,
        Effect.fnUntraced(function*({ allowedDomains, uri, warm }) {
          const { ask, history } = yield* makeFixture(subject)
          if (warm) yield* ask(0, keyId(0))
          const asked = yield* ask(0, keyId(0), { source: { _tag: "Jwks", uri, allowedDomains } })
          assert.strictEqual(told(asked), "KeysUnavailable", uri)
          const { fetches, redirected } = history()
          assert.deepStrictEqual([fetches.length, redirected], [warm ? 1 : 0, 0], uri)
        })
      )
  ),
  requirement(
    {
      id: "KEYS-42",
      title: "MUST keep the keys of two sources apart, even if the parts of their names concatenate to the same string",
      source: "RFC 8725, section 3.8; CVE-2025-59936",
      runs: 8
    },
    {
      part: Schema.Literals(["a", "keys", "a:b"]),
      otherFirst: Schema.Boolean,
      source: Schema.Literals(["Jwks", "Discovery"])
    },
    ({ otherFirst, part, source }) =>
      forEachWithOwnClock(
        [":", "|", "/", "-", " ", ""],
        Effect.fnUntraced(function*(separator) {
          const { ask, publisher } = yield* makeFixture(subject, sources[source])
          const kids = ["attacker", `${part}${separator}attacker`]
          yield* Effect.forEach(kids, (kid) => publisher.publish(kid))
          // A provider with its own key under the first of these ids.
          const other: JwksSource = { _tag: "Jwks", uri: `${jwksUri}${separator}${part}`, allowedDomains: [] }
          const askOther = Effect.forEach(kids, (kid) => Effect.map(ask(0, kid, { source: other }), told))
          const theirs = otherFirst ? yield* askOther : []
          const ours = yield* Effect.forEach(kids, (kid) => Effect.map(ask(0, kid), told))
          const theirsLater = yield* askOther
          assert.deepStrictEqual(ours, [materialName(1), materialName(2)], `joined by "${separator}"`)
          for (const names of [theirs, theirsLater].slice(otherFirst ? 0 : 1)) {
            assert.deepStrictEqual(names, ["a foreign key", "UnknownKey"], `joined by "${separator}"`)
          }
        })
      )
  ),
  requirement(
    {
      id: "KEYS-43",
      title: "MUST serve the keys of one source at once while the provider of another does not respond",
      source: "RFC 9110, section 15.6; CWE-400",
      runs: 3
    },
    { health: Late, askers: Schema.Literals([1, 5, 20]) },
    ({ askers, health }) =>
      withOwnClock(Effect.gen(function*() {
        const { ask, provider } = yield* makeFixture(subject)
        provider.setHealth(health)
        const waiting = yield* Effect.forkChild(ask(0, keyId(0), { count: askers }), { startImmediately: true })
        const other: JwksSource = { _tag: "Jwks", uri: `${jwksUri}/other`, allowedDomains: [] }
        const [lookup] = yield* ask(0, "attacker", { source: other })
        assert.strictEqual(lookup?.outcome._tag, "Key")
        assert.isAtMost((lookup?.to ?? 0) - (lookup?.from ?? 0), 2_000)
        yield* Fiber.interrupt(waiting)
      }))
  )
]
