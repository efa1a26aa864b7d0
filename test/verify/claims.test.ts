import { assert, layer } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as TestClock from "effect/testing/TestClock"
import type { InvalidTokenReason } from "../../src/errors/GatewayError.ts"
import { TestIssuer } from "../../src/issuer/TestIssuer.ts"
import { jwtProvider } from "../fixtures/providers.ts"
import { assertAccepted, assertRejected, ProviderLayer, skew, start, verifierOf } from "./support.ts"

const audience = "https://mcp.example/mcp"

const Subject = Layer.mergeAll(
  TestIssuer.layer({ audience, claims: { scope: "mcp:read", client_id: "client-1" } }),
  ProviderLayer
)

type Claims = Readonly<Record<string, unknown>>

const nested = (depth: number): string => "[".repeat(depth) + "]".repeat(depth)

/** Members of a payload in JSON text, for numbers and spellings that `JSON.stringify` does not write. */
const payload = (issuer: string, members: string): string =>
  `{"iss":"${issuer}","aud":"${audience}","sub":"user-1","exp":${start + 300}${members}}`

const rejected: ReadonlyArray<readonly [id: string, claims: Claims, reason: InvalidTokenReason]> = [
  ["CLM-01", { exp: undefined }, "MissingClaim"],
  ["CLM-02", { exp: `${start + 300}` }, "ValidationFailed"],
  ["CLM-02", { exp: null }, "MissingClaim"],
  ["CLM-02", { exp: true }, "ValidationFailed"],
  ["CLM-02", { exp: [start + 300] }, "ValidationFailed"],
  ["CLM-02", { exp: {} }, "ValidationFailed"],
  ["CLM-03", { exp: 1e308 }, "ValidationFailed"],
  ["CLM-03", { exp: 2 ** 63 }, "ValidationFailed"],
  ["CLM-03", { exp: 253_402_300_800_000 }, "ValidationFailed"],
  ["CLM-03", { exp: 253_402_300_800 }, "ValidationFailed"],
  ["CLM-04", { exp: -start }, "Expired"],
  ["CLM-04", { exp: 0 }, "Expired"],
  ["CLM-05", { exp: start - skew }, "Expired"],
  ["CLM-05", { exp: start - skew - 1 }, "Expired"],
  ["CLM-06", { nbf: start + skew + 1 }, "NotYetValid"],
  ["CLM-06", { nbf: `${start}` }, "ValidationFailed"],
  ["CLM-07", { iat: start + skew + 1 }, "NotYetValid"],
  ["CLM-07", { iat: `${start}` }, "ValidationFailed"],
  ["CLM-08", { aud: undefined }, "MissingClaim"],
  ["CLM-08", { aud: "" }, "InvalidAudience"],
  ["CLM-08", { aud: null }, "MissingClaim"],
  ["CLM-08", { aud: 1 }, "InvalidAudience"],
  ["CLM-08", { aud: [] }, "InvalidAudience"],
  ["CLM-08", { aud: [null] }, "InvalidAudience"],
  ["CLM-08", { aud: [[audience]] }, "InvalidAudience"],
  ["CLM-08", { aud: [audience, 1] }, "InvalidAudience"],
  ["CLM-08", { aud: { 0: audience } }, "InvalidAudience"],
  ...[
    "https://mcp.example/mc",
    "https://mcp.example/mcpx",
    "https://mcp.example/mcp/",
    "https://mcp.example/MCP",
    "https://MCP.example/mcp",
    "http://mcp.example/mcp",
    "https://mcp.example:443/mcp",
    "https://mcp.example%2Fmcp",
    "https://mcp.example",
    "https://mcp.example/",
    "https://xn--mcp.example/mcp",
    " https://mcp.example/mcp",
    "https://mcp.example/mcp https://other.example"
  ].map((aud) => ["CLM-10", { aud }, "InvalidAudience"] as const),
  ["CLM-11", { aud: ["https://other.example/mcp", "https://third.example"] }, "InvalidAudience"],
  ["CLM-14", { sub: "" }, "MissingClaim"],
  ["CLM-14", { sub: undefined, client_id: undefined }, "MissingClaim"],
  ["CLM-14", { sub: undefined, client_id: "" }, "MissingClaim"],
  ["CLM-14", { sub: undefined, client_id: 7 }, "MissingClaim"],
  ["CLM-14", { sub: 7 }, "ValidationFailed"],
  ["CLM-14", { sub: null, client_id: null }, "MissingClaim"],
  ["CLM-14", { sub: {} }, "ValidationFailed"],
  ["CLM-14", { sub: ["user-1"] }, "ValidationFailed"],
  ["CLM-14", { sub: "s".repeat(1025) }, "ValidationFailed"],
  ["CLM-14", { sub: "a\ud800" }, "ValidationFailed"],
  ["CLM-15", { scope: {} }, "ValidationFailed"],
  ["CLM-15", { scope: 1 }, "ValidationFailed"],
  ["CLM-15", { scope: ["mcp:read", 1] }, "ValidationFailed"],
  ["CLM-15", { scope: undefined, scp: {} }, "ValidationFailed"],
  ["CLM-20", { cnf: { jkt: "thumbprint" } }, "ValidationFailed"],
  ["CLM-20", { cnf: {} }, "ValidationFailed"],
  ["CLM-20", { cnf: false }, "ValidationFailed"]
]

