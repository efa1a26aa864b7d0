import { assert, layer } from "@effect/vitest"
import * as Effect from "effect/Effect"
import { parseChallenge } from "../../src/testing/parseChallenge.ts"
import { ping } from "../fixtures/messages.ts"
import { leaks } from "../support/canary.ts"
import { GatewayFixture } from "../support/GatewayFixture.ts"
import { assertAllHostile, assertHostile, bare, type Hostile, post } from "../support/hostile.ts"
import { rawExchange } from "../support/rawHttp.ts"

const missing = { status: 401, error: "unauthorized" }
const invalid = { status: 401, error: "invalid_token" }
const rejected = { status: 400, error: "invalid_request" }
const tooLarge = { status: 431, error: "request_header_fields_too_large" }

const bearer = (token: string) => `Authorization: Bearer ${token}`

/** All that the upstream saw, as texts to be searched. */
const everything = Effect.fnUntraced(function*({ upstream }: GatewayFixture["Service"]) {
  const seen: Array<string> = []
  for (const { body, rawHeaders, url } of upstream.requests()) {
    seen.push(url, ...rawHeaders, Buffer.from(yield* body).toString())
  }
  return seen
})

layer(GatewayFixture.layer(), { excludeTestServices: true })("reading the credential", (it) => {
  it.effect("CRED-01 responds to a request without credentials with a challenge", () =>
    Effect.gen(function*() {
      const fixture = yield* GatewayFixture
      const response = yield* assertHostile(fixture, missing, "none", () => post([]))
      assert.deepStrictEqual(response.headers("www-authenticate"), [
        "Bearer error=\"unauthorized\", error_description=\"Missing authorization header\", " +
        "resource_metadata=\"http://127.0.0.1/.well-known/oauth-protected-resource\""
      ])
    }))

  it.effect("CRED-02 picks none of several credentials", () =>
    Effect.gen(function*() {
      const fixture = yield* GatewayFixture
      const good = bearer(fixture.token)
      const basic = "Authorization: Basic ZGV2OmRldg=="
      // More fields than Node keeps by default.
      const crowd = Array.from({ length: 240 }, () => "a:")
      yield* assertAllHostile(fixture, rejected, [
        ["good, bad", (bad) => post([good, bearer(bad)])],
        ["bad, good", (bad) => post([bearer(bad), good])],
        ["good, good", () => post([good, good])],
        ["good, good, good", () => post([good, good, good])],
        ["Basic, good", () => post([basic, good])],
        ["good, Basic", () => post([good, basic])],
        ["good, empty", () => post([good, "Authorization:"])],
        ["empty, good", () => post(["Authorization:", good])],
        ["good, bad in capitals", (bad) => post([good, bearer(bad).replace("Authorization", "AUTHORIZATION")])],
        ["bad, good in another case", (bad) => post([bearer(bad), good.replace("Authorization", "aUTHORIZATION")])],
        ["good, other fields, bad", (bad) => post([good, "X-Between: 1", "Accept: */*", bearer(bad)])],
        ["good, very many fields, bad", (bad) => post([good, ...crowd, bearer(bad)])],
        ["bad, very many fields, good", (bad) => post([bearer(bad), ...crowd, good])],
        ["good joined with bad", (bad) => post([`${good}, Bearer ${bad}`])],
        ["bad joined with good", (bad) => post([`${bearer(bad)}, Bearer ${fixture.token}`])],
        ["joined without a space", (bad) => post([`${good},bearer ${bad}`])],
        ["joined with Basic", () => post([`${good}, Basic ZGV2OmRldg==`])]
      ])
      // One credential among very many fields is accepted.
      yield* fixture.forwarded({ lines: crowd })
    }))

  it.effect("CRED-03 reads the scheme in any case", () =>
    Effect.gen(function*() {
      const fixture = yield* GatewayFixture
      for (const scheme of ["Bearer", "bearer", "BEARER", "BeArEr"]) {
        yield* fixture.forwarded({ authorization: `${scheme} ${fixture.token}` })
      }
      yield* assertHostile(fixture, invalid, "Nearer", () => post([`Authorization: Nearer ${fixture.token}`]))
    }))

  it.effect("CRED-04 accepts spaces after the scheme and nothing that only looks like one", () =>
    Effect.gen(function*() {
      const fixture = yield* GatewayFixture
      for (const spaces of [" ", "  ", " ".repeat(500)]) {
        yield* fixture.forwarded({ authorization: `Bearer${spaces}${fixture.token}` })
      }
      const between = ["\t", " \t", "\t ", "\xa0", "", "=", ":", ",", "\xe2\x80\x83", "/"]
      yield* assertAllHostile(
        fixture,
        invalid,
        between.map((between): Hostile => [
          JSON.stringify(between),
          () => post([`Authorization: Bearer${between}${fixture.token}`])
        ])
      )
    }))

  it.effect("CRED-05 ignores white space around the value and rejects it inside the token", () =>
    Effect.gen(function*() {
      const fixture = yield* GatewayFixture
      const { token } = fixture
      for (const value of [`   Bearer ${token}`, `Bearer ${token}   `, `\t Bearer ${token} \t`]) {
        yield* fixture.forwarded({ authorization: value })
      }
      const inside = [
        `${token}\xa0`,
        `\xa0${token}`,
        `${token} x`,
        `x ${token}`,
        `${token}\tx`,
        `${token.slice(0, 12)} ${token.slice(12)}`
      ]
      yield* assertAllHostile(fixture, invalid, inside.map((value): Hostile => [value, () => post([bearer(value)])]))
    }))

  it.effect("CRED-06, CRED-07 send a Bearer challenge when the token is empty or the scheme another", () =>
    Effect.gen(function*() {
      const fixture = yield* GatewayFixture
      const empty = ["Bearer", "Bearer ", "", "Bearer:x"]
      // A good token does not become one under another scheme.
      const schemes = ["Basic", "DPoP", "Negotiate", "Token", "Bearer2"].map((scheme) => `${scheme} ${fixture.token}`)
      for (const value of [...empty, ...schemes]) {
        const response = yield* assertHostile(fixture, invalid, value, () => post([`Authorization: ${value}`]))
        const { parameters } = parseChallenge(response.headers("www-authenticate").join())
        assert.strictEqual(parameters.get("error_description"), "Authorization header must use Bearer scheme", value)
      }
    }))

  it.effect("CRED-08, CRED-09 reject a token in the query, alone and together with the header, and never log it", () =>
    Effect.gen(function*() {
      const fixture = yield* GatewayFixture
      const good = bearer(fixture.token)
      const names = [
        "access_token",
        "access%5Ftoken",
        "%61ccess_token",
        "x=1&access_token",
        "access_token=&access_token",
        "ACCESS_TOKEN",
        "a;access_token",
        "access_token%00",
        "access+token"
      ]
      const control = { target: "/mcp?x=1" }
      yield* assertAllHostile(
        fixture,
        rejected,
        names.flatMap((name): ReadonlyArray<Hostile> => [
          [`good as ${name}`, () => post([], `/mcp?${name}=${fixture.token}`), control],
          [`bad as ${name}`, (bad) => post([], `/mcp?${name}=${bad}`), control],
          [`good twice, as ${name}`, () => post([good], `/mcp?${name}=${fixture.token}`), control],
          [`good, and bad as ${name}`, (bad) => post([good], `/mcp?${name}=${bad}`), control]
        ])
      )
      // Another parameter is not a credential at all.
      const others = ["token", "bearer", "authorization", "access_tokens"]
      yield* assertAllHostile(
        fixture,
        missing,
        others.map((name): Hostile => [name, () => post([], `/mcp?${name}=${fixture.token}`), control])
      )
    }))

  it.effect("CRED-10 does not look for a token in the body", () =>
    Effect.gen(function*() {
      const fixture = yield* GatewayFixture
      const { token } = fixture
      const bodies = [
        `{"jsonrpc":"2.0","id":1,"method":"ping","access_token":"${token}"}`,
        `{"jsonrpc":"2.0","id":1,"method":"ping","params":{"access_token":"${token}","authorization":"Bearer ${token}"}}`
      ]
      yield* assertAllHostile(
        fixture,
        missing,
        bodies.map((body): Hostile => [body, () => post([], "/mcp", body), { body }])
      )
      const form = `access_token=${token}`
      const lines = ["Content-Type: application/x-www-form-urlencoded", `Content-Length: ${form.length}`]
      yield* assertHostile(fixture, missing, "form", () => bare("POST /mcp", ...lines) + form)
      yield* assertHostile(
        fixture,
        { status: 415, error: "unsupported_media_type" },
        "form together with the header",
        () => bare("POST /mcp", bearer(token), ...lines) + form
      )
    }))

  it.effect("CRED-11 does not look for a token in other fields, and forwards none of them", () =>
    Effect.gen(function*() {
      const fixture = yield* GatewayFixture
      const { forwarded, reset, token } = fixture
      const fields = [
        (token: string) => `Cookie: access_token=${token}`,
        (token: string) => `X-Access-Token: ${token}`,
        (token: string) => `Proxy-Authorization: Bearer ${token}`,
        (token: string) => `Authorization-: Bearer ${token}`,
        (token: string) => `Authorization_: Bearer ${token}`,
        (token: string) => `Sec-WebSocket-Protocol: bearer, ${token}`,
        (token: string) => `X-Forwarded-Access-Token: ${token}`
      ]
      for (const line of fields) {
        yield* assertHostile(fixture, missing, line("good"), () => post([line(token)]))
        yield* reset
        const second = "canary-of-another-field"
        const plain = "canary-of-a-plain-field"
        yield* forwarded({ lines: [line(second), `X-Handed-On: ${plain}`] })
        const seen = yield* everything(fixture)
        assert.isEmpty([...leaks(seen, second), ...leaks(seen, token)], line("second"))
        assert.isNotEmpty(leaks(seen, plain))
      }
    }))

  it.effect("CRED-12, CRED-14 check a token up to the limit and reject a longer one unread", () =>
    Effect.gen(function*() {
      const fixture = yield* GatewayFixture
      const characters = ["a", ".", "-", "="]
      const tokens = (length: number) => characters.map((character) => `a${character.repeat(length - 1)}`)
      const table = (...lengths: ReadonlyArray<number>) =>
        lengths.flatMap(tokens).map((token): Hostile => [`${token.length} × ${token[1]}`, () => post([bearer(token)])])
      yield* assertAllHostile(fixture, invalid, table(2, 8_191, 8_192))
      yield* assertAllHostile(fixture, tooLarge, table(8_193, 15 * 1024, 23 * 1024))
      // Beyond what is read of a request head at all.
      yield* assertAllHostile(fixture, { ...tooLarge, closes: true }, table(32 * 1024, 1024 * 1024))
    }))

  it.effect("CRED-13 rejects what is not token68", () =>
    Effect.gen(function*() {
      const fixture = yield* GatewayFixture
      const characters = [",", "\"", "%", "\\", ";", "{", "<", "*", "\xe9", "\xff", "\xa0", "\xf0\x9f\x98\x80", "=a"]
      const table = characters.flatMap((character): ReadonlyArray<Hostile> => [
        [`${character} before`, (bad) => post([bearer(character + bad)])],
        [`${character} inside`, (bad) => post([bearer(`${bad}${character}${bad}`)])],
        [`${character} behind`, (bad) => post([bearer(bad + character)])]
      ])
      yield* assertAllHostile(fixture, invalid, table)
    }))

  it.effect("CRED-15 a Connection field cannot hide the credential", () =>
    Effect.gen(function*() {
      const fixture = yield* GatewayFixture
      for (const value of ["authorization", "Authorization, keep-alive", "close, AUTHORIZATION"]) {
        const line = `Connection: ${value}`
        yield* fixture.forwarded({ lines: [line] })
        yield* assertHostile(fixture, missing, value, () => post([line]), { lines: [line] })
        yield* assertHostile(fixture, invalid, value, (bad) => post([bearer(bad), line]), { lines: [line] })
      }
    }))

  it.effect("checks each request of a connection by its own credential", () =>
    Effect.gen(function*() {
      const { bytes, gateway, reset, upstream } = yield* GatewayFixture
      yield* reset
      const requests = [bytes(), post([]), bytes({ authorization: "Bearer nobody" }), bytes(), post([])]
      const { responses } = yield* rawExchange(gateway.origin, requests, { responses: requests.length })
      assert.deepStrictEqual(responses.map(({ status }) => status), [200, 401, 401, 200, 401])
      assert.lengthOf(upstream.requests(), 2)
      assert.strictEqual(Buffer.from(yield* (yield* upstream.awaitRequest(2)).body).toString(), ping)
    }))
})
