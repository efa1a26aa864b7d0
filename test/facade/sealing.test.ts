import { assert, describe, it } from "@effect/vitest"
import * as Aead from "effect/crypto/Aead"
import * as Digest from "effect/crypto/Digest"
import * as Mac from "effect/crypto/Mac"
import * as SecureRandom from "effect/crypto/SecureRandom"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Redacted from "effect/Redacted"
import * as TestClock from "effect/testing/TestClock"
import { isAllowedRedirect } from "../../src/config/kinds/redirectUris.ts"
import { makeFacade } from "../../src/facade/Facade.ts"
import type { FacadeRequest } from "../../src/facade/FacadeRequest.ts"
import { makeSealer, type SealPurpose } from "../../src/facade/Sealer.ts"
import { ProviderHttp } from "../../src/remote/ProviderHttp.ts"
import { ProviderMetadata } from "../../src/remote/ProviderMetadata.ts"
import { settingsOf } from "../config/resolving.ts"

const crypto = Layer.provideMerge(
  Layer.mergeAll(Aead.layerWebCrypto, Mac.layerWebCrypto, Digest.layerWebCrypto),
  SecureRandom.layerWebCrypto
)

const keyOf = (letter: string) => Redacted.make(letter.repeat(32))

const provider = "https://issuer.example"

const sealerOf = (letters: string, parties: readonly [string, string] = ["https://gateway.example", provider]) =>
  makeSealer({ sessionKeys: Array.from(letters, keyOf) }, parties)

const purposes: ReadonlyArray<SealPurpose> = ["consent", "state", "code", "refresh"]

/** Numbers from 0 to 1, the same in each run. */
const seeded = (seed: number) => () => {
  seed = (seed + 0x6d2b79f5) | 0
  let t = Math.imul(seed ^ (seed >>> 15), 1 | seed)
  t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t
  return ((t ^ (t >>> 14)) >>> 0) / 2 ** 32
}

const alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"

/** Texts that a genuine one could be mistaken for: changed in a few places, cut, spliced with another, or made up. */
const forgeries = function*(count: number, seed: number, genuine: ReadonlyArray<string>, letters = alphabet) {
  const random = seeded(seed)
  const below = (limit: number) => Math.floor(random() * limit)
  const letter = () => letters[below(letters.length)] ?? ""
  const known = new Set(genuine)
  for (let made = 0; made < count;) {
    const [one = "", other = ""] = [genuine[below(genuine.length)], genuine[below(genuine.length)]]
    const at = below(one.length)
    const forged = [
      () => one.slice(0, at) + letter() + one.slice(at + 1),
      () => one.slice(0, at) + letter() + one.slice(at),
      () => one.slice(0, at),
      () => one.slice(at),
      () => one.slice(0, at) + other.slice(at),
      () => one + letter(),
      () => Array.from({ length: 1 + below(300) }, letter).join("")
    ][below(7)]?.() ?? ""
    if (known.has(forged)) continue
    made++
    yield forged
  }
}

