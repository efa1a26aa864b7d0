import { assert, layer } from "@effect/vitest"
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import { randomUUID } from "node:crypto"
import { Misbehaviour } from "../../src/issuer/Misbehaviour.ts"
import { TestIssuer } from "../../src/issuer/TestIssuer.ts"
import {
  introspectionProvider,
  jwtProvider,
  staticProvider,
  staticToken,
  userinfoProvider
} from "../fixtures/providers.ts"
import { settings } from "../fixtures/settings.ts"
import { leaks, LogCapture } from "../support/canary.ts"
import { startGateway } from "../support/gateway.ts"
import { bare, type Bytes, post } from "../support/hostile.ts"
import { rawExchange } from "../support/rawHttp.ts"
import type { UpstreamHandler } from "../support/RecordedRequest.ts"
import { makeRecordingUpstream } from "../support/RecordingUpstream.ts"
import * as responses from "../support/upstreamResponses.ts"

const canary = (what: string) => `canary-${what}-${randomUUID()}`

/** A gateway with a provider of every kind, all of which know secrets, in front of an upstream that misbehaves. */
const makeSecretive = Effect.gen(function*() {
  const upstream = yield* makeRecordingUpstream
  const client = { id: "gateway", secret: canary("client-secret") }
  const issuer = yield* TestIssuer.make({ algorithms: ["ES256"], client })
  const known = canary("static")
  const capture = yield* Layer.build(LogCapture.layer)
  const logs = Context.get(capture, LogCapture)
  const overrides = {
    providers: [
      staticProvider([staticToken(known)]),
      jwtProvider(issuer, { algorithms: ["ES256"] }),
      introspectionProvider(issuer, { tokenPrefix: "opq_" }),
      userinfoProvider(issuer, { tokenPrefix: "usr_" })
    ],
    upstreamTimeoutMillis: 200,
    logLevel: "trace" as const
  }
  const logger = Layer.succeedContext(capture)
  const gateway = yield* startGateway(settings(`${upstream.origin}/internal`, overrides), { logger })
  return { client, gateway, issuer, known, logs, upstream }
})

class Secretive extends Context.Service<Secretive, Effect.Success<typeof makeSecretive>>()(
  "mcp-authorizer/test/attacks/errorsCanary.test/Secretive"
) {
  static readonly layer = Layer.effect(Secretive, makeSecretive)
}

const bearer = (token: string) => post([`Authorization: Bearer ${token}`])

/** The ways in which a request can carry a token, most of them wrong. */
const carriers: ReadonlyArray<(token: string) => Bytes> = [
  bearer,
  (token) => post([`Authorization: Bearer ${token}`, `Authorization: Bearer ${token}`]),
  (token) => post([`Authorization: Bearer ${token}, Bearer ${token}`]),
  (token) => post([`Authorization: Basic ${token}`]),
  (token) => post([`Authorization: ${token}`]),
  (token) => post([`Authorization: Bearer ${token} x`]),
  (token) => post([`Authorization: Bearer "${token}"`]),
  (token) => post([`Authorization: Bearer ${token}\xe9`]),
  (token) => post([], `/mcp?access_token=${token}`),
  (token) => post([], `/mcp?token=${token}`),
  (token) => post([`Cookie: session=${token}`, `X-Api-Key: ${token}`, `Referer: http://x/?t=${token}`]),
  (token) => post([`X-Trace-Id: a b ${token}`, `User-Agent: ${token}`]),
  (token) => bare(`PROPFIND /mcp?${token}`, `Authorization: Bearer ${token}`),
  (token) => bare("GET /nowhere", `Authorization: Bearer ${token}`),
  (token) => bare("GET /healthz", `Authorization: Bearer ${token}`),
  (token) => post([`Authorization: Bearer ${token}`, `Origin: http://${token}`]),
  (token) => post([`Authorization: Bearer ${token}`, `Host: ${token}`]),
  (token) => post([`Authorization: Bearer ${token}`, `Expect: ${token}`]),
  (token) => post([`Authorization: Bearer ${token}`, `Content-Encoding: ${token}`]),
  (token) => post([`Authorization: Bearer ${token}`, `Transfer-Encoding: ${token}`]),
  (token) => post([`Authorization: Bearer ${token}`, `X : ${token}`]),
  (token) => post([`Authorization: Bearer ${token}${"x".repeat(9_000)}`]),
  (token) => post([`Authorization: Bearer ${token}`, `X: ${"x".repeat(40_000)}`]),
  (token) => post([`Authorization: Bearer ${token}`], "/mcp", `{"jsonrpc":"2.0","token":"${token}"`),
  (token) => post([`Authorization: Bearer ${token}`], "/mcp", `{"${token}":1,"method":"a","method":"${token}"}`),
  (token) => `${token} ${token} ${token}\r\n\r\n`
]