const accepted: ReadonlyArray<readonly [id: string, claims: Claims]> = [
  ["CLM-04", { exp: start + 0.5 }],
  ["CLM-05", { exp: start }],
  ["CLM-05", { exp: start - skew + 1 }],
  ["CLM-03", { exp: 253_402_300_799 }],
  ["CLM-06", { nbf: start + skew }],
  ["CLM-06", { nbf: 0.5 }],
  ["CLM-07", { iat: start + skew }],
  ["CLM-07", { iat: undefined }],
  ["CLM-06", { nbf: null, iat: null }],
  ["CLM-14", { sub: null }],
  ["CLM-20", { cnf: null, nonce: null, at_hash: null, typ: null, token_use: null, events: null, vp: null }],
  ["CLM-09", { aud: ["https://other.example", audience] }],
  ["CLM-14", { sub: "山田" }],
  ["CLM-14", { sub: "a\r\nx-auth-user-id: admin\u0000" }],
  ["CLM-14", { sub: "s".repeat(1024) }],
  ["CLM-21", { azp: "another", act: { sub: "x" }, may_act: {} }]
]

const texts: ReadonlyArray<readonly [id: string, members: string, reason: InvalidTokenReason]> = [
  ["CLM-03", ",\"nbf\":1e400", "ValidationFailed"],
  ["CLM-06", ",\"nbf\":-1e400", "ValidationFailed"],
  ["CLM-16", ",\"sub\":\"admin\"", "MalformedToken"],
  ["CLM-16", ",\"exp\":4102444800", "MalformedToken"],
  ["CLM-16", ",\"\\u0073ub\":\"admin\"", "MalformedToken"],
  ["CLM-19", `,"x":${nested(5_000)}`, "MalformedToken"]
]

