import { assert, layer } from "@effect/vitest"
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import { TestIssuer } from "../../src/issuer/TestIssuer.ts"
import type { SignOptions } from "../../src/issuer/TestIssuerOptions.ts"
import { jwtProvider } from "../fixtures/providers.ts"
import { settings } from "../fixtures/settings.ts"
import { startGateway } from "../support/gateway.ts"
import { HeadlessOAuthClient } from "../support/HeadlessOAuthClient.ts"
import type { UpstreamHandler } from "../support/RecordedRequest.ts"
import { makeRecordingUpstream, type RecordingUpstream } from "../support/RecordingUpstream.ts"
import * as responses from "../support/upstreamResponses.ts"
import { clients } from "./clients.ts"
import { httpStatus } from "./httpStatus.ts"

const audience = "https://mcp.example/mcp"

/** A gateway that trusts two issuers, one of which is down, in front of a server that can misbehave. */
class Peers extends Context.Service<Peers, {
  readonly issuer: TestIssuer["Service"]
  readonly down: TestIssuer["Service"]
  readonly upstream: RecordingUpstream
  readonly url: string
  /** A gateway to the same server that does not wait long. */
  readonly impatientUrl: string
}>()("mcp-authorizer/test/clients/rejections/Peers") {
  static readonly layer = Layer.effect(
    Peers,
    Effect.gen(function*() {
      const issuer = yield* TestIssuer.make({ audience })
      const upstream = yield* makeRecordingUpstream
      const down = yield* TestIssuer.make({ audience })
      const providers = [
        jwtProvider({ issuer: issuer.issuer, audience }),
        jwtProvider({ issuer: down.issuer, audience, jwksUri: "http://127.0.0.1:9/jwks" }, { name: "down" })
      ]
      const { origin } = yield* startGateway(settings(upstream.origin, { providers }))
      const impatient = yield* startGateway(settings(upstream.origin, { providers, upstreamTimeoutMillis: 100 }))
      return { issuer, down, upstream, url: `${origin}/mcp`, impatientUrl: `${impatient.origin}/mcp` }
    })
  )
}

const spoiled: ReadonlyArray<readonly [string, SignOptions]> = [
  ["CH-7 a token of another resource", { claims: { aud: "https://other.example/mcp" } }],
  ["CH-7 a token of no resource", { claims: { aud: undefined } }],
  ["CH-6 an expired token", { expiresIn: "-2 minutes" }],
  ["CH-8 a token of another issuer", { claims: { iss: "https://other.example" } }]
]

const failures: ReadonlyArray<readonly [string, number, UpstreamHandler]> = [
  ["FW-7 the server breaks off", 502, responses.halfHead],
  ["FW-7 the server does not respond", 504, responses.hang],
  ["CH-20 the server asks for a token of its own", 502, responses.challenge("Bearer resource_metadata=\"https://x\"")]
]

const holding = (access_token: string): HeadlessOAuthClient => {
  const oauth = new HeadlessOAuthClient()
  oauth.saveTokens({ access_token, token_type: "Bearer" })
  return oauth
}

layer(Peers.layer, { excludeTestServices: true })("what clients see when they are rejected", (it) => {
  for (const [clientName, connect] of clients) {
    for (const [what, changes] of spoiled) {
      it.effect(`${what} gets 401 (${clientName})`, () =>
        Effect.gen(function*() {
          const { issuer, upstream, url } = yield* Peers
          yield* upstream.reset
          const bad = { authorization: `Bearer ${yield* issuer.sign(changes)}` }
          assert.strictEqual(httpStatus(yield* Effect.flip(connect(url, { headers: bad }))), 401)
          assert.lengthOf(upstream.requests(), 0)

          const good = { authorization: `Bearer ${yield* issuer.sign()}` }
          const client = yield* connect(url, { headers: good })
          assert.strictEqual(yield* client.call("echo", { a: 1 }), "{\"a\":1}")
        }))
    }

    it.effect(`a request without a token gets 401 (${clientName})`, () =>
      Effect.gen(function*() {
        const { upstream, url } = yield* Peers
        yield* upstream.reset
        assert.strictEqual(httpStatus(yield* Effect.flip(connect(url))), 401)
        assert.lengthOf(upstream.requests(), 0)
      }))

    it.effect(`CH-16 a provider that is down gives 500, and no one is sent to log in (${clientName})`, () =>
      Effect.gen(function*() {
        const { down, upstream, url } = yield* Peers
        yield* upstream.reset
        const oauth = holding(yield* down.sign())
        assert.strictEqual(httpStatus(yield* Effect.flip(connect(url, { oauth }))), 500)
        assert.lengthOf(oauth.authorizations, 0)
        assert.lengthOf(upstream.requests(), 0)
      }))

    for (const [what, status, handler] of failures) {
      it.effect(`${what}: the client gets ${status} and is not sent to log in (${clientName})`, () =>
        Effect.gen(function*() {
          const { impatientUrl, issuer, upstream, url } = yield* Peers
          yield* upstream.reset
          yield* upstream.respondWith(handler)
          const oauth = holding(yield* issuer.sign())
          assert.strictEqual(
            httpStatus(yield* Effect.flip(connect(status === 504 ? impatientUrl : url, { oauth }))),
            status
          )
          assert.lengthOf(oauth.authorizations, 0)
          assert.lengthOf(upstream.requests(), 1)
        }))
    }
  }
})
