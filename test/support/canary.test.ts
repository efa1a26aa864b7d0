import { assert, describe, it } from "@effect/vitest"
import * as Cause from "effect/Cause"
import * as Effect from "effect/Effect"
import { leaks, LogCapture } from "./canary.ts"

const secret = "eyJhbGciOiJSUzI1NiJ9.eyJzdWIiOiJjYW5hcnkifQ.c2lnbmF0dXJlLXNpZ25hdHVyZQ"

describe("LogCapture", () => {
  it.effect("sees messages, annotations and causes of every level", () =>
    Effect.gen(function*() {
      const log = yield* LogCapture
      const ways = [
        Effect.logTrace("a", secret),
        Effect.logError({ nested: { token: secret } }),
        Effect.annotateLogs(Effect.log("b"), "token", secret),
        Effect.logWarning("c", Cause.fail(new Error(`bad ${secret}`, { cause: new Error("inner") }))),
        Effect.log("d", new Error("outer", { cause: new Error(secret) })),
        Effect.log("e", new Map([["token", secret]]))
      ]
      for (const way of ways) {
        yield* log.clear
        yield* Effect.log("an innocent line")
        assert.lengthOf(leaks(log.entries(), secret), 0)
        yield* way
        assert.include(log.entries()[0], "an innocent line")
        assert.lengthOf(leaks(log.entries(), secret), 1)
      }
    }).pipe(Effect.provide(LogCapture.layer)))

  it("knows a secret by its parts and encodings", () => {
    const [, payload = ""] = secret.split(".")
    for (const text of [`sub=${payload}`, btoa(secret), encodeURIComponent(`${secret} `), `"${secret}"`]) {
      assert.lengthOf(leaks([text], secret), 1, text)
    }
    assert.lengthOf(leaks(["Bearer <redacted>", secret.slice(0, 10)], secret), 0)
  })
})