layer(Secretive.layer, { excludeTestServices: true })("secrets", (it) => {
  /** Sends, waits until nothing more happens, and returns the responses, the log and what was forwarded. */
  const watch = Effect.fnUntraced(function*(
    bytes: Bytes,
    { handler = responses.jsonRpc, idleMillis = 3_000 }: {
      readonly handler?: UpstreamHandler
      readonly idleMillis?: number
    } = {}
  ) {
    const { gateway, logs, upstream } = yield* Secretive
    yield* upstream.reset
    yield* upstream.respondWith(handler)
    yield* logs.clear
    const exchange = yield* rawExchange(gateway.origin, bytes, { idleMillis })
    // A whole exchange after it: by then the log has the line of this one.
    yield* rawExchange(gateway.origin, bare("GET /healthz"))
    const forwarded: Array<string> = []
    for (const { rawHeaders, received, url } of upstream.requests()) {
      forwarded.push(url, ...rawHeaders, Buffer.from(received()).toString())
    }
    const replied = Buffer.from(exchange.received).toString("latin1")
    return { replied, forwarded, logged: logs.entries(), status: exchange.responses[0]?.status }
  })

  const assertSecret = Effect.fnUntraced(function*(name: string, bytes: Bytes, ...secrets: ReadonlyArray<string>) {
    const { client, known } = yield* Secretive
    const seen = yield* watch(bytes)
    assert.isNotEmpty(seen.logged, name)
    for (const secret of [...secrets, client.secret, known]) {
      assert.isEmpty(leaks([seen.replied], secret), `${name}: response`)
      assert.isEmpty(leaks(seen.logged, secret), `${name}: logged`)
    }
    return seen
  })

  it.effect("ERR-03 shows no token, in any form and however it is sent", () =>
    Effect.gen(function*() {
      const { issuer, known } = yield* Secretive
      const tokens = {
        known,
        unknown: canary("unknown"),
        jwt: yield* issuer.sign(),
        opaque: yield* issuer.issueOpaque({ prefix: "opq_" }),
        userinfo: yield* issuer.issueOpaque({ prefix: "usr_" })
      }
      for (const [kind, token] of Object.entries(tokens)) {
        for (const carrier of carriers) yield* assertSecret(`${kind}: ${carrier}`, carrier(token), token)
      }
      // A request that never ends gets no response; what came of it is dropped.
      const half = yield* watch(bearer(known).slice(0, -5), { idleMillis: 200 })
      assert.isEmpty(leaks([half.replied, ...half.forwarded, ...half.logged], known))
      for (const token of [known, tokens.jwt, tokens.opaque, tokens.userinfo]) {
        const { forwarded, status } = yield* assertSecret("good", bearer(token), token)
        assert.strictEqual(status, 200)
        assert.isEmpty(leaks(forwarded, token))
        assert.isNotEmpty(forwarded)
      }
      // The same search finds what does go somewhere: to the provider.
      const asked = yield* issuer.requests("/oauth2/introspection")
      assert.isNotEmpty(leaks(asked.map((request) => JSON.stringify(request)), tokens.opaque))
    }))

  it.effect("ERR-03 shows no token that a verifier rejects, nor its claims", () =>
    Effect.gen(function*() {
      const { issuer } = yield* Secretive
      const claim = canary("claim")
      const claims = { email: `${claim}@example.com`, name: claim, jti: claim, [claim]: claim }
      // The parts of a token that a log may name: issuer, audience, key id.
      const named = canary("named")
      const good = yield* issuer.sign({ claims })
      const tokens = {
        expired: yield* issuer.sign({ claims, expiresIn: "-10 minutes" }),
        early: yield* issuer.sign({ claims: { ...claims, nbf: 9_999_999_999 } }),
        audience: yield* issuer.sign({ claims: { ...claims, aud: named } }),
        issuer: yield* issuer.sign({ claims: { ...claims, iss: `https://${named}.example` } }),
        subject: yield* issuer.sign({ claims: { ...claims, sub: { [claim]: 1 } } }),
        key: yield* issuer.sign({ claims, header: { kid: named } }),
        algorithm: yield* issuer.sign({ claims, header: { alg: named } }),
        none: `${yield* issuer.sign({ claims, header: { alg: "none" } })}`.replace(/[^.]*$/, ""),
        critical: yield* issuer.sign({ claims, header: { crit: [claim], [claim]: 1 } }),
        signature: `${good.slice(0, -8)}AAAAAAAA`,
        payload: yield* issuer.sign({ payloadJson: `{"${claim}":` }),
        header: yield* issuer.sign({ headerJson: `{"${claim}":` }),
        inactive: `opq_${claim}`,
        unknown: `usr_${claim}`
      }
      for (const [kind, token] of Object.entries(tokens)) {
        const { forwarded, status } = yield* assertSecret(kind, bearer(token), token, claim)
        assert.strictEqual(status, 401, kind)
        assert.isEmpty(forwarded, kind)
      }
      const { forwarded, status } = yield* assertSecret("good", bearer(good), good)
      assert.strictEqual(status, 200)
      assert.isNotEmpty(leaks(forwarded, claim), "the email goes to the server behind")
    }))

  it.effect("ERR-03 shows neither token nor client secret while a provider breaks down", () =>
    Effect.gen(function*() {
      const { issuer } = yield* Secretive
      const echo = canary("echo")
      const failures = {
        "500": Misbehaviour.Respond({ status: 500, body: echo }),
        "401": Misbehaviour.Respond({ status: 401, body: echo, headers: { "www-authenticate": echo } }),
        junk: Misbehaviour.Respond({ body: `<html>${echo}` }),
        "wrong types": Misbehaviour.Respond({ body: JSON.stringify({ active: echo, sub: [echo] }) }),
        redirect: Misbehaviour.Redirect({ location: `http://127.0.0.1:9/?${echo}` }),
        disconnect: Misbehaviour.Disconnect({ after: "Request" }),
        "half a body": Misbehaviour.Disconnect({ after: "HalfBody" }),
        flood: Misbehaviour.Flood({ bytes: 3 * 1024 * 1024 })
      }
      const paths = { opq_: "/oauth2/introspection", usr_: "/oauth/userinfo" }
      for (const [failure, misbehaviour] of Object.entries(failures)) {
        for (const [prefix, path] of Object.entries(paths)) {
          const token = yield* issuer.issueOpaque({ prefix })
          yield* issuer.misbehave(path, misbehaviour, Infinity)
          const name = `${failure} for ${prefix}`
          const { forwarded, status } = yield* assertSecret(name, bearer(token), token, echo)
          assert.include([401, 500], status, name)
          assert.isEmpty(forwarded, name)
          yield* issuer.behave()
        }
      }
    }))

  it.effect("ERR-03 shows no token while the MCP server breaks down", () =>
    Effect.gen(function*() {
      const { issuer, known } = yield* Secretive
      const token = yield* issuer.sign()
      const echo = canary("echo")
      const failures = {
        "half head": responses.halfHead,
        "half body": responses.halfBody("End"),
        reset: responses.halfBody("Reset"),
        junk: responses.rawBytes(`${echo}\r\n\r\n`, "End"),
        silence: responses.hang,
        redirect: responses.redirect(`http://127.0.0.1:9/${echo}`),
        challenge: responses.challenge(`Basic realm="${echo}"`),
        length: responses.rawBytes(`HTTP/1.1 200 OK\r\nContent-Length: ${echo}\r\n\r\n`, "End")
      }
      for (const [failure, handler] of Object.entries(failures)) {
        for (const good of [token, known]) {
          const { replied, forwarded, logged, status } = yield* watch(bearer(good), { handler })
          assert.include([502, 504, undefined], status, failure)
          assert.isNotEmpty(forwarded, failure)
          assert.isEmpty(leaks([replied, ...forwarded, ...logged], good), failure)
          // An error of the client library holds what it could not read.
          assert.isEmpty(leaks([replied, ...logged], echo), failure)
        }
      }
      assert.strictEqual((yield* assertSecret("good", bearer(token), token)).status, 200)
    }))
})
