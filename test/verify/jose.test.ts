import { assert, layer } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Base64Url from "effect/encoding/Base64Url"
import * as Layer from "effect/Layer"
import * as TestClock from "effect/testing/TestClock"
import { createHmac } from "node:crypto"
import type { InvalidTokenReason } from "../../src/errors/GatewayError.ts"
import { makeSigningKey, type Signer } from "../../src/issuer/SigningKey.ts"
import { TestIssuer } from "../../src/issuer/TestIssuer.ts"
import { jwtProvider } from "../fixtures/providers.ts"
import { assertAccepted, assertRejected, ProviderLayer, start, verifierOf } from "./support.ts"

type Issuer = TestIssuer["Service"]

const Subject = Layer.mergeAll(TestIssuer.layer({ algorithms: ["RS256", "ES256"] }), ProviderLayer)

const hmac = (bits: 256 | 384 | 512, secret: string | Uint8Array, kid: string | undefined): Signer => ({
  algorithm: `HS${bits}`,
  kid,
  sign: (input) => Effect.sync(() => createHmac(`sha${bits}`, secret).update(input).digest())
})

/** The parts of a token, to be put together differently. */
const parts = (token: string): readonly [string, string, string] => {
  const [header = "", payload = "", signature = ""] = token.split(".")
  return [header, payload, signature]
}

const encode = (value: unknown): string => Base64Url.encode(JSON.stringify(value))

interface Case {
  readonly name: string
  readonly hostile: (issuer: Issuer) => Effect.Effect<string>
  readonly reason: InvalidTokenReason
}

/** A good token whose header is laid over with `header`, signed as it then stands. */
const withHeader = (header: Record<string, unknown>) => (issuer: Issuer) => issuer.sign({ header })

const reshaped = (change: (header: string, payload: string, signature: string) => string) => (issuer: Issuer) =>
  Effect.map(issuer.sign(), (token) => change(...parts(token)))

const headerText = (headerJson: string) => (issuer: Issuer) => issuer.sign({ headerJson })

const unsigned = ["none", "None", "NONE", "nOnE", "none "].flatMap((alg): ReadonlyArray<Case> =>
  [true, false].flatMap((withKid) =>
    (["", "AAAA"] as const).map((signature) => ({
      name: `JOSE-01 rejects alg ${JSON.stringify(alg)} ${withKid ? "with" : "without"} kid, signature "${signature}"`,
      hostile: reshaped((_, payload) => `${encode({ alg, ...withKid && { kid: "RS256-1" } })}.${payload}.${signature}`),
      // An empty part is no JWS at all; but the algorithm is looked at first.
      reason: "UnsupportedAlgorithm" as const
    }))
  )
)

const confused = ([256, 384, 512] as const).flatMap((bits): ReadonlyArray<Case> => {
  const secrets: Record<string, (issuer: Issuer) => Effect.Effect<string | Uint8Array>> = {
    "PEM": (issuer) => Effect.map(issuer.key("RS256"), (key) => key.publicPem),
    "PEM and a line break": (issuer) => Effect.map(issuer.key("RS256"), (key) => `${key.publicPem}\n`),
    "a blank and PEM": (issuer) => Effect.map(issuer.key("RS256"), (key) => ` ${key.publicPem}`),
    "DER": (issuer) =>
      Effect.map(issuer.key("RS256"), (key) => Buffer.from(key.publicPem.replace(/-----[^-]+-----|\s/g, ""), "base64")),
    "JWK": (issuer) => Effect.map(issuer.key("RS256"), (key) => JSON.stringify(key.publicJwk)),
    "modulus": (issuer) => Effect.map(issuer.key("RS256"), (key) => Buffer.from(key.publicJwk.n ?? "", "base64url")),
    "x coordinate": (issuer) =>
      Effect.map(issuer.key("ES256"), (key) => Buffer.from(key.publicJwk.x ?? "", "base64url")),
    "nothing": () => Effect.succeed(""),
    "kid": () => Effect.succeed("RS256-1"),
    "the word secret": () => Effect.succeed("secret")
  }
  return Object.entries(secrets).map(([what, secret]) => ({
    name: `JOSE-02 JOSE-03 rejects HS${bits} with ${what} as secret`,
    hostile: (issuer) => Effect.flatMap(secret(issuer), (bytes) => issuer.sign({ key: hmac(bits, bytes, "RS256-1") })),
    reason: "UnsupportedAlgorithm"
  }))
})

