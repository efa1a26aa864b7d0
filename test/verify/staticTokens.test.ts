import { assert, layer } from "@effect/vitest"
import * as Digest from "effect/crypto/Digest"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as TestClock from "effect/testing/TestClock"
import { TestIssuer } from "../../src/issuer/TestIssuer.ts"
import { jwtProvider, staticProvider, staticToken, userinfoProvider } from "../fixtures/providers.ts"
import { assertAccepted, assertRejected, ProviderLayer, start, verifierOf } from "./support.ts"

const good = "dev-token-0123456789"

layer(Layer.mergeAll(ProviderLayer, TestIssuer.layer()))("static tokens", (it) => {
  it.effect("builds the identity from the configuration", () =>
    Effect.gen(function*() {
      const verify = yield* verifierOf(staticProvider([
        staticToken("another-token"),
        staticToken(good, { subject: "ada", clientId: "cli", scopes: ["mcp:read", "x"], email: "a@b.example" })
      ]))
      assert.deepStrictEqual(yield* verify(good), {
        subject: "ada",
        clientId: "cli",
        principal: "user",
        issuer: "static",
        scopes: ["mcp:read", "x"],
        email: "a@b.example",
        name: undefined,
        provider: "static",
        expiresAt: undefined,
        claims: { sub: "ada", client_id: "cli", scope: "mcp:read x" }
      })
    }))

  it.effect("STK-01 rejects everything but the exact token", () =>
    Effect.gen(function*() {
      const verify = yield* verifierOf(staticProvider([staticToken(good), staticToken("caf\u00e9-token")]))
      yield* assertAccepted(verify, good)
      const wrong = [
        "",
        "undefined",
        "null",
        good.slice(0, -1),
        good.slice(1),
        `${good}x`,
        `x${good}`,
        `${good}${good}`,
        good.toUpperCase(),
        ` ${good}`,
        `${good} `,
        `${good}\n`,
        `${good}\u0000`,
        "cafe\u0301-token"
      ]
      for (const token of wrong) yield* assertRejected(verify, token, "UnknownToken")
    }))

  it.effect("ends a token on the second, without tolerance", () =>
    Effect.gen(function*() {
      const verify = yield* verifierOf(staticProvider([staticToken(good, { expiresAt: start })]))
      yield* TestClock.setTime(start * 1000 - 1)
      yield* assertAccepted(verify, good)
      yield* TestClock.setTime(start * 1000)
      yield* assertRejected(verify, good, "Expired")
    }))

  it.effect("STK-03 STK-04 compares only digests, and as many for each request, wherever the token is in the list", () =>
    Effect.gen(function*() {
      const real = yield* Digest.Digest
      let digests = 0
      const counting = Digest.Digest.of({
        ...real,
        digestHex: (algorithm, data) => {
          digests++
          return real.digestHex(algorithm, data)
        }
      })
      const tokens = Array.from({ length: 10 }, (_, index) => staticToken(`token-${index}`))
      const verify = yield* verifierOf(staticProvider(tokens)).pipe(Effect.provideService(Digest.Digest, counting))
      assert.strictEqual(digests, 10)
      for (const token of ["token-0", "token-9", "token-x"]) {
        digests = 0
        yield* token === "token-x" ? assertRejected(verify, token, "UnknownToken") : assertAccepted(verify, token)
        // One to look it up in the memory, one to compare it.
        assert.strictEqual(digests, 2)
        digests = 0
        if (token !== "token-x") yield* assertAccepted(verify, token)
        assert.isAtMost(digests, 1)
      }
    }))

  it.effect("STK-05 OPQ-03 is never tried by another verifier, nor a JWT by this one", () =>
    Effect.gen(function*() {
      yield* TestClock.setTime(start * 1000)
      const issuer = yield* TestIssuer
      const jwt = yield* issuer.sign({ expiresIn: "-5 minutes" })
      const opaque = yield* issuer.issueOpaque()
      const others = [jwtProvider(issuer), userinfoProvider(issuer)]
      const shaped = staticProvider([staticToken(jwt, { subject: "shaped" }), staticToken(opaque.slice(0, 20))])
      const verify = yield* verifierOf(shaped, ...others)
      assert.strictEqual((yield* verify(jwt)).subject, "shaped")
      assert.strictEqual((yield* verify(opaque)).provider, "people")
      yield* assertRejected(yield* verifierOf(...others), jwt, "Expired")
      const changed = jwt.slice(0, -1) + (jwt.endsWith("A") ? "Q" : "A")
      yield* assertRejected(verify, changed, "InvalidSignature")
    }))
})
