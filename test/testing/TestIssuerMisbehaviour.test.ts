import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Fiber from "effect/Fiber"
import * as Scope from "effect/Scope"
import * as TestClock from "effect/testing/TestClock"
import { Misbehaviour } from "../../src/testing/Misbehaviour.ts"
import { TestIssuer } from "../../src/testing/TestIssuer.ts"
import { rawExchange, rawRequest } from "../support/rawHttp.ts"

const get = (url: string) => Effect.promise((signal) => fetch(url, { redirect: "manual", signal }))

/** Reads the answer to its end, or says that it broke. */
const outcome = (url: string) =>
  Effect.promise((signal) =>
    fetch(url, { redirect: "manual", signal })
      .then((response) => response.text().then((body) => ({ status: response.status, body })))
      .catch(() => "broken" as const)
  )

describe("TestIssuer misbehaves on command", () => {
  it.effect("for as many requests as it was told, in order", () =>
    Effect.gen(function*() {
      const { behave, hits, jwksUri, misbehave } = yield* TestIssuer.make()
      yield* misbehave("/oauth2/jwks", Misbehaviour.Respond({ status: 503 }), 2)
      yield* misbehave("/oauth2/jwks", Misbehaviour.Respond({ status: 500, body: "<html>", headers: { a: "b" } }))
      const statuses = yield* Effect.forEach([1, 2, 3, 4], () => Effect.map(get(jwksUri), (_) => _.status))
      assert.deepStrictEqual(statuses, [503, 503, 500, 200])
      yield* misbehave("/oauth2/jwks", Misbehaviour.Respond({ status: 503 }), Infinity)
      assert.strictEqual((yield* get(jwksUri)).status, 503)
      yield* behave("/oauth2/jwks")
      assert.strictEqual((yield* get(jwksUri)).status, 200)
      assert.strictEqual(yield* hits("/oauth2/jwks"), 6)
    }))

  it.effect("with other headers and the ordinary body, with no body, with a redirect", () =>
    Effect.gen(function*() {
      const { jwks, jwksUri, misbehave } = yield* TestIssuer.make()
      yield* misbehave("/oauth2/jwks", Misbehaviour.Respond({ headers: { "cache-control": "max-age=60" } }))
      const cached = yield* get(jwksUri)
      assert.strictEqual(cached.headers.get("cache-control"), "max-age=60")
      assert.deepStrictEqual(yield* Effect.promise(() => cached.json()), yield* jwks)
      yield* misbehave("/oauth2/jwks", Misbehaviour.Respond({ status: 204 }))
      assert.deepStrictEqual(yield* outcome(jwksUri), { status: 204, body: "" })
      yield* misbehave("/oauth2/jwks", Misbehaviour.Redirect({ location: "/jwks" }))
      assert.strictEqual((yield* get(jwksUri)).headers.get("location"), "/jwks")
    }))

  it.effect("with a delay that the TestClock rules", () =>
    Effect.gen(function*() {
      const { awaitHits, jwksUri, misbehave } = yield* TestIssuer.make()
      yield* misbehave("/oauth2/jwks", Misbehaviour.Respond({ delay: "10 seconds", body: "late" }))
      const late = yield* Effect.forkChild(outcome(jwksUri))
      yield* awaitHits("/oauth2/jwks", 1)
      yield* TestClock.adjust("10 seconds")
      assert.deepStrictEqual(yield* Fiber.join(late), { status: 200, body: "late" })
    }))

  it.effect("with a drip that the TestClock rules", () =>
    Effect.gen(function*() {
      const { jwks, jwksUri, misbehave } = yield* TestIssuer.make()
      const body = JSON.stringify(yield* jwks)
      yield* misbehave("/oauth2/jwks", Misbehaviour.Drip({ interval: "1 second" }))
      const reader = (yield* get(jwksUri)).body?.getReader()
      let text = ""
      for (let index = 0; index < body.length; index++) {
        yield* TestClock.adjust("1 second")
        const chunk = yield* Effect.promise(async () => (await reader?.read())?.value ?? new Uint8Array())
        assert.lengthOf(chunk, 1)
        text += new TextDecoder().decode(chunk)
      }
      assert.strictEqual(text, body)
    }))

  it.effect("by hanging until the client leaves or the issuer stops", () =>
    Effect.gen(function*() {
      const scope = yield* Scope.make()
      const { awaitHits, jwksUri, misbehave } = yield* Scope.provide(TestIssuer.make(), scope)
      yield* misbehave("/oauth2/jwks", Misbehaviour.Hang(), 2)
      const left = yield* Effect.forkChild(outcome(jwksUri))
      yield* awaitHits("/oauth2/jwks", 1)
      yield* Fiber.interrupt(left)
      const hanging = yield* Effect.forkChild(outcome(jwksUri))
      yield* awaitHits("/oauth2/jwks", 2)
      assert.isUndefined(hanging.pollUnsafe())
      yield* Scope.close(scope, Exit.void)
      assert.strictEqual(yield* Fiber.join(hanging), "broken")
    }))

  it.effect("with a body without end, and by closing the socket", () =>
    Effect.gen(function*() {
      const { issuer, jwksUri, misbehave } = yield* TestIssuer.make()
      yield* misbehave("/oauth2/jwks", Misbehaviour.Flood({ bytes: 200_000 }))
      const flood = yield* outcome(jwksUri)
      assert.strictEqual(flood === "broken" ? 0 : flood.body.length, 200_000)
      const body = yield* outcome(jwksUri).pipe(Effect.map((whole) => whole === "broken" ? "" : whole.body))
      const request = rawRequest(["GET /oauth2/jwks HTTP/1.1", "Host: h"])
      const seen = { Request: "", Head: "\r\n\r\n", HalfBody: `\r\n\r\n${body.slice(0, body.length >> 1)}` }
      for (const after of ["Request", "Head", "HalfBody"] as const) {
        yield* misbehave("/oauth2/jwks", Misbehaviour.Disconnect({ after }), 2)
        assert.strictEqual(yield* outcome(jwksUri), "broken", after)
        const { outcome: end, received } = yield* rawExchange(issuer, request)
        const text = Buffer.from(received).toString()
        assert.strictEqual(end, "Closed")
        assert.strictEqual(text.slice(Math.max(0, text.indexOf("\r\n\r\n"))), seen[after])
      }
      assert.notStrictEqual(yield* outcome(jwksUri), "broken")
    }))
})