describe("sealed values", () => {
  it.effect("open where purpose, context, issuer, provider and key are the same, and nowhere else", () =>
    Effect.gen(function*() {
      const sealer = yield* sealerOf("a")
      for (const purpose of purposes) {
        const sealed = yield* sealer.seal(purpose, ["context"], ["value", ["x"]])
        assert.deepStrictEqual(yield* sealer.open(purpose, ["context"], sealed), ["value", ["x"]])
        for (const other of purposes.filter((other) => other !== purpose)) {
          assert.isUndefined(yield* sealer.open(other, ["context"], sealed))
        }
        assert.isUndefined(yield* sealer.open(purpose, ["other"], sealed))
        assert.isUndefined(yield* sealer.open(purpose, ["context", ""], sealed))
        for (
          const parties of [
            ["https://other.example", provider],
            ["https://gateway.example", "https://other.example"],
            [provider, "https://gateway.example"]
          ] as const
        ) {
          assert.isUndefined(yield* (yield* sealerOf("a", parties)).open(purpose, ["context"], sealed))
        }
        assert.isUndefined(yield* (yield* sealerOf("b")).open(purpose, ["context"], sealed))
        assert.notStrictEqual(yield* sealer.seal(purpose, ["context"], ["value", ["x"]]), sealed)
        assert.notInclude(Buffer.from(sealed, "base64url").toString("latin1"), "value")
      }
    }).pipe(Effect.provide(crypto)))

  it.effect("open with the previous key while the keys are changed", () =>
    Effect.gen(function*() {
      const [before, during, after] = [yield* sealerOf("a"), yield* sealerOf("ba"), yield* sealerOf("b")]
      const old = yield* before.seal("refresh", [], ["token"])
      assert.deepStrictEqual(yield* during.open("refresh", [], old), ["token"])
      assert.isUndefined(yield* after.open("refresh", [], old))
      const fresh = yield* during.seal("refresh", [], ["token"])
      assert.deepStrictEqual(yield* after.open("refresh", [], fresh), ["token"])
      assert.isUndefined(yield* before.open("refresh", [], fresh))
    }).pipe(Effect.provide(crypto)))

  it.effect("have one spelling: no other last letter, and no padding, stands for the same bytes", () =>
    Effect.gen(function*() {
      const sealer = yield* sealerOf("a")
      // Of three lengths in a row, two leave bits of the last letter unused.
      for (const value of ["x", "xx", "xxx"]) {
        const sealed = yield* sealer.seal("state", [], [value])
        for (const letter of [...alphabet, "=", "", "A="]) {
          const spelled = sealed.slice(0, -1) + letter
          const opened = yield* sealer.open("state", [], spelled)
          assert.deepStrictEqual(opened, spelled === sealed ? [value] : undefined, letter)
        }
        for (const padding of ["=", "==", " ", "\n"]) {
          assert.isUndefined(yield* sealer.open("state", [], sealed + padding))
        }
      }
    }).pipe(Effect.provide(crypto)))

  it.effect("end after ten minutes, except refresh tokens", () =>
    Effect.gen(function*() {
      const sealer = yield* sealerOf("a")
      const sealed = yield* Effect.forEach(purposes, (purpose) => sealer.seal(purpose, [], [purpose]))
      const usable = Effect.map(
        Effect.forEach(purposes, (purpose, index) => sealer.open(purpose, [], sealed[index] ?? "")),
        (values) => values.flatMap((value) => value ?? [])
      )
      yield* TestClock.adjust("10 minutes")
      assert.deepStrictEqual<unknown>(yield* usable, purposes)
      yield* TestClock.adjust("1 second")
      assert.deepStrictEqual(yield* usable, ["refresh"])
    }).pipe(Effect.provide(crypto)))

  it.effect("of a replica whose clock is too far ahead are rejected", () =>
    Effect.gen(function*() {
      const sealer = yield* sealerOf("a")
      yield* TestClock.adjust("2 minutes")
      const sealed = yield* sealer.seal("state", [], ["x"])
      yield* TestClock.setTime(70_000)
      assert.isDefined(yield* sealer.open("state", [], sealed))
      yield* TestClock.setTime(50_000)
      assert.isUndefined(yield* sealer.open("state", [], sealed))
    }).pipe(Effect.provide(crypto)))
})

const settings = settingsOf({}, {
  server_url: "http://127.0.0.1:9/mcp",
  public_url: "https://gateway.example",
  session_key: "a".repeat(32),
  providers: [{
    issuer: "https://issuer.example",
    audience: "notes",
    authorize_endpoint: "https://issuer.example/authorize",
    token_endpoint: "https://issuer.example/token",
    facade: {
      client_id: "c",
      client_secret: "s",
      redirect_uris: ["https://client.example/callback", "http://127.0.0.1/callback", "app:/callback"],
      requests_per_minute: 100_000
    }
  }]
})

const request = (endpoint: FacadeRequest["endpoint"], changes: Partial<FacadeRequest>): FacadeRequest => ({
  endpoint,
  query: "",
  body: new Uint8Array(),
  contentType: "application/x-www-form-urlencoded",
  authorization: undefined,
  cookie: undefined,
  isCrossSite: false,
  language: "en",
  peer: "192.0.2.1",
  ...changes
})

/** A facade whose provider counts what reaches it. */
const counting = Effect.gen(function*() {
  let requests = 0
  const respond = yield* makeFacade(settings).pipe(
    Effect.provideService(ProviderHttp, {
      send: () =>
        Effect.sync(() => {
          requests += 1
          return { body: { access_token: "t", token_type: "Bearer" }, cacheControl: undefined }
        })
    }),
    Effect.provideService(ProviderMetadata, { document: () => Effect.never, location: () => Effect.never })
  )
  return {
    respond,
    requests: () => requests,
    sealer: yield* makeSealer(settings, ["https://gateway.example", provider])
  }
})

