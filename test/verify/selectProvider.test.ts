import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Base64Url from "effect/encoding/Base64Url"
import * as Result from "effect/Result"
import * as Schema from "effect/Schema"
import { makeSelectProvider, type RegisteredProvider } from "../../src/verify/selectProvider.ts"

const jwt = (name: string, issuer: string, tokenPrefix?: string): RegisteredProvider => ({
  _tag: "Jwt",
  name,
  issuers: [issuer],
  tokenPrefix,
  verify: () => Effect.never
})

const opaque = (name: string, tokenPrefix?: string): RegisteredProvider => ({
  _tag: "Opaque",
  name,
  tokenPrefix,
  verify: () => Effect.never
})

const fixed = (tokenPrefix?: string): RegisteredProvider => ({ _tag: "Listed", name: "static", tokenPrefix })

const token = (iss: unknown, alg = "RS256"): string =>
  [{ alg }, { iss }].map((part) => Base64Url.encode(JSON.stringify(part))).join(".") + ".AAAA"

const chosen = (providers: ReadonlyArray<RegisteredProvider>, text: string): string =>
  Result.match(makeSelectProvider(providers)(text), {
    onFailure: ({ reason }) => reason,
    onSuccess: ({ provider }) => provider.name
  })

const a = "https://a.example"
const b = "https://b.example"

const cases: ReadonlyArray<readonly [string, ReadonlyArray<RegisteredProvider>, string, string]> = [
  ["a JWT goes to the provider of its iss", [jwt("A", a), jwt("B", b)], token(b), "B"],
  [
    "DISC-02 a JWT of an unknown issuer goes to no provider",
    [jwt("A", a), jwt("B", b)],
    token("https://c.example"),
    "InvalidIssuer"
  ],
  ["CLM-12 a JWT with a list of issuers goes to no provider", [jwt("A", a)], token([a]), "InvalidIssuer"],
  ["JOSE-01 an unsigned JWT goes to no provider", [jwt("A", a)], token(a, "none"), "UnsupportedAlgorithm"],
  ["OPQ-03 a broken JWT is not tried as opaque", [jwt("A", a), opaque("O")], "not.a.jwt", "MalformedToken"],
  ["OPQ-03 an empty signature is not tried as opaque", [jwt("A", a), opaque("O")], "a.b.", "MalformedToken"],
  ["OPQ-03 padding is not tried as opaque", [jwt("A", a), opaque("O")], `${token(a)}==`, "MalformedToken"],
  ["OPQ-03 a JWT of an unknown issuer is not tried as opaque", [jwt("A", a), opaque("O")], token(b), "InvalidIssuer"],
  ["a JWT may be introspected where no provider takes JWTs", [opaque("O")], token(a), "O"],
  ["a JWT may be introspected in addition to static tokens", [fixed(), opaque("O")], token(a), "O"],
  ["an opaque token goes to the only provider of such", [jwt("A", a), opaque("O"), fixed()], "opaque", "O"],
  ["a JWE is opaque", [jwt("A", a), opaque("O")], "a.b.c.d.e", "O"],
  ["an opaque token goes to neither of two", [opaque("O"), opaque("P")], "opaque", "MalformedToken"],
  ["an opaque token goes to the one without a prefix", [opaque("O", "mat_"), opaque("P")], "opaque", "P"],
  ["an opaque token without the prefix goes to no provider", [opaque("O", "mat_")], "opaque", "MalformedToken"],
  ["an opaque token goes to no JWT provider", [jwt("A", a)], "opaque", "MalformedToken"],
  ["a prefix wins", [jwt("A", a), opaque("O", "mat_"), opaque("P")], "mat_1", "O"],
  ["a prefix wins over the form of a JWT", [jwt("A", a), opaque("O", "ey")], token(a), "O"],
  ["the longest prefix wins", [opaque("O", "m"), opaque("P", "mat_"), opaque("Q", "mat")], "mat_1", "P"],
  ["a prefix is case-sensitive", [opaque("O", "mat_")], "MAT_1", "MalformedToken"],
  ["a prefix of a JWT provider is part of the token", [jwt("A", a, "ey"), jwt("B", b)], token(b), "A"],
  ["a JWT provider with a prefix is found by iss too", [jwt("A", a, "zz"), opaque("O")], token(a), "A"],
  [
    "an unknown token with the prefix of the static ones is rejected as unknown",
    [fixed("dev_"), opaque("O")],
    "dev_1",
    "UnknownToken"
  ],
  ["an unknown token is unknown where all are static", [fixed()], "opaque", "UnknownToken"],
  ["an unknown JWT is unknown where all are static", [fixed()], token(a), "UnknownToken"]
]

describe("selectProvider", () => {
  for (const [title, providers, text, expected] of cases) {
    it.effect(title, () => Effect.sync(() => assert.strictEqual(chosen(providers, text), expected)))
  }

  it.effect.prop(
    "OPQ-03 never selects an opaque provider for a token of three parts where there is a JWT provider",
    { parts: Schema.Tuple([Schema.String, Schema.String, Schema.String]) },
    ({ parts }) =>
      Effect.sync(() => {
        const text = parts.map((part) => part.replaceAll(".", "")).join(".")
        assert.notStrictEqual(chosen([opaque("O"), jwt("A", a)], text), "O")
        assert.strictEqual(chosen([opaque("O")], text), "O")
      })
  )
})