/** An INTEGER in DER, with a leading zero that keeps it positive. */
const derInteger = (bytes: Buffer): Buffer => Buffer.concat([Buffer.from([2, bytes.length + 1, 0]), bytes])

const attacker = makeSigningKey({ algorithm: "RS256", kid: "RS256-1" })

const forged: ReadonlyArray<Case> = [
  {
    name: "JOSE-13 rejects a key that the token brings along (jwk)",
    hostile: (issuer) => Effect.flatMap(attacker, (key) => issuer.sign({ key, header: { jwk: key.publicJwk } })),
    reason: "InvalidSignature"
  },
  {
    name: "JOSE-13 rejects a key that the token brings along under a kid of its own",
    hostile: (issuer) =>
      Effect.flatMap(attacker, (key) => issuer.sign({ key, header: { jwk: key.publicJwk, kid: "mine" } })),
    reason: "UnknownKey"
  },
  {
    name: "JOSE-15 rejects a certificate that the token brings along (x5c, x5t)",
    hostile: (issuer) =>
      Effect.flatMap(attacker, (key) => issuer.sign({ key, header: { x5c: ["MIIB"], x5t: "AAAA", kid: undefined } })),
    reason: "InvalidSignature"
  },
  {
    name: "JOSE-04 rejects RS256 by a key that is not RS256's",
    hostile: (issuer) => issuer.sign({ header: { kid: "ES256-1" } }),
    reason: "UnknownKey"
  },
  {
    name: "JOSE-05 rejects an algorithm that is not on the provider's list, although a key would fit",
    hostile: withHeader({ alg: "RS512" }),
    reason: "UnsupportedAlgorithm"
  },
  {
    name: "JOSE-10 rejects an ECDSA signature in DER",
    hostile: (issuer) =>
      Effect.map(issuer.sign({ key: "ES256" }), (token) => {
        const [header, payload, signature] = parts(token)
        const raw = Buffer.from(signature, "base64url")
        const both = Buffer.concat([derInteger(raw.subarray(0, 32)), derInteger(raw.subarray(32))])
        const der = Buffer.concat([Buffer.from([0x30, both.length]), both])
        return `${header}.${payload}.${der.toString("base64url")}`
      }),
    reason: "InvalidSignature"
  },
  ...[0, 63, 65].map((length): Case => ({
    name: `JOSE-09 JOSE-10 rejects an ECDSA signature of ${length === 0 ? "64 zeros" : `${length} bytes`}`,
    hostile: (issuer) =>
      Effect.map(issuer.sign({ key: "ES256" }), (token) => {
        const [header, payload, signature] = parts(token)
        const raw = length === 0 ? Buffer.alloc(64) : Buffer.alloc(length, Buffer.from(signature, "base64url"))
        return `${header}.${payload}.${raw.toString("base64url")}`
      }),
    reason: "InvalidSignature"
  }))
]