describe("10,000 forgeries, none of which passes", () => {
  it.effect("states", () =>
    Effect.gen(function*() {
      const { respond, sealer } = yield* counting
      const browser = "b".repeat(43)
      const genuine = yield* Effect.forEach(["x", "y", "z"], (state) =>
        sealer.seal("state", [browser], ["c", "https://client.example/callback", state, "h".repeat(43), ""]))
      const visit = (state: string) =>
        Effect.result(respond(request("callback", {
          cookie: `__Host-mcp-authorizer=${browser}`,
          query: new URLSearchParams({ code: "code", state }).toString()
        })))
      for (const state of genuine) {
        assert.strictEqual((yield* visit(state))._tag, "Success")
      }
      for (const state of forgeries(10_000, 1, genuine)) {
        assert.strictEqual((yield* visit(state))._tag, "Failure", state)
      }
    }).pipe(Effect.provide(crypto)), 120_000)

  it.effect("codes", () =>
    Effect.gen(function*() {
      const { requests, respond, sealer } = yield* counting
      const verifier = "v".repeat(43)
      const digest = yield* Digest.Digest
      const challenge = Buffer.from(
        yield* Effect.orDie(digest.digest(Digest.sha256, new TextEncoder().encode(verifier)))
      ).toString("base64url")
      const genuine = yield* Effect.forEach(["x", "y", "z"], (code) =>
        sealer.seal("code", ["c"], ["https://client.example/callback", challenge, "", code]))
      const exchange = (code: string) =>
        Effect.result(respond(request("token", {
          body: new TextEncoder().encode(
            new URLSearchParams({
              grant_type: "authorization_code",
              client_id: "c",
              redirect_uri: "https://client.example/callback",
              code_verifier: verifier,
              code
            }).toString()
          )
        })))
      for (const code of genuine) {
        assert.strictEqual((yield* exchange(code))._tag, "Success")
      }
      for (const code of forgeries(10_000, 2, genuine)) {
        assert.strictEqual((yield* exchange(code))._tag, "Failure", code)
      }
      assert.strictEqual(requests(), genuine.length)
    }).pipe(Effect.provide(crypto)), 120_000)

  it.effect("redirect URIs, at the rule, at registration and at authorization", () =>
    Effect.gen(function*() {
      const { respond } = yield* counting
      const allowed = settings.providers[0]?.facade?.redirectUris ?? []
      const ports = Array.from({ length: 100 }, (_, index) => `http://127.0.0.1:${index * 600}/callback`)
      const genuine = [...allowed, ...ports]
      const register = (uri: string) =>
        Effect.result(respond(request("register", {
          contentType: "application/json",
          body: new TextEncoder().encode(JSON.stringify({ redirect_uris: [uri] }))
        })))
      const authorize = (redirect_uri: string) =>
        Effect.result(respond(request("authorize", {
          query: new URLSearchParams({
            response_type: "code",
            client_id: "c",
            redirect_uri,
            code_challenge: "h".repeat(43),
            code_challenge_method: "S256"
          }).toString()
        })))
      for (const uri of genuine) {
        assert.isTrue(isAllowedRedirect(allowed, uri), uri)
        assert.strictEqual((yield* register(uri))._tag, "Success", uri)
        assert.strictEqual((yield* authorize(uri))._tag, "Success", uri)
      }
      const letters = `${alphabet}/.:@?#%&=\\*[] \u0000\r\n\u202e\u00e4`
      for (const uri of forgeries(10_000, 3, genuine, letters)) {
        // Another port of this machine is what the entry without a port stands for.
        if (/^http:\/\/127\.0\.0\.1(?::[0-9]{1,5})?\/callback$/.test(uri)) continue
        assert.isFalse(isAllowedRedirect(allowed, uri), uri)
        assert.strictEqual((yield* register(uri))._tag, "Failure", uri)
        assert.strictEqual((yield* authorize(uri))._tag, "Failure", uri)
      }
    }).pipe(Effect.provide(crypto)), 120_000)
})

describe("1,000 forgeries, none of which passes", () => {
  it.effect("refresh tokens", () =>
    Effect.gen(function*() {
      const { requests, respond, sealer } = yield* counting
      const genuine = yield* Effect.forEach(["x", "y", "z"], (token) => sealer.seal("refresh", ["c"], [token]))
      const refresh = (refresh_token: string) =>
        Effect.result(respond(request("token", {
          body: new TextEncoder().encode(
            new URLSearchParams({ grant_type: "refresh_token", client_id: "c", refresh_token }).toString()
          )
        })))
      for (const token of genuine) {
        assert.strictEqual((yield* refresh(token))._tag, "Success")
      }
      for (const token of forgeries(1_000, 4, genuine)) {
        assert.strictEqual((yield* refresh(token))._tag, "Failure", token)
      }
      assert.strictEqual(requests(), genuine.length)
    }).pipe(Effect.provide(crypto)), 120_000)

  it.effect("consent forms", () =>
    Effect.gen(function*() {
      const { respond, sealer } = yield* counting
      const browser = "b".repeat(43)
      const genuine = yield* Effect.forEach(["x", "y", "z"], (state) =>
        sealer.seal("consent", [browser], ["c", "https://client.example/callback", state, "h".repeat(43), []]))
      const send = (form: string) =>
        Effect.result(respond(request("consent", {
          cookie: `__Host-mcp-authorizer=${browser}`,
          body: new TextEncoder().encode(new URLSearchParams({ request: form, decision: "allow" }).toString())
        })))
      for (const form of genuine) {
        assert.strictEqual((yield* send(form))._tag, "Success")
      }
      for (const form of forgeries(1_000, 5, genuine)) {
        assert.strictEqual((yield* send(form))._tag, "Failure", form)
      }
    }).pipe(Effect.provide(crypto)), 120_000)
})
