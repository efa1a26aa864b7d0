import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import type { GatewayConfigInput } from "../../../src/config/GatewayConfigInput.ts"
import { Misbehaviour } from "../../../src/issuer/Misbehaviour.ts"
import { TestIssuer } from "../../../src/issuer/TestIssuer.ts"
import { maxEarlier } from "../../../src/node/generations/Generations.ts"
import { eventually } from "../../fixtures/eventually.ts"
import { ping } from "../../fixtures/messages.ts"
import { makeRecordingUpstream } from "../../support/RecordingUpstream.ts"
import { openConnection } from "../support/connection.ts"
import { startInProcess } from "../support/inProcess.ts"

const audience = "https://notes.example.com/mcp"

const statusOf = (origin: string, token: string) =>
  Effect.promise(async () => {
    const response = await fetch(`${origin}/mcp`, {
      method: "POST",
      headers: { authorization: `Bearer ${token}`, "content-type": "application/json" },
      body: ping
    })
    await response.text()
    return response.status
  })

/** Whether a chunked response has its end. */
const ended = (text: string) => text.endsWith("\r\n0\r\n\r\n")

/** A gateway in front of an issuer with keys. */
const start = Effect.fnUntraced(function*(
  change: (config: GatewayConfigInput, number: number) => GatewayConfigInput = (config) => config
) {
  const upstream = yield* makeRecordingUpstream
  const issuer = yield* TestIssuer.make({ audience })
  const base: GatewayConfigInput = {
    server_url: upstream.origin,
    providers: [{ type: "oidc", name: "own", issuer: issuer.issuer, audience }]
  }
  const gateway = yield* startInProcess((number) => change(base, number))
  const fetches = Effect.map(issuer.requests(), (all) => all.length)
  return { upstream, issuer, base, fetches, token: yield* issuer.sign(), ...gateway }
})