layer(Subject)("claims", (it) => {
  const subject = Effect.gen(function*() {
    yield* TestClock.setTime(start * 1000)
    const issuer = yield* TestIssuer
    return { issuer, verify: yield* verifierOf(jwtProvider(issuer)) }
  })

  for (const [id, claims, reason] of rejected) {
    it.effect(`${id} rejects ${JSON.stringify(claims).slice(0, 80)}${Object.values(claims)[0] === undefined ? " (left out)" : ""}`, () =>
      Effect.gen(function*() {
        const { issuer, verify } = yield* subject
        yield* assertAccepted(verify, yield* issuer.sign())
        yield* assertRejected(verify, yield* issuer.sign({ claims }), reason)
      }))
  }

  for (const [id, claims] of accepted) {
    it.effect(`${id} accepts ${JSON.stringify(claims).slice(0, 80)}`, () =>
      Effect.gen(function*() {
        const { issuer, verify } = yield* subject
        yield* assertAccepted(verify, yield* issuer.sign({ claims }))
      }))
  }

  for (const [id, members, reason] of texts) {
    it.effect(`${id} rejects a payload with ${members.slice(1, 40)}`, () =>
      Effect.gen(function*() {
        const { issuer, verify } = yield* subject
        yield* assertAccepted(verify, yield* issuer.sign({ payloadJson: payload(issuer.issuer, ",\"nbf\":0") }))
        yield* assertRejected(verify, yield* issuer.sign({ payloadJson: payload(issuer.issuer, members) }), reason)
      }))
  }

  it.effect("CLM-03 rejects an infinite exp", () =>
    Effect.gen(function*() {
      const { issuer, verify } = yield* subject
      const text = (exp: string) => payload(issuer.issuer, "").replace(`${start + 300}`, exp)
      yield* assertAccepted(verify, yield* issuer.sign({ payloadJson: text(`${start + 1}e0`) }))
      yield* assertRejected(verify, yield* issuer.sign({ payloadJson: text("1e400") }), "ValidationFailed")
      yield* assertRejected(verify, yield* issuer.sign({ payloadJson: text("-0") }), "Expired")
    }))

  it.effect("CLM-05 CACHE-01 ends a token on the second, and counts the skew once", () =>
    Effect.gen(function*() {
      const { issuer, verify } = yield* subject
      const token = yield* issuer.sign({ expiresIn: "10 seconds" })
      yield* TestClock.setTime((start + 10 + skew) * 1000 - 1)
      yield* assertAccepted(verify, token)
      yield* TestClock.setTime((start + 10 + skew) * 1000)
      yield* assertRejected(verify, token, "Expired")
    }))

  it.effect("CLM-08 rejects an aud of the wrong type even without a configured audience, and accepts any other", () =>
    Effect.gen(function*() {
      const { issuer } = yield* subject
      const verify = yield* verifierOf(jwtProvider(issuer, { audience: [] }))
      for (const aud of [undefined, null, "https://any.example", ["a", "b"]]) {
        yield* assertAccepted(verify, yield* issuer.sign({ claims: { aud } }))
      }
      for (const aud of [1, {}, [null]]) {
        yield* assertRejected(verify, yield* issuer.sign({ claims: { aud } }), "InvalidAudience")
      }
    }))

  it.effect("CLM-12 accepts only the configured issuer, or the same with one slash at its end", () =>
    Effect.gen(function*() {
      const { issuer, verify } = yield* subject
      const { issuer: own } = issuer
      for (const iss of [own, `${own}/`]) {
        const identity = yield* verify(yield* issuer.sign({ claims: { iss } }))
        assert.strictEqual(identity.issuer, iss)
      }
      const others = [
        undefined,
        null,
        7,
        [own],
        "",
        `${own}//`,
        `${own}x`,
        own.slice(0, -1),
        own.toUpperCase(),
        own.replace("http:", "https:"),
        own.replace("127.0.0.1", "127.0.0.1."),
        own.replace("127.0.0.1", "127.0.0.\u0661"),
        "https://as.example"
      ]
      for (const iss of others) {
        yield* assertRejected(verify, yield* issuer.sign({ claims: { iss } }), "InvalidIssuer")
      }
    }))

  it.effect("CLM-12 tolerates a slash at the end of the configured issuer, but not where the issuer is not a URL", () =>
    Effect.gen(function*() {
      const { issuer } = yield* subject
      const slashed = yield* verifierOf(jwtProvider(issuer, { issuer: `${issuer.issuer}/` }))
      yield* assertAccepted(slashed, yield* issuer.sign())
      const plain = yield* verifierOf(jwtProvider(issuer, { issuer: "urn:as" }))
      yield* assertAccepted(plain, yield* issuer.sign({ claims: { iss: "urn:as" } }))
      yield* assertRejected(plain, yield* issuer.sign({ claims: { iss: "urn:as/" } }), "InvalidIssuer")
    }))

  it.effect("CLM-13 takes keys only from the token's issuer, although another one has the same kid", () =>
    Effect.gen(function*() {
      const { issuer } = yield* subject
      const other = yield* TestIssuer.make({ audience })
      const verify = yield* verifierOf(jwtProvider(issuer), jwtProvider(other, { name: "other" }))
      assert.strictEqual((yield* issuer.key()).kid, (yield* other.key()).kid)
      const pairs = [[issuer, other], [other, issuer]] as const
      for (const [from, by] of pairs) {
        yield* assertAccepted(verify, yield* from.sign())
        yield* assertRejected(verify, yield* from.sign({ key: yield* by.key() }), "InvalidSignature")
      }
    }))

  it.effect("reveals no claim before the signature is verified", () =>
    Effect.gen(function*() {
      const { issuer, verify } = yield* subject
      const hostile = yield* issuer.sign({ claims: { exp: 1, aud: "x", sub: 7 } })
      const signature = hostile.split(".").at(-1) ?? ""
      const broken = hostile.slice(0, -signature.length) + "A".repeat(signature.length)
      yield* assertRejected(verify, broken, "InvalidSignature")
      yield* assertRejected(verify, hostile, "Expired")
    }))

  it.effect("CLM-15 reads scopes from scope, else scp, as whole words", () =>
    Effect.gen(function*() {
      const { issuer, verify } = yield* subject
      const cases: ReadonlyArray<readonly [Claims, ReadonlyArray<string>]> = [
        [{ scope: "a b" }, ["a", "b"]],
        [{ scope: "  a   b " }, ["a", "b"]],
        [{ scope: "" }, []],
        [{ scope: "", scp: ["a"] }, []],
        [{ scope: null }, []],
        [{ scope: null, scp: ["a"] }, ["a"]],
        [{ scope: "a", scp: null }, ["a"]],
        [{ scope: ["a", "b"] }, ["a", "b"]],
        [{ scope: undefined, scp: "a b" }, ["a", "b"]],
        [{ scope: undefined, scp: ["a", "b"] }, ["a", "b"]],
        [{ scope: undefined, scp: ["a b", "c"] }, ["c"]],
        [{ scope: undefined }, []],
        [{ scope: "administrator" }, ["administrator"]]
      ]
      for (const [claims, scopes] of cases) {
        const identity = yield* verify(yield* issuer.sign({ claims }))
        assert.deepStrictEqual(identity.scopes, scopes)
      }
    }))

  it.effect("CLM-15 CLM-17 reads nothing through a prototype", () =>
    Effect.gen(function*() {
      const { issuer, verify } = yield* subject
      const members =
        ",\"__proto__\":{\"scope\":\"admin\",\"email\":\"a@b\",\"admin\":true},\"constructor\":{\"prototype\":1}"
      const identity = yield* verify(yield* issuer.sign({ payloadJson: payload(issuer.issuer, members) }))
      assert.deepStrictEqual(identity.scopes, [])
      assert.isUndefined(identity.email)
      assert.isFalse("admin" in {})
      const bare = payload(issuer.issuer, "").replace("\"sub\":\"user-1\"", "\"__proto__\":{\"sub\":\"admin\"}")
      yield* assertRejected(verify, yield* issuer.sign({ payloadJson: bare }), "MissingClaim")
    }))

  it.effect("CLM-18 rejects payloads that are not a JSON object in UTF-8", () =>
    Effect.gen(function*() {
      const { issuer, verify } = yield* subject
      const good = payload(issuer.issuer, "")
      yield* assertAccepted(verify, yield* issuer.sign({ payloadJson: good }))
      for (const text of ["[]", "\"x\"", "1", "null", "", `\ufeff${good}`, `${good}x`]) {
        yield* assertRejected(verify, yield* issuer.sign({ payloadJson: text }), "MalformedToken")
      }
      const key = yield* issuer.key()
      const [header = ""] = (yield* issuer.sign()).split(".")
      const bytes = Buffer.from(good.replace("user-1", "user-\u0001"))
      bytes[bytes.indexOf(1)] = 0xff
      const input = `${header}.${bytes.toString("base64url")}`
      const signature = yield* key.sign(new TextEncoder().encode(input))
      yield* assertRejected(verify, `${input}.${Buffer.from(signature).toString("base64url")}`, "MalformedToken")
    }))

  it.effect("CLM-19 handles a great many claims and a very long one", () =>
    Effect.gen(function*() {
      const { issuer, verify } = yield* subject
      const many = Object.fromEntries(Array.from({ length: 100_000 }, (_, index) => [`claim${index}`, index]))
      yield* assertAccepted(verify, yield* issuer.sign({ claims: many }))
      yield* assertAccepted(verify, yield* issuer.sign({ claims: { long: "x".repeat(1_048_576) } }))
      yield* assertAccepted(verify, yield* issuer.sign({ payloadJson: payload(issuer.issuer, `,"x":${nested(60)}`) }))
    }))

  it.effect("builds the identity from the token", () =>
    Effect.gen(function*() {
      const { issuer, verify } = yield* subject
      const full = yield* verify(yield* issuer.sign({ claims: { email: "a@b.example", name: "Ada", azp: "z" } }))
      const { claims, ...identity } = full
      assert.deepStrictEqual(identity, {
        subject: "user-1",
        principal: "user",
        clientId: "client-1",
        issuer: issuer.issuer,
        scopes: ["mcp:read"],
        email: "a@b.example",
        name: "Ada",
        provider: "main",
        expiresAt: start + 300
      })
      assert.strictEqual(claims["azp"], "z")
      const long = yield* verify(yield* issuer.sign({ claims: { email: "a".repeat(1025), name: "b".repeat(1024) } }))
      assert.isUndefined(long.email)
      assert.strictEqual(long.name, "b".repeat(1024))
      const odd = yield* verify(yield* issuer.sign({ claims: { email: 7, name: ["Ada"], client_id: 7 } }))
      assert.deepStrictEqual([odd.email, odd.name, odd.clientId], [undefined, undefined, undefined])
      const machine = yield* verify(
        yield* issuer.sign({ claims: { sub: undefined, client_id: undefined, azp: "bot" } })
      )
      assert.deepStrictEqual([machine.subject, machine.clientId], ["bot", "bot"])
    }))
})
