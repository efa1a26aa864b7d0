import { assert, layer } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as FetchHttpClient from "effect/http/FetchHttpClient"
import * as Layer from "effect/Layer"
import * as Redacted from "effect/Redacted"
import * as TestClock from "effect/testing/TestClock"
import * as Tracer from "effect/Tracer"
import { gzipSync } from "node:zlib"
import { listen } from "../../src/issuer/LoopbackServer.ts"
import { Misbehaviour } from "../../src/issuer/Misbehaviour.ts"
import { TestIssuer } from "../../src/issuer/TestIssuer.ts"
import { ProviderHttp, type ProviderRequest } from "../../src/remote/ProviderHttp.ts"
import { eventually } from "../fixtures/eventually.ts"

const Subject = Layer.mergeAll(
  ProviderHttp.layer.pipe(Layer.provide(FetchHttpClient.layer)),
  TestIssuer.layer()
)

const mebibyte = 1_048_576

/** A JSON object of so many bytes. */
const object = (bytes: number): string => `{"a":"${"x".repeat(bytes - 8)}"}`

const send = (url: string, request: Partial<ProviderRequest> = {}) =>
  Effect.flatMap(ProviderHttp, (http) => http.send({ url, allowedDomains: [], ...request }))

layer(Subject)("ProviderHttp", (it) => {
  /** The result of a request with one misbehaving response, as one line for the log. */
  const spoiled = Effect.fnUntraced(function*(behaviour: Misbehaviour) {
    const issuer = yield* TestIssuer
    yield* issuer.misbehave("/jwks", behaviour)
    return yield* Effect.match(send(`${issuer.issuer}/jwks`), {
      onFailure: ({ kind, status }) => status === undefined ? kind : `${kind} ${status}`,
      onSuccess: ({ body }) => JSON.stringify(body)
    })
  })

  it.effect("returns the object and Cache-Control of a response", () =>
    Effect.gen(function*() {
      const body = "\ufeff{\"a\":1}"
      const issuer = yield* TestIssuer
      const headers = { "cache-control": "max-age=60", "date": "Thu, 01 Jan 1970 00:00:00 GMT" }
      yield* issuer.misbehave("/jwks", Misbehaviour.Respond({ body, headers }))
      const { headers: fields, ...response } = yield* send(`${issuer.issuer}/jwks`)
      assert.deepStrictEqual(response, { body: { a: 1 }, cacheControl: "max-age=60", clockDifference: 0 })
      assert.strictEqual(fields?.["cache-control"], "max-age=60")
    }))

  it.effect("returns how far the provider's clock is ahead, also of a response from a cache", () =>
    Effect.gen(function*() {
      const issuer = yield* TestIssuer
      const differenceBy = Effect.fnUntraced(function*(headers: Record<string, string>) {
        yield* issuer.misbehave("/jwks", Misbehaviour.Respond({ headers }))
        return (yield* send(`${issuer.issuer}/jwks`)).clockDifference
      })
      yield* TestClock.setTime(3_600_000)
      assert.strictEqual(yield* differenceBy({ date: "Thu, 01 Jan 1970 01:10:00 GMT" }), 600)
      assert.strictEqual(yield* differenceBy({ date: "Thu, 01 Jan 1970 00:50:00 GMT" }), -600)
      assert.strictEqual(yield* differenceBy({ date: "Thu, 01 Jan 1970 00:50:00 GMT", age: "590" }), -10)
      assert.strictEqual(yield* differenceBy({ date: "yesterday" }), undefined)
    }))

  it.effect("JWKS-19 JWKS-20 accepts only a JSON object with status 200", () =>
    Effect.gen(function*() {
      const responses: ReadonlyArray<readonly [status: number, body: string | Uint8Array, outcome: string]> = [
        [200, "{}", "{}"],
        [200, "<html>log in</html>", "NotJson"],
        [200, "", "NotJson"],
        [200, "[]", "NotAnObject"],
        [200, "{\"a\":1,\"a\":2}", "DuplicateMember"],
        [200, Uint8Array.of(0x7b, 0xff, 0x7d), "NotUtf8"],
        [201, "{}", "Status 201"],
        [204, "", "Status 204"],
        [206, "{}", "Status 206"],
        [304, "", "Redirect 304"],
        [401, "{}", "Status 401"],
        [404, "{}", "Status 404"],
        [500, "{}", "Status 500"],
        [503, "{}", "Status 503"]
      ]
      for (const [status, body, outcome] of responses) {
        assert.strictEqual(yield* spoiled(Misbehaviour.Respond({ status, body })), outcome)
      }
      const html = { "content-type": "text/html" }
      assert.strictEqual(yield* spoiled(Misbehaviour.Respond({ body: "{\"a\":1}", headers: html })), "{\"a\":1}")
    }))

  it.effect("JWKS-17 does not follow redirects", () =>
    Effect.gen(function*() {
      const issuer = yield* TestIssuer
      const target = yield* TestIssuer.make()
      for (const status of [301, 302, 303, 307, 308]) {
        const redirect = Misbehaviour.Redirect({ location: `${target.issuer}/jwks`, status })
        assert.strictEqual(yield* spoiled(redirect), `Redirect ${status}`)
      }
      assert.strictEqual(yield* spoiled(Misbehaviour.Redirect({ location: `${issuer.issuer}/jwks` })), "Redirect 302")
      assert.deepStrictEqual(yield* target.requests(), [])
      assert.strictEqual((yield* send(`${target.issuer}/jwks`)).cacheControl, undefined)
    }))

  it.effect("JWKS-07 stops reading after 1 MiB", () =>
    Effect.gen(function*() {
      assert.strictEqual(yield* spoiled(Misbehaviour.Respond({ body: object(mebibyte) })), object(mebibyte))
      assert.strictEqual(yield* spoiled(Misbehaviour.Respond({ body: object(mebibyte + 1) })), "TooLarge")
      assert.strictEqual(yield* spoiled(Misbehaviour.Flood({ bytes: Infinity })), "TooLarge")
    }))

  it.effect("JWKS-07 counts bytes after decompression", () =>
    Effect.gen(function*() {
      const headers = { "content-encoding": "gzip" }
      const small = gzipSync("{\"a\":1}")
      assert.strictEqual(yield* spoiled(Misbehaviour.Respond({ headers, body: small })), "{\"a\":1}")
      const bomb = gzipSync(Buffer.alloc(100 * mebibyte, 0x20))
      assert.isBelow(bomb.length, mebibyte)
      assert.strictEqual(yield* spoiled(Misbehaviour.Respond({ headers, body: bomb })), "TooLarge")
    }))

  it.effect("JWKS-06 gives up after 5 seconds, whether the head or the body is late", () =>
    Effect.gen(function*() {
      const issuer = yield* TestIssuer
      // Made now, so that the issuer responds without a pause and its delays begin before the clock moves.
      yield* issuer.key()
      const late = [
        Misbehaviour.Hang(),
        Misbehaviour.Drip({ interval: "1 second" }),
        Misbehaviour.Respond({ delay: "5 seconds" })
      ]
      for (const behaviour of late) {
        const before = yield* issuer.hits("/jwks")
        const fiber = yield* Effect.forkChild(spoiled(behaviour))
        yield* eventually(Effect.map(issuer.hits("/jwks"), (hits) => hits > before))
        for (let second = 0; second < 5; second++) yield* TestClock.adjust("1 second")
        assert.strictEqual(yield* Fiber.join(fiber), "Timeout")
      }
      const before = yield* issuer.hits("/jwks")
      const fiber = yield* Effect.forkChild(spoiled(Misbehaviour.Respond({ body: "{}", delay: "4 seconds" })))
      yield* eventually(Effect.map(issuer.hits("/jwks"), (hits) => hits > before))
      yield* TestClock.adjust("4 seconds")
      assert.strictEqual(yield* Fiber.join(fiber), "{}")
    }))

  it.effect("reports a broken connection", () =>
    Effect.gen(function*() {
      for (const after of ["Request", "Head", "HalfBody"] as const) {
        assert.strictEqual(yield* spoiled(Misbehaviour.Disconnect({ after })), "Unreachable")
      }
      const { kind } = yield* Effect.flip(send("http://127.0.0.1:9/"))
      assert.strictEqual(kind, "Unreachable")
    }))

  it.effect("JWKS-18 DISC-04 sends nothing to a URL that is not allowed", () =>
    Effect.gen(function*() {
      const issuer = yield* TestIssuer
      const before = yield* issuer.hits("/jwks")
      const allowedDomains = ["*.authkit.app"]
      const { detail } = yield* Effect.flip(send(`${issuer.issuer}/jwks`, { allowedDomains }))
      const advice = "add the host to MCP_PROVIDER_HOSTS"
      assert.strictEqual(detail, `${issuer.issuer}/jwks: HostNotAllowed: ${advice}`)
      assert.strictEqual(yield* issuer.hits("/jwks"), before)
      yield* send(`${issuer.issuer}/jwks`, { allowedDomains: ["127.0.0.1"] })
    }))

  it.effect("names the URL, the cause and the fix of a failure, but neither the query nor the response", () =>
    Effect.gen(function*() {
      const issuer = yield* TestIssuer
      const html = { "content-type": "text/html; charset=utf-8" }
      const failures: ReadonlyArray<readonly [Misbehaviour, string]> = [
        [Misbehaviour.Respond({ status: 404, body: "canary" }), "Status 404: not found; check the URL"],
        [Misbehaviour.Respond({ status: 429 }), "Status 429: the provider limits the rate of requests"],
        [Misbehaviour.Respond({ body: " <!DOCTYPE html>canary", headers: html }), "NotJson, HTML: check the URL"],
        [Misbehaviour.Respond({ body: "canary", headers: html }), "NotJson, text/html: check the URL"],
        [Misbehaviour.Respond({ body: "e.y.J", headers: { "content-type": "application/jwt" } }), "application/jwt"],
        [Misbehaviour.Respond({ body: "canary", headers: { "content-type": "canary canary/x" } }), "NotJson: check"],
        [Misbehaviour.Respond({ body: "" }), "NotJson, an empty body"],
        [
          Misbehaviour.Redirect({ location: "https://canary:canary@login.example/a/b?canary#canary" }),
          "Redirect 302, to https://login.example/a/b: redirects are not followed"
        ],
        [Misbehaviour.Redirect({ location: "/elsewhere?canary" }), `to ${issuer.issuer}/elsewhere: redirects`],
        [Misbehaviour.Redirect({ location: "http://[canary" }), "Redirect 302: redirects"],
        [Misbehaviour.Respond({ body: object(mebibyte + 1) }), "TooLarge, more than 1048576 bytes"]
      ]
      for (const [behaviour, told] of failures) {
        yield* issuer.misbehave("/jwks", behaviour)
        const { detail } = yield* Effect.flip(send(`${issuer.issuer}/jwks?canary=canary#canary`))
        assert.include(detail, told)
        assert.isTrue(detail.startsWith(`${issuer.issuer}/jwks: `), detail)
        assert.notInclude(detail, "canary")
      }
      const { origin } = yield* Effect.scoped(listen(() => Effect.void))
      const { detail } = yield* Effect.flip(send(`${origin}/a?canary`))
      assert.strictEqual(detail, `${origin}/a: Unreachable, ECONNREFUSED: nothing listens there`)
      const unknown = yield* Effect.flip(send("https://idp.invalid/a"))
      assert.match(unknown.detail, /^https:\/\/idp\.invalid\/a: Unreachable, (ENOTFOUND|EAI_AGAIN): the host name/)
    }))

  it.effect("OPQ-08 encodes forms, and sends a GET without a form", () =>
    Effect.gen(function*() {
      const issuer = yield* TestIssuer
      const token = "a&token_type_hint=x=%2B+\n\u00e9"
      yield* issuer.misbehave("/form", Misbehaviour.Respond({ status: 200, body: "{}" }))
      yield* send(`${issuer.issuer}/form`, { form: [["token", Redacted.make(token)], ["b", "c d"]] })
      const [request] = yield* issuer.requests("/form")
      assert.strictEqual(request?.method, "POST")
      assert.strictEqual(request?.headers["content-type"], "application/x-www-form-urlencoded")
      const form = new URLSearchParams(request?.body)
      assert.deepStrictEqual([...form], [["token", token], ["b", "c d"]])
      yield* send(`${issuer.issuer}/jwks?a=b`)
      const last = (yield* issuer.requests("/jwks")).at(-1)
      assert.strictEqual(last?.method, "GET")
      assert.strictEqual(last?.query.get("a"), "b")
      assert.strictEqual(last?.headers["accept"], "application/json")
    }))

  it.effect("sends no trace headers", () =>
    Effect.gen(function*() {
      const issuer = yield* TestIssuer
      yield* Effect.withSpan(send(`${issuer.issuer}/jwks`), "caller")
      const headers = (yield* issuer.requests("/jwks")).at(-1)?.headers ?? {}
      assert.isUndefined(headers["traceparent"])
      assert.isUndefined(headers["b3"])
      assert.strictEqual(headers["host"], new URL(issuer.issuer).host)
    }).pipe(Effect.provideService(Tracer.DisablePropagation, false)))

  it.effect("OPQ-15 shows neither credentials nor responses in its failures", () =>
    Effect.gen(function*() {
      const issuer = yield* TestIssuer
      yield* issuer.misbehave("/jwks", Misbehaviour.Respond({ status: 500, body: "canary-response" }))
      const error = yield* Effect.flip(send(`${issuer.issuer}/jwks?canary-query`, {
        authorization: Redacted.make("Bearer canary-token"),
        form: [["secret", Redacted.make("canary-form")]]
      }))
      assert.strictEqual((yield* issuer.requests("/jwks")).at(-1)?.headers["authorization"], "Bearer canary-token")
      assert.notInclude(`${JSON.stringify(error)} ${String(error)} ${error.stack} ${error.detail}`, "canary")
      assert.strictEqual(error.detail, `${issuer.issuer}/jwks: Status 500`)
    }))
})