describe("a reload", { timeout: 20_000 }, () => {
  it.live("RELOAD-05 fetches nothing again of providers that have not changed, and keeps what is known of their tokens", () =>
    Effect.gen(function*() {
      const { fetches, issuer, origin, reload, token } = yield* start((config, number) => ({
        ...config,
        trace_header: `x-trace-${number}`
      }))
      assert.strictEqual(yield* statusOf(origin, token), 200)
      const before = yield* fetches
      // Without its keys, the provider could not verify a token again.
      yield* issuer.misbehave(new URL(issuer.jwksUri).pathname, Misbehaviour.Respond({ status: 503 }), Infinity)
      for (let count = 0; count < 3; count++) assert.deepStrictEqual(yield* reload(), [])
      assert.strictEqual(yield* statusOf(origin, token), 200)
      assert.strictEqual(yield* statusOf(origin, yield* issuer.sign({ claims: { sub: "another" } })), 200)
      assert.strictEqual(yield* fetches, before)
    }))

  it.live("RELOAD-09 forgets the verdicts of a provider that has changed", () =>
    Effect.gen(function*() {
      const { base, issuer, origin, reload, token } = yield* start()
      assert.strictEqual(yield* statusOf(origin, token), 200)
      const other = (audience: string): GatewayConfigInput => ({
        ...base,
        providers: [{ type: "oidc", name: "own", issuer: issuer.issuer, audience }]
      })
      yield* reload(other("https://other.example.com/mcp"))
      assert.strictEqual(yield* statusOf(origin, token), 401)
      yield* reload(other(audience))
      assert.strictEqual(yield* statusOf(origin, token), 200)
      // Another provider is responsible for it now, although the one that accepted it is still there.
      yield* reload({
        ...base,
        providers: [
          { type: "oidc", name: "own", issuer: issuer.issuer, audience },
          { type: "static", tokens: "the-only-good-token-0123456789abcdef:c:s:read", token_prefix: token.slice(0, 8) }
        ]
      })
      assert.strictEqual(yield* statusOf(origin, token), 401)
      yield* reload(base)
      assert.strictEqual(yield* statusOf(origin, token), 200)
    }))

  it.live("RELOAD-05 waits for the keys of a new provider, and takes over without them if they cannot be fetched, as at start", () =>
    Effect.gen(function*() {
      const { base, origin, reload, token } = yield* start()
      const second = yield* TestIssuer.make({ audience })
      const down = yield* TestIssuer.make({ audience })
      yield* down.misbehave(new URL(down.jwksUri).pathname, Misbehaviour.Respond({ status: 503 }), Infinity)
      const notReady = yield* reload({
        ...base,
        providers: [second, down].map(({ issuer, jwksUri }, index) => ({
          type: "oidc",
          name: index === 0 ? "second" : "down",
          issuer,
          jwks_uri: jwksUri,
          audience
        }))
      })
      assert.deepStrictEqual(notReady, ["down"])
      assert.lengthOf(yield* second.requests(new URL(second.jwksUri).pathname), 1)
      assert.strictEqual(yield* statusOf(origin, yield* second.sign()), 200)
      assert.lengthOf(yield* second.requests(new URL(second.jwksUri).pathname), 1)
      assert.strictEqual(yield* statusOf(origin, token), 401)
      assert.strictEqual(yield* statusOf(origin, yield* down.sign()), 500)
    }))

  it.live("RELOAD-08 repeated 200 times under traffic leaves one configuration, and what that one uses", () =>
    Effect.gen(function*() {
      const { fetches, generations, issuer, origin, reload, token } = yield* start((config, number) => ({
        ...config,
        trace_header: `x-trace-${number}`,
        // A provider, an MCP server and limits that no other configuration has.
        server_url: `${config.server_url}/${number}`,
        max_waiting: 1_000 + number,
        providers: [
          ...config.providers ?? [],
          { type: "static", name: `static-${number}`, tokens: `static-token-0123456789abcdef-${number}:c:s:read` }
        ]
      }))
      assert.strictEqual(yield* statusOf(origin, token), 200)
      const before = yield* fetches
      const shared = generations.shared()
      const over = { isIt: false }
      const traffic = yield* Effect.forkChild(Effect.gen(function*() {
        const seen: Array<number> = []
        while (!over.isIt) seen.push(yield* statusOf(origin, token))
        return seen
      }))
      let most = 0
      for (let count = 0; count < 200; count++) {
        yield* reload()
        most = Math.max(most, generations.all().length)
      }
      over.isIt = true
      const seen = yield* Fiber.join(traffic)
      assert.deepStrictEqual([...new Set(seen)], [200])
      assert.isAbove(seen.length, 10)
      yield* eventually(() => generations.all().length === 1)
      assert.strictEqual(generations.shared(), shared)
      assert.strictEqual(yield* fetches, before)
      // Closing one takes a moment.
      assert.isAtMost(most, 3 * maxEarlier)
      assert.strictEqual((yield* issuer.requests()).length, before)
    }))

  it.live(`RELOAD-08 ends the streams of the oldest configuration when more than ${maxEarlier} earlier ones have some`, () =>
    Effect.gen(function*() {
      const { generations, origin, reload, token, upstream } = yield* start((config, number) => ({
        ...config,
        trace_header: `x-trace-${number}`
      }))
      yield* upstream.respondWith((_request, response) =>
        Effect.andThen(
          Effect.sync(() => {
            response.writeHead(200, { "content-type": "text/event-stream" })
            response.write("data: begun\n\n")
          }),
          Effect.never
        )
      )
      const open = Effect.gen(function*() {
        const connection = yield* Effect.orDie(openConnection(origin))
        yield* connection.write(
          `GET /mcp HTTP/1.1\r\nhost: a\r\naccept: text/event-stream\r\nauthorization: Bearer ${token}\r\n\r\n`
        )
        yield* connection.awaitText("data: begun\n\n")
        return connection
      })
      const oldest = yield* open
      const later = []
      for (let count = 0; count < maxEarlier; count++) {
        yield* reload()
        later.push(yield* open)
      }
      assert.lengthOf(generations.all(), maxEarlier + 1)
      assert.isFalse(ended(oldest.received()))
      yield* reload()
      yield* eventually(() => ended(oldest.received()))
      yield* eventually(() => generations.all().length === maxEarlier + 1)
      for (const one of later) assert.isFalse(ended(one.received()))
      // Its client continues with the current configuration, on the same connection.
      yield* oldest.write(
        `GET /mcp HTTP/1.1\r\nhost: a\r\naccept: text/event-stream\r\nauthorization: Bearer ${token}\r\n\r\n`
      )
      yield* oldest.awaitText("data: begun\n\n", 2)
    }))
})
