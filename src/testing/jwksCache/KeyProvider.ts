/** A provider in memory, whose behaviour is configured, and which records its requests. */
import * as Clock from "effect/Clock"
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as FetchHttpClient from "effect/http/FetchHttpClient"
import * as HttpClient from "effect/http/HttpClient"
import * as HttpClientError from "effect/http/HttpClientError"
import * as HttpClientResponse from "effect/http/HttpClientResponse"
import { type Health, isHealthy, type Lifetime } from "./Command.ts"
import { contract } from "./contract.ts"
import type { Fetch, Since } from "./History.ts"
import { respondIn } from "./keySetResponse.ts"
import { makeMaterial } from "./material.ts"
import type { Publisher } from "./publisher.ts"

export const issuer = "https://issuer.example"
export const jwksUri = `${issuer}/keys`

const metadataUri = `${issuer}/.well-known/openid-configuration`

/** The target of redirects: keys of an attacker. */
const elsewhere = "https://attacker.example/keys"

type Mutable<A> = { -readonly [K in keyof A]: A[K] }

/** Returns the `Cache-Control` field for a lifetime, and how long the set may then be used. */
export const freshness = (lifetime: Lifetime): { readonly field: string | undefined; readonly millis: number } => {
  const { defaultFresh, maxFresh, minFresh } = contract
  switch (lifetime._tag) {
    case "MaxAge": {
      const millis = Math.min(Math.max(lifetime.seconds * 1000, minFresh), maxFresh)
      return { field: `public, max-age=${lifetime.seconds}`, millis }
    }
    case "NoStore":
      return { field: "no-store", millis: minFresh }
    case "Unsaid":
      return { field: undefined, millis: defaultFresh }
  }
}

/** Whether `fetch` would follow a redirect of this exchange, which is its default. */
const followsRedirects = (context: Context.Context<never>): boolean =>
  (Context.getOrUndefined(context, FetchHttpClient.RequestInit)?.redirect ?? "follow") === "follow"

export const makeKeyProvider = Effect.fnUntraced(function*(publisher: Publisher) {
  const attacker = yield* makeMaterial("attacker", "attacker")
  const clock = yield* Clock.clockWith(Effect.succeed)
  const now = () => clock.currentTimeMillisUnsafe()
  const fetches: Array<Fetch> = []
  const open = new Set<Fetch>()
  const healths: Array<Since<boolean>> = [{ at: now(), value: true }]
  const seen = { redirected: 0, bytesRead: 0 }
  let health: Health = { _tag: "Prompt" }
  let lifetime: Lifetime = { _tag: "Unsaid" }
  // Requests that get a response, or are dropped, without any time passing.
  let onTheWay = 0

  const respondElsewhere = () => {
    seen.redirected += 1
    return Response.json({ keys: [attacker.key.publicJwk] })
  }

  /** Some turns of the event loop, in which other requests may arrive. */
  const underWay = Effect.acquireUseRelease(
    Effect.sync(() => {
      onTheWay += 1
    }),
    () => Effect.forEach([1, 2, 3], () => Effect.yieldNow, { discard: true }),
    () =>
      Effect.sync(() => {
        onTheWay -= 1
      })
  )

  const exchange = Effect.fnUntraced(function*(instance: number, following: boolean) {
    const { field, millis } = freshness(lifetime)
    const fetch: Mutable<Fetch> = {
      instance,
      from: now(),
      to: undefined,
      good: false,
      others: [...open].filter((other) => other.instance === instance).length,
      set: publisher.sets.at(-1)?.value ?? new Map(),
      freshMillis: millis
    }
    const state = health
    const end = () => {
      open.delete(fetch)
      fetch.to = now()
    }
    const responding = respondIn(state, {
      text: publisher.jwks(),
      headers: { "content-type": "application/json", ...(field !== undefined && { "cache-control": field }) },
      elsewhere,
      onLeave: end,
      onRead: (bytes) => {
        seen.bytesRead += bytes
      }
    })
    fetches.push(fetch)
    open.add(fetch)
    const response = yield* Effect.onInterrupt(Effect.andThen(underWay, responding), () => Effect.sync(end))
    fetch.good = isHealthy(state)
    if (state._tag !== "Dripping") end()
    return state._tag === "Redirect" && following ? respondElsewhere() : response
  })

  return {
    fetches: fetches as ReadonlyArray<Fetch>,
    health: healths as ReadonlyArray<Since<boolean>>,
    seen: seen as Readonly<typeof seen>,
    /** Whether a response is in progress that needs no time to pass. */
    isResponding: () => onTheWay > 0,
    setHealth: (next: Health) => {
      health = next
      healths.push({ at: now(), value: isHealthy(next) })
    },
    setLifetime: (next: Lifetime) => {
      lifetime = next
    },
    /** The client of one instance. It follows redirects as `fetch` does. */
    client: (instance: number) =>
      HttpClient.make((request, url, _, fiber) => {
        const responding = url.href === jwksUri
          ? exchange(instance, followsRedirects(fiber.context))
          : Effect.sync(() =>
            url.href === metadataUri ? Response.json({ issuer, jwks_uri: jwksUri }) : respondElsewhere()
          )
        return Effect.flatMap(responding, (response) =>
          response === undefined
            ? Effect.fail(
              new HttpClientError.HttpClientError({
                reason: new HttpClientError.TransportError({ request, description: "the connection failed" })
              })
            )
            : Effect.succeed(HttpClientResponse.fromWeb(request, response)))
      })
  }
})
