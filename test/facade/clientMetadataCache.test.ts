import { assert, describe, it } from "@effect/vitest"
import * as Deferred from "effect/Deferred"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as TestClock from "effect/testing/TestClock"
import { ClientDocumentRejected } from "../../src/facade/ClientMetadata.ts"
import { makeClientMetadata, type RequestDocument } from "../../src/facade/clientMetadataCache.ts"

const urlOf = (name: string | number) => `https://app.example/${name}`

const documentOf = (url: URL) =>
  JSON.stringify({ client_id: url.href, client_name: "App", redirect_uris: ["https://app.example/callback"] })

/** Responds with the document of each URL, and counts. */
const counting = (cacheControl?: string) => {
  const seen: Array<string> = []
  const request: RequestDocument = (url, isPrivateAllowed) =>
    Effect.sync(() => {
      seen.push(`${url.href}${isPrivateAllowed ? " private" : ""}`)
      return { text: documentOf(url), cacheControl }
    })
  return { seen, request }
}

describe("the documents of clients", () => {
  it.effect("are kept as long as they may be, within 1 minute and 24 hours", () =>
    Effect.gen(function*() {
      for (
        const [cacheControl, life] of [
          [undefined, 300_000],
          ["max-age=600", 600_000],
          ["no-store", 60_000],
          ["max-age=99999999", 86_400_000]
        ] as const
      ) {
        const { request, seen } = counting(cacheControl)
        const { fetch } = yield* makeClientMetadata(request)
        yield* fetch(urlOf("a"), [])
        yield* TestClock.adjust(life - 1)
        yield* fetch(urlOf("a"), [])
        assert.strictEqual(seen.length, 1, cacheControl)
        yield* TestClock.adjust(1)
        yield* fetch(urlOf("a"), [])
        assert.strictEqual(seen.length, 2, cacheControl)
      }
    }))

  it.effect("are fetched once for all who wait, also if the first of them leaves", () =>
    Effect.gen(function*() {
      const gate = yield* Deferred.make<void>()
      let requests = 0
      const { fetch } = yield* makeClientMetadata((url) =>
        Effect.suspend(() => {
          requests += 1
          return Effect.as(Deferred.await(gate), { text: documentOf(url), cacheControl: undefined })
        })
      )
      const first = yield* Effect.forkChild(fetch(urlOf("a"), []), { startImmediately: true })
      const others = yield* Effect.forkChild(
        Effect.all(Array.from({ length: 20 }, () => fetch(urlOf("a"), [])), { concurrency: "unbounded" }),
        { startImmediately: true }
      )
      yield* Fiber.interrupt(first)
      yield* Deferred.succeed(gate, undefined)
      assert.strictEqual((yield* Fiber.join(others)).length, 20)
      assert.strictEqual(requests, 1)
    }))

  it.effect("are not kept if they cannot be used", () =>
    Effect.gen(function*() {
      let text = "{}"
      const { fetch } = yield* makeClientMetadata((url) =>
        Effect.sync(() => ({ text: text === "" ? documentOf(url) : text, cacheControl: "max-age=3600" }))
      )
      assert.match((yield* Effect.flip(fetch(urlOf("a"), []))).detail, /client_id/)
      text = ""
      assert.deepInclude(yield* fetch(urlOf("a"), []), { clientName: "App" })
    }))

  it.effect("that fail are requested again", () =>
    Effect.gen(function*() {
      let requests = 0
      const { fetch } = yield* makeClientMetadata(() =>
        Effect.suspend(() => {
          requests += 1
          return Effect.fail(new ClientDocumentRejected({ detail: "down", isUnavailable: true }))
        })
      )
      yield* Effect.flip(fetch(urlOf("a"), []))
      assert.isTrue((yield* Effect.flip(fetch(urlOf("a"), []))).isUnavailable)
      assert.strictEqual(requests, 2)
    }))

  it.effect("are fetched 64 at a time at most; more are unavailable for now", () =>
    Effect.gen(function*() {
      const gate = yield* Deferred.make<void>()
      const { fetch } = yield* makeClientMetadata((url) =>
        Effect.as(Deferred.await(gate), { text: documentOf(url), cacheControl: undefined })
      )
      const waiting = yield* Effect.forkChild(
        Effect.all(Array.from({ length: 64 }, (_, index) => fetch(urlOf(index), [])), { concurrency: "unbounded" }),
        { startImmediately: true }
      )
      assert.isTrue((yield* Effect.flip(fetch(urlOf("one more"), []))).isUnavailable)
      yield* Deferred.succeed(gate, undefined)
      yield* Fiber.join(waiting)
      assert.deepInclude(yield* fetch(urlOf("one-more"), []), { clientName: "App" })
    }))

  it.effect("are fetched for every peer, however many another one waits for", () =>
    Effect.gen(function*() {
      const gate = yield* Deferred.make<void>()
      const { fetch } = yield* makeClientMetadata((url) =>
        Effect.as(Deferred.await(gate), { text: documentOf(url), cacheControl: undefined })
      )
      const flood = yield* Effect.forkChild(
        Effect.forEach(
          Array.from({ length: 200 }, (_, index) => urlOf(`flood-${index}`)),
          (url) => Effect.result(fetch(url, [], "192.0.2.1")),
          { concurrency: "unbounded" }
        ),
        { startImmediately: true }
      )
      const good = yield* Effect.forkChild(fetch(urlOf("good"), [], "192.0.2.2"), { startImmediately: true })
      yield* Deferred.succeed(gate, undefined)
      assert.deepInclude(yield* Fiber.join(good), { clientName: "App" })
      const results = yield* Fiber.join(flood)
      assert.strictEqual(results.filter(({ _tag }) => _tag === "Success").length, 32)
      // What it held is free again.
      assert.deepInclude(yield* fetch(urlOf("later"), [], "192.0.2.1"), { clientName: "App" })
    }))

  it.effect("are kept 256 at most", () =>
    Effect.gen(function*() {
      const { request, seen } = counting()
      const { fetch } = yield* makeClientMetadata(request)
      for (let index = 0; index < 1_000; index += 1) yield* fetch(urlOf(index), [])
      yield* fetch(urlOf(999), [])
      assert.strictEqual(seen.length, 1_000)
      yield* fetch(urlOf(0), [])
      assert.strictEqual(seen.length, 1_001)
    }))

  it.effect("of a host that may be private are not given to a server that does not allow it", () =>
    Effect.gen(function*() {
      const { request, seen } = counting()
      const { fetch } = yield* makeClientMetadata(request)
      yield* fetch(urlOf("a"), ["app.example"])
      yield* fetch(urlOf("a"), ["example", "other.example"])
      assert.deepStrictEqual(seen, [`${urlOf("a")} private`, urlOf("a")])
    }))
})
