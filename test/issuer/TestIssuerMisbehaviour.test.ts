import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Fiber from "effect/Fiber"
import type * as HttpClient from "effect/http/HttpClient"
import * as HttpClientResponse from "effect/http/HttpClientResponse"
import * as Scope from "effect/Scope"
import * as TestClock from "effect/testing/TestClock"
import { gzipSync } from "node:zlib"
import { Misbehaviour } from "../../src/issuer/Misbehaviour.ts"
import { TestIssuer } from "../../src/issuer/TestIssuer.ts"
import { rawExchange, rawRequest } from "../support/rawHttp.ts"
import { get, onSocket, outcome, transports } from "./issuerTransports.ts"

const path = "/oauth2/jwks"

const bodyOf = Effect.fnUntraced(function*(client: HttpClient.HttpClient, url: string) {
  const { body } = yield* Effect.fromOption(HttpClientResponse.toWeb(yield* get(client, url)))
  return (body ?? new ReadableStream<Uint8Array<ArrayBuffer>>()).getReader()
})

describe.each(transports)("TestIssuer $transport misbehaves on command", ({ open }) => {
  it.effect("for the given number of requests, in order", () =>
    Effect.gen(function*() {
      const { client, issuer: { behave, hits, jwksUri, misbehave } } = yield* open()
      yield* misbehave(path, Misbehaviour.Respond({ status: 503 }), 2)
      yield* misbehave(path, Misbehaviour.Respond({ status: 500, body: "<html>", headers: { a: "b" } }))
      const statuses = yield* Effect.forEach([1, 2, 3, 4], () => Effect.map(get(client, jwksUri), (_) => _.status))
      assert.deepStrictEqual(statuses, [503, 503, 500, 200])
      yield* misbehave(path, Misbehaviour.Respond({ status: 503 }), Infinity)
      assert.strictEqual((yield* get(client, jwksUri)).status, 503)
      yield* behave(path)
      assert.strictEqual((yield* get(client, jwksUri)).status, 200)
      assert.strictEqual(yield* hits(path), 6)
    }))

  it.effect("with other headers and the ordinary body, with no body, with a redirect", () =>
    Effect.gen(function*() {
      const { client, issuer: { jwks, jwksUri, misbehave } } = yield* open()
      yield* misbehave(path, Misbehaviour.Respond({ headers: { "cache-control": "max-age=60" } }))
      const cached = yield* get(client, jwksUri)
      assert.strictEqual(cached.headers["cache-control"], "max-age=60")
      assert.deepStrictEqual<unknown>(yield* cached.json, yield* jwks)
      yield* misbehave(path, Misbehaviour.Respond({ status: 204 }))
      assert.deepStrictEqual(yield* outcome(client, jwksUri), { status: 204, body: "" })
      yield* misbehave(path, Misbehaviour.Redirect({ location: "/jwks" }))
      assert.strictEqual((yield* get(client, jwksUri)).headers["location"], "/jwks")
    }))

  it.effect("with a compressed body, and with one that only says so", () =>
    Effect.gen(function*() {
      const { client, issuer: { jwksUri, misbehave } } = yield* open()
      const headers = { "content-encoding": "gzip" }
      yield* misbehave(path, Misbehaviour.Respond({ headers, body: gzipSync("squeezed") }))
      assert.deepStrictEqual(yield* outcome(client, jwksUri), { status: 200, body: "squeezed" })
      yield* misbehave(path, Misbehaviour.Respond({ headers, body: "not squeezed" }))
      assert.strictEqual(yield* outcome(client, jwksUri), "broken")
    }))

  it.effect("with a Content-Length that is too small or too large", () =>
    Effect.gen(function*() {
      const { client, issuer: { jwksUri, misbehave } } = yield* open()
      const other = yield* onSocket()
      yield* misbehave(path, Misbehaviour.Respond({ headers: { "content-length": "3" }, body: "abcdef" }))
      assert.deepStrictEqual(yield* outcome(client, jwksUri), { status: 200, body: "abc" })
      yield* misbehave(path, Misbehaviour.Respond({ headers: { "content-length": "7" }, body: "abcdef" }))
      // An exchange on a socket takes longer than anything in memory; the body that lacks a byte takes for ever.
      const first = yield* Effect.raceFirst(
        outcome(client, jwksUri),
        Effect.as(outcome(other.client, other.issuer.jwksUri), "the other")
      )
      assert.strictEqual(first, "the other")
    }))

  it.effect("with a delay by the TestClock", () =>
    Effect.gen(function*() {
      const { client, issuer: { awaitHits, jwksUri, misbehave } } = yield* open()
      yield* misbehave(path, Misbehaviour.Respond({ delay: "10 seconds", body: "late" }))
      const late = yield* Effect.forkChild(outcome(client, jwksUri))
      yield* awaitHits(path, 1)
      yield* TestClock.adjust("10 seconds")
      assert.deepStrictEqual(yield* Fiber.join(late), { status: 200, body: "late" })
    }))

  it.effect("with a slow body by the TestClock", () =>
    Effect.gen(function*() {
      const { client, issuer: { jwks, jwksUri, misbehave } } = yield* open()
      const body = JSON.stringify(yield* jwks)
      yield* misbehave(path, Misbehaviour.Drip({ interval: "1 second" }))
      const reader = yield* bodyOf(client, jwksUri)
      let text = ""
      for (let index = 0; index < body.length; index++) {
        yield* TestClock.adjust("1 second")
        const chunk = yield* Effect.promise(async () => (await reader.read()).value ?? new Uint8Array())
        assert.lengthOf(chunk, 1)
        text += new TextDecoder().decode(chunk)
      }
      assert.strictEqual(text, body)
    }))

  it.effect("by hanging until the client leaves or the issuer stops", () =>
    Effect.gen(function*() {
      const scope = yield* Scope.make()
      const { client, issuer: { awaitHits, jwksUri, misbehave } } = yield* Scope.provide(open(), scope)
      yield* misbehave(path, Misbehaviour.Hang(), 2)
      const left = yield* Effect.forkChild(outcome(client, jwksUri))
      yield* awaitHits(path, 1)
      yield* Fiber.interrupt(left)
      const hanging = yield* Effect.forkChild(outcome(client, jwksUri))
      yield* awaitHits(path, 2)
      assert.isUndefined(hanging.pollUnsafe())
      yield* Scope.close(scope, Exit.void)
      assert.strictEqual(yield* Fiber.join(hanging), "broken")
      assert.strictEqual(yield* outcome(client, jwksUri), "broken")
    }))

  it.effect("with an endless body, and by closing the connection", () =>
    Effect.gen(function*() {
      const { client, issuer: { jwksUri, misbehave } } = yield* open()
      yield* misbehave(path, Misbehaviour.Flood({ bytes: 200_000 }))
      const flood = yield* outcome(client, jwksUri)
      assert.strictEqual(flood === "broken" ? 0 : flood.body.length, 200_000)
      for (const after of ["Request", "Head", "HalfBody"] as const) {
        yield* misbehave(path, Misbehaviour.Disconnect({ after }))
        assert.strictEqual(yield* outcome(client, jwksUri), "broken", after)
      }
      yield* misbehave(path, Misbehaviour.Disconnect({ after: "Request" }))
      const error = yield* Effect.flip(get(client, jwksUri))
      assert.strictEqual(error.reason._tag, "TransportError")
      yield* misbehave(path, Misbehaviour.Disconnect({ after: "Head" }))
      assert.strictEqual((yield* get(client, jwksUri)).status, 200)
      assert.notStrictEqual(yield* outcome(client, jwksUri), "broken")
    }))
})

describe("TestIssuer on a socket", () => {
  it.effect("closes it before the response, after its head, or after half of its body", () =>
    Effect.gen(function*() {
      const { issuer, jwks, misbehave } = yield* TestIssuer.make()
      const body = JSON.stringify(yield* jwks)
      const request = rawRequest([`GET ${path} HTTP/1.1`, "Host: h"])
      const seen = { Request: "", Head: "\r\n\r\n", HalfBody: `\r\n\r\n${body.slice(0, body.length >> 1)}` }
      for (const after of ["Request", "Head", "HalfBody"] as const) {
        yield* misbehave(path, Misbehaviour.Disconnect({ after }))
        const { outcome: end, received } = yield* rawExchange(issuer, request)
        const text = Buffer.from(received).toString()
        assert.strictEqual(end, "Closed")
        assert.strictEqual(text.slice(Math.max(0, text.indexOf("\r\n\r\n"))), seen[after])
      }
    }))
})