const headers: ReadonlyArray<Case> = [
  ...[["exp"], [], ["alg"], ["b64"], "b64", ["x"]].map((crit): Case => ({
    name: `JOSE-18 rejects crit ${JSON.stringify(crit)}`,
    hostile: withHeader({ crit, ...crit[0] === "b64" && { b64: false }, ...crit[0] === "x" && { x: 1 } }),
    reason: "MalformedToken"
  })),
  { name: "JOSE-19 rejects b64 without crit", hostile: withHeader({ b64: false }), reason: "MalformedToken" },
  { name: "JOSE-28 rejects zip", hostile: withHeader({ zip: "DEF" }), reason: "MalformedToken" },
  { name: "JOSE-20 rejects enc", hostile: withHeader({ enc: "A256GCM" }), reason: "MalformedToken" },
  { name: "JOSE-21 rejects a nested token", hostile: withHeader({ cty: "JWT" }), reason: "MalformedToken" },
  ...[1, [], {}, true].map((kid): Case => ({
    name: `JOSE-17 rejects kid ${JSON.stringify(kid)}`,
    hostile: withHeader({ kid }),
    reason: "MalformedToken"
  })),
  { name: "JOSE-16 rejects a kid of 2 KiB", hostile: withHeader({ kid: "k".repeat(2048) }), reason: "MalformedToken" },
  ...[
    "",
    "__proto__",
    "constructor",
    "toString",
    "../../dev/null",
    "' OR 1=1--",
    "$(id)",
    "http://127.0.0.1/",
    "a\u0000b",
    "a\r\nb",
    "\u001b[31m"
  ].map((kid): Case => ({
    name: `JOSE-16 JOSE-17 rejects kid ${JSON.stringify(kid)}`,
    hostile: withHeader({ kid }),
    reason: "UnknownKey"
  })),
  ...[["RS256"], 1, null, undefined, "", "rs256", "__proto__", "constructor", "toString"].map((alg): Case => ({
    name: `JOSE-01 rejects alg ${JSON.stringify(alg)}`,
    hostile: withHeader({ alg }),
    reason: "UnsupportedAlgorithm"
  })),
  {
    name: "JOSE-25 rejects a repeated alg, none first",
    hostile: headerText("{\"alg\":\"none\",\"alg\":\"RS256\",\"kid\":\"RS256-1\"}"),
    reason: "MalformedToken"
  },
  {
    name: "JOSE-25 rejects a repeated alg, none last",
    hostile: headerText("{\"alg\":\"RS256\",\"kid\":\"RS256-1\",\"alg\":\"none\"}"),
    reason: "MalformedToken"
  },
  {
    name: "JOSE-25 rejects a repeated alg, spelled with an escape",
    hostile: headerText("{\"alg\":\"RS256\",\"kid\":\"RS256-1\",\"\\u0061lg\":\"RS256\"}"),
    reason: "MalformedToken"
  },
  ...[
    "[]",
    "\"RS256\"",
    "1",
    "null",
    "{",
    "not json",
    "\ufeff{\"alg\":\"RS256\",\"kid\":\"RS256-1\"}",
    "{\"alg\":\"RS256\",}"
  ].map((text): Case => ({
    name: `JOSE-26 rejects the header ${JSON.stringify(text)}`,
    hostile: headerText(text),
    reason: "MalformedToken"
  })),
  {
    name: "JOSE-26 rejects a header that is not UTF-8",
    hostile: reshaped((_, payload, signature) =>
      `${Buffer.from([0x7b, 0x22, 0xff, 0x22, 0x3a, 0x31, 0x7d]).toString("base64url")}.${payload}.${signature}`
    ),
    reason: "MalformedToken"
  },
  {
    name: "JOSE-26 rejects a header in UTF-16",
    hostile: reshaped((header, payload, signature) =>
      `${
        Buffer.from(Buffer.from(header, "base64url").toString(), "utf16le").toString("base64url")
      }.${payload}.${signature}`
    ),
    reason: "MalformedToken"
  },
  ...[100, 5_000, 100_000].map((depth): Case => ({
    name: `JOSE-27 rejects a header ${depth} levels deep`,
    hostile: headerText(`{"alg":"RS256","kid":"RS256-1","x":${"[".repeat(depth)}${"]".repeat(depth)}}`),
    reason: "MalformedToken"
  }))
]

