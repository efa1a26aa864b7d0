/** Cloudflare Workers, where no request may wait for the I/O of another, and none continues without its client. */
import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as HttpRouter from "effect/http/HttpRouter"
import * as HttpServerResponse from "effect/http/HttpServerResponse"
import * as Option from "effect/Option"
import { Misbehaviour, TestIssuer } from "mcp-authorizer/testing"
import { eventually } from "../fixtures/eventually.ts"
import { serveRoutes } from "../support/serve.ts"
import { serveWorker } from "../support/workerd.ts"

const publicUrl = "https://mcp.example"
const keysPath = "/oauth2/jwks"

const message = {
  method: "POST",
  body: JSON.stringify({ jsonrpc: "2.0", id: 1, method: "tools/list" })
}

/** An issuer that takes its time, and a worker that trusts it. */
const setUp = Effect.fnUntraced(function*(example: string) {
  const issuer = yield* TestIssuer.make({ audience: `${publicUrl}/mcp`, keys: "reused" })
  // Making RSA keys takes long: now, not within the first response.
  yield* issuer.key()
  const slow = Misbehaviour.Respond({ delay: "200 millis", headers: { "cache-control": "max-age=60" } })
  yield* issuer.misbehave(keysPath, slow, Infinity)
  const server = yield* serveRoutes(
    HttpRouter.add("POST", "/mcp", Effect.succeed(HttpServerResponse.jsonUnsafe({ jsonrpc: "2.0", id: 1, result: {} })))
  )
  const { origin, pass } = yield* serveWorker(example, {
    GATEWAY_URL: `${server}/mcp`,
    ISSUER: issuer.issuer,
    PUBLIC_URL: publicUrl
  })
  const send = (token: string) =>
    Effect.promise(async (signal) => {
      const headers = {
        authorization: `Bearer ${token}`,
        "content-type": "application/json",
        accept: "application/json, text/event-stream"
      }
      const response = await fetch(`${origin}/mcp`, { ...message, headers, signal })
      await response.arrayBuffer()
      return response.status
    })
  const burst = (tokens: ReadonlyArray<string>) =>
    Effect.forEach(tokens, (token) => send(token), { concurrency: "unbounded" })
  /** Sends a request and leaves soon after, without a response. */
  const leave = (token: string) => Effect.map(Effect.timeoutOption(send(token), "100 millis"), Option.getOrUndefined)
  return { issuer, pass, send, burst, leave }
})

const statuses = (count: number, status: number) => Array.from({ length: count }, () => status)

const people = (count: number) => Array.from({ length: count }, (_, index) => `person-${index}`)

describe("Cloudflare Workers", () => {
  for (const example of ["workersGateway.ts", "workersServer.ts"]) {
    it.live(`EMBED-22 MUST serve simultaneous requests at the beginning and after the keys have expired (${example})`, () =>
      Effect.gen(function*() {
        const { burst, issuer, leave, pass, send } = yield* setUp(example)
        const sign = (subject: string) => issuer.sign({ claims: { sub: subject } })
        const tokens = yield* Effect.forEach(people(20), sign)
        assert.deepStrictEqual(yield* burst(tokens), statuses(20, 200))
        assert.isBelow(yield* issuer.hits(keysPath), 20)
        const hits = issuer.hits(keysPath)
        // One token, by many.
        const one = yield* sign("one")
        assert.deepStrictEqual(yield* burst(statuses(20, 0).map(() => one)), statuses(20, 200))

        // A request comes shortly before the keys end, others afterwards: the keys are fetched behind its response.
        yield* pass(53)
        const beforeRenewal = yield* hits
        assert.strictEqual(yield* send(one), 200)
        yield* eventually(Effect.map(hits, (now) => now > beforeRenewal))
        // As long as the issuer takes its time.
        yield* Effect.sleep("400 millis")
        const renewed = yield* hits
        yield* pass(9)
        assert.deepStrictEqual(yield* burst(tokens), statuses(20, 200))
        assert.strictEqual(yield* hits, renewed)
        yield* pass(61)
        const before = yield* hits
        assert.deepStrictEqual(yield* burst(tokens), statuses(20, 200))
        assert.isAbove(yield* hits, before)

        // A new key is found, and a withdrawn one is not trusted for longer than its set.
        const old = yield* issuer.key()
        yield* issuer.rotate()
        yield* pass(31)
        assert.deepStrictEqual(yield* burst(yield* Effect.forEach(people(5), sign)), statuses(5, 200))
        yield* issuer.removeKey(old.kid)
        yield* pass(61)
        assert.deepStrictEqual(yield* burst([one, yield* sign("another")]), [401, 200])

        // The client leaves that fetches the keys.
        yield* pass(61)
        const fresh = yield* Effect.forEach(people(6), sign)
        const [, outcomes] = yield* Effect.all([leave(yield* sign("leaving")), burst(fresh)], { concurrency: 2 })
        assert.deepStrictEqual(outcomes, statuses(6, 200))
        yield* pass(61)
        assert.isUndefined(yield* leave(yield* sign("leaving")))
        assert.deepStrictEqual(yield* burst(fresh), statuses(6, 200))
        assert.strictEqual(yield* send("no-token"), 401)
      }))
  }
})