const shapes: ReadonlyArray<Case> = ([
  ["one part", (header) => header],
  ["two parts", (header, payload) => `${header}.${payload}`],
  ["four parts", (header, payload, signature) => `${header}.${payload}.${signature}.${signature}`],
  ["five parts (JWE)", (header, payload, signature) => `${header}..${payload}.${signature}.${signature}`],
  ["six parts", (header, payload, signature) => `${header}.${payload}.${signature}.${signature}.a.b`],
  ["an empty header", (_, payload, signature) => `.${payload}.${signature}`],
  ["an empty payload", (header, _, signature) => `${header}..${signature}`],
  ["an empty signature", (header, payload) => `${header}.${payload}.`],
  ["a leading dot", (header, payload, signature) => `.${header}.${payload}.${signature}`],
  ["a trailing dot", (header, payload, signature) => `${header}.${payload}.${signature}.`],
  ["only dots", () => "..".repeat(5_000)],
  ["padding", (header, payload, signature) => `${header}.${payload}.${signature}==`],
  ["a padded header", (header, payload, signature) => `${header}=.${payload}.${signature}`],
  ["a blank inside", (header, payload, signature) => `${header}. ${payload}.${signature}`],
  ["a line break at the end", (header, payload, signature) => `${header}.${payload}.${signature}\n`],
  ["the other alphabet", (header, payload, signature) => `${header}.${payload}.${signature.slice(0, -4)}+/+/`],
  [
    "a flattened JSON serialisation",
    (header, payload, signature) => JSON.stringify({ protected: header, payload, signature })
  ]
] satisfies ReadonlyArray<readonly [string, (header: string, payload: string, signature: string) => string]>).map(
  ([what, change]) => ({
    name: `JOSE-22 JOSE-23 JOSE-24 rejects ${what}`,
    hostile: reshaped(change),
    reason: "MalformedToken"
  })
)

const types: ReadonlyArray<readonly [typ: string | undefined, lenient: boolean, strict: boolean]> = [
  ["at+jwt", true, true],
  ["AT+JWT", true, true],
  ["application/at+jwt", true, true],
  ["JWT", true, false],
  ["jwt", true, false],
  [undefined, true, false],
  ["id_token", false, false],
  ["logout+jwt", false, false],
  ["secevent+jwt", false, false],
  ["dpop+jwt", false, false],
  ["oauth-authz-req+jwt", false, false],
  ["entity-statement+jwt", false, false],
  ["", false, false]
]

layer(Subject)("JOSE", (it) => {
  const subject = Effect.gen(function*() {
    yield* TestClock.setTime(start * 1000)
    const issuer = yield* TestIssuer
    return { issuer, verify: yield* verifierOf(jwtProvider(issuer)) }
  })

  for (const { hostile, name, reason } of [...unsigned, ...confused, ...forged, ...headers, ...shapes]) {
    it.effect(name, () =>
      Effect.gen(function*() {
        const { issuer, verify } = yield* subject
        yield* assertAccepted(verify, yield* issuer.sign())
        yield* assertRejected(verify, yield* hostile(issuer), reason)
      }))
  }

  it.effect("JOSE-14 fetches no URL that a token names (jku, x5u)", () =>
    Effect.gen(function*() {
      const { issuer, verify } = yield* subject
      const trap = yield* TestIssuer.make()
      const key = yield* trap.key()
      for (const header of [{ jku: trap.jwksUri }, { x5u: trap.jwksUri }, { jku: "file:///etc/passwd" }]) {
        yield* assertAccepted(verify, yield* issuer.sign({ header }))
        yield* assertRejected(
          verify,
          yield* issuer.sign({ key, header: { ...header, kid: "RS256-1" } }),
          "InvalidSignature"
        )
      }
      assert.deepStrictEqual(yield* trap.requests(), [])
    }))

  it.effect("JOSE-05 accepts only listed algorithms, although the key fits others of its family", () =>
    Effect.gen(function*() {
      yield* TestClock.setTime(start * 1000)
      const issuer = yield* TestIssuer.make()
      const bare = yield* makeSigningKey({ algorithm: "RS512", kid: "bare" })
      yield* issuer.publishKey({ ...bare.publicJwk, alg: undefined })
      const token = yield* issuer.sign({ key: bare })
      const unlisted = yield* verifierOf(jwtProvider(issuer, { algorithms: ["ES256"] }))
      yield* assertRejected(unlisted, token, "UnsupportedAlgorithm")
      const listed = yield* verifierOf(jwtProvider(issuer, { algorithms: ["RS512"] }))
      yield* assertAccepted(listed, token)
    }))

  it.effect("JOSE-29 accepts only types of access tokens", () =>
    Effect.gen(function*() {
      const { issuer, verify } = yield* subject
      const strict = yield* verifierOf(jwtProvider(issuer, { requireAccessTokenType: true }))
      for (const [typ, inLenient, inStrict] of types) {
        const token = yield* issuer.sign({ header: { typ } })
        yield* inLenient ? assertAccepted(verify, token) : assertRejected(verify, token, "ValidationFailed")
        yield* inStrict ? assertAccepted(strict, token) : assertRejected(strict, token, "ValidationFailed")
      }
    }))

  it.effect("JOSE-17 treats a parameter that is null as absent", () =>
    Effect.gen(function*() {
      const { issuer, verify } = yield* subject
      // The only key for the algorithm, as without a kid.
      yield* assertAccepted(verify, yield* issuer.sign({ header: { kid: null, typ: null, cty: null, x5t: null } }))
      yield* assertRejected(verify, yield* issuer.sign({ header: { alg: null } }), "UnsupportedAlgorithm")
      yield* assertRejected(verify, yield* issuer.sign({ header: { crit: null } }), "MalformedToken")
      const attacker = yield* makeSigningKey({ algorithm: "RS256", kid: "RS256-1" })
      yield* assertRejected(verify, yield* issuer.sign({ key: attacker, header: { kid: null } }), "InvalidSignature")
    }))

  it.effect("JOSE-31 rejects every single-bit flip of a good token", () =>
    Effect.gen(function*() {
      const { issuer, verify } = yield* subject
      const token = yield* issuer.sign({ key: "ES256" })
      yield* assertAccepted(verify, token)
      let tried = 0
      for (let index = 0; index < token.length; index++) {
        for (let bit = 0; bit < 8; bit++) {
          const flipped = String.fromCharCode(token.charCodeAt(index) ^ (1 << bit))
          const error = yield* Effect.flip(verify(token.slice(0, index) + flipped + token.slice(index + 1)))
          assert.strictEqual(error._tag, "InvalidToken")
          tried++
        }
      }
      assert.strictEqual(tried, token.length * 8)
    }), 60_000)

  it.effect("JOSE-24 rejects every other encoding of the last character of each part", () =>
    Effect.gen(function*() {
      const { issuer, verify } = yield* subject
      const alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"
      // Claims of three lengths, so that each part ends in 0, 2 and 4 unused bits.
      for (const pad of ["", "x", "xx"]) {
        const token = yield* issuer.sign({ key: "ES256", claims: { pad }, header: { pad } })
        yield* assertAccepted(verify, token)
        const split = parts(token)
        for (const part of [0, 1, 2]) {
          for (const last of alphabet) {
            const changed = split.map((text, at) => at === part ? text.slice(0, -1) + last : text).join(".")
            const outcome = yield* Effect.result(verify(changed))
            assert.strictEqual(outcome._tag === "Success", changed === token)
          }
        }
      }
    }))

  for (const algorithm of ["RS384", "RS512", "PS256", "PS384", "PS512", "ES384", "ES512", "EdDSA"] as const) {
    it.effect(`accepts ${algorithm} where it is listed, and rejects a broken signature`, () =>
      Effect.gen(function*() {
        yield* TestClock.setTime(start * 1000)
        const issuer = yield* TestIssuer.make({ algorithms: [algorithm] })
        const verify = yield* verifierOf(jwtProvider(issuer, { algorithms: [algorithm] }))
        const token = yield* issuer.sign()
        yield* assertAccepted(verify, token)
        const [header, payload, signature] = parts(token)
        const other = signature.startsWith("A") ? "B" : "A"
        yield* assertRejected(verify, `${header}.${payload}.${other}${signature.slice(1)}`, "InvalidSignature")
      }))
  }
})
