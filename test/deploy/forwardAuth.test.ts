/**
 * nginx and Caddy forward the requests of official clients with the files of `src/deploy/forward-auth`, and ask the
 * gateway.
 */
import { assert, describe, layer } from "@effect/vitest"
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as Layer from "effect/Layer"
import { clients } from "../clients/clients.ts"
import { settingsOfInput } from "../config/resolving.ts"
import { message, ping } from "../fixtures/messages.ts"
import { jwtProvider } from "../fixtures/providers.ts"
import { settings } from "../fixtures/settings.ts"
import { startGateway } from "../support/gateway.ts"
import { HeadlessOAuthClient } from "../support/HeadlessOAuthClient.ts"
import { officialServerV1 } from "../support/OfficialServerV1.ts"
import { officialServerV2 } from "../support/OfficialServerV2.ts"
import { makeOidcProvider } from "../support/OidcProvider.ts"
import { makeRecordingUpstream, type RecordingUpstream } from "../support/RecordingUpstream.ts"
import { reservePort } from "../support/reservePort.ts"
import { type ProxyName, startProxy } from "../support/ReverseProxy.ts"

const { rateLimits, trustedProxies } = settingsOfInput({
  static_tokens: "dev-token:c:s:",
  server_url: "http://127.0.0.1:9/mcp",
  trusted_proxies: "127.0.0.0/8",
  rate_limits: [{ by: ["client"], limit: 40, window: 3600 }]
})

const portOf = (url: string): number => Number(new URL(url).port)

const eventually = (holds: () => boolean): Effect.Effect<void> =>
  Effect.suspend(() => holds() ? Effect.void : Effect.delay(eventually(holds), "20 millis"))

class Proxies extends Context.Service<Proxies, {
  readonly issuer: string
  /** The URL of the MCP server behind each proxy, as clients know it: of each SDK, and of one that records. */
  readonly urls: Record<ProxyName, { readonly v1: string; readonly v2: string; readonly recording: string }>
  readonly recording: RecordingUpstream
}>()("mcp-authorizer/test/deploy/forwardAuth/Proxies") {
  static readonly layer = Layer.effect(
    Proxies,
    Effect.gen(function*() {
      const { issuer } = yield* makeOidcProvider()
      const v1 = yield* officialServerV1
      const v2 = yield* officialServerV2
      const recording = yield* makeRecordingUpstream

      const behind = Effect.fnUntraced(function*(name: ProxyName, server: string, audience?: string) {
        const proxy = yield* reservePort
        const publicUrl = `http://127.0.0.1:${proxy}`
        const resource = `${publicUrl}/mcp`
        const gateway = yield* startGateway(settings(server, {
          publicUrl,
          providers: [jwtProvider({ issuer, audience: audience ?? resource }, { requireAccessTokenType: true })],
          requiredScopes: ["mcp:read"],
          scopesSupported: ["mcp:read"],
          forwardAuth: true,
          trustedProxies,
          rateLimits
        }))
        yield* startProxy(name, { proxy, gateway: portOf(gateway.origin), server: portOf(server) })
        return resource
      })
      const behindAll = Effect.fnUntraced(function*(name: ProxyName) {
        const ofV2 = yield* behind(name, v2.url)
        return {
          v1: yield* behind(name, v1.url),
          v2: ofV2,
          // Accepts the tokens of another server, because clients cannot get tokens for a server that only records.
          recording: yield* behind(name, `${recording.origin}/mcp`, ofV2)
        }
      })
      return { issuer, recording, urls: { nginx: yield* behindAll("nginx"), caddy: yield* behindAll("caddy") } }
    })
  )
}

const endless = { steps: 10_000, pauseMillis: 5 }

const tokenOf = (proxy: ProxyName) =>
  Effect.gen(function*() {
    const { urls } = yield* Proxies
    const oauth = new HeadlessOAuthClient()
    yield* clients[0][1](urls[proxy].v2, { oauth })
    return oauth.tokens()?.access_token ?? assert.fail("no token")
  })

const askThrough = (proxy: ProxyName) => (headers: Record<string, string>, path = "", init: RequestInit = {}) =>
  Effect.gen(function*() {
    const { urls } = yield* Proxies
    return yield* Effect.promise(() =>
      fetch(`${urls[proxy].recording}${path}`, {
        method: "POST",
        body: ping,
        ...init,
        headers: { "content-type": "application/json", ...headers }
      })
    )
  })

layer(Proxies.layer, { excludeTestServices: true, timeout: 60_000 })("proxies that ask the gateway", (it) => {
  for (const proxy of ["nginx", "caddy"] as const) {
    for (const version of ["v1", "v2"] as const) {
      for (const [name, connect] of clients) {
        describe(`${name} through ${proxy} at a server of SDK ${version}`, () => {
          it.effect("FA-01 finds the provider by the challenge, is authorized, and gets in as the caller it is", () =>
            Effect.gen(function*() {
              const { issuer, urls } = yield* Proxies
              const oauth = new HeadlessOAuthClient()
              const client = yield* connect(urls[proxy][version], { oauth })
              assert.lengthOf(oauth.authorizations, 1)
              assert.strictEqual(oauth.authorizations[0]?.origin, issuer)
              assert.strictEqual(oauth.authorizations[0]?.searchParams.get("resource"), urls[proxy][version])
              const seen: Readonly<Record<string, string>> = JSON.parse(yield* client.call("whoami"))
              assert.strictEqual(seen["x-auth-user-id"], "oidc-user")
              assert.strictEqual(seen["x-auth-issuer"], issuer)
              assert.strictEqual(seen["x-auth-scopes"], "mcp:read")
            }))

          it.effect("FW-5 gets progress while the call still runs", () =>
            Effect.gen(function*() {
              const { urls } = yield* Proxies
              const client = yield* connect(urls[proxy][version], { oauth: new HeadlessOAuthClient() })
              const progress: Array<number> = []
              const call = yield* Effect.forkChild(
                Effect.ignore(client.call("slow", endless, (step) => progress.push(step)))
              )
              yield* eventually(() => progress.length >= 3)
              assert.isUndefined(call.pollUnsafe())
              yield* Fiber.interrupt(call)
            }))
        })
      }
    }

    describe(`raw requests through ${proxy}`, () => {
      const tokenFor = tokenOf(proxy)
      const ask = askThrough(proxy)

      it.effect("FWD-01 takes what a client says about itself from no request, and no token reaches the server", () =>
        Effect.gen(function*() {
          const { recording } = yield* Proxies
          const token = yield* tokenFor
          yield* recording.reset
          const forged = {
            "x-auth-user-id": "admin",
            "x-auth-email": "admin@example.com",
            "x-auth-scopes": "everything",
            "x-auth-principal": "client"
          }
          const response = yield* ask({ ...forged, authorization: `Bearer ${token}` })
          assert.strictEqual(response.status, 200)
          const [seen] = recording.requests()
          assert.deepStrictEqual(seen?.headers("x-auth-user-id"), ["oidc-user"])
          assert.deepStrictEqual(seen?.headers("x-auth-email"), ["user@example.com"])
          assert.deepStrictEqual(seen?.headers("x-auth-scopes"), ["mcp:read"])
          assert.deepStrictEqual(seen?.headers("x-auth-principal"), ["user"])
          assert.isEmpty(seen?.headers("authorization"))
          assert.strictEqual(Buffer.from(yield* seen?.body ?? Effect.succeed(Buffer.alloc(0))).toString(), ping)
        }))

      it.effect("FA-02 gives the client the response of the gateway, and asks the server nothing", () =>
        Effect.gen(function*() {
          const { recording, urls } = yield* Proxies
          yield* recording.reset
          const { origin } = new URL(urls[proxy].recording)
          const rows: ReadonlyArray<readonly [headers: Record<string, string>, path: string, status: number]> = [
            [{}, "", 401],
            [{ authorization: "Bearer wrong" }, "", 401],
            [{}, "?access_token=x", 400],
            [{ origin: "https://evil.example" }, "", 403],
            // Fields by which other proxies name a request.
            [{ "x-original-uri": "/healthz", "x-original-method": "OPTIONS" }, "", 401],
            [{ "x-forwarded-method": "OPTIONS" }, "", 401],
            [{ "x-forwarded-uri": "/healthz" }, "", 401],
            [{ "x-original-url": "http://127.0.0.1/healthz" }, "", 401]
          ]
          for (const [headers, path, status] of rows) {
            const response = yield* ask(headers, path)
            const body = yield* Effect.promise(() => response.text())
            const isNamed = Object.keys(headers).some((name) => name.startsWith("x-"))
            // A proxy that forwards such a field gets 400.
            if (!(isNamed && response.status === 400)) assert.strictEqual(response.status, status, body)
            assert.isObject(JSON.parse(body), body)
            if (response.status !== 401) continue
            const challenge = response.headers.get("www-authenticate") ?? ""
            assert.include(challenge, `resource_metadata="${origin}/.well-known/oauth-protected-resource"`)
            assert.strictEqual(challenge.split("Bearer ").length, 2, "one challenge")
          }
          assert.isEmpty(recording.requests())
        }))

      it.effect("LIMIT-04 says when to come back where a caller has used up its share", () =>
        Effect.gen(function*() {
          const { recording } = yield* Proxies
          const token = yield* tokenFor
          let limited: Response | undefined
          for (let asked = 0; asked < 60 && limited === undefined; asked++) {
            const response = yield* ask({ authorization: `Bearer ${token}` })
            if (response.status === 429) limited = response
          }
          assert.match(limited?.headers.get("retry-after") ?? "", /^\d+$/)
          yield* recording.reset
          assert.strictEqual((yield* ask({ authorization: `Bearer ${token}` })).status, 429)
          assert.isEmpty(recording.requests())
        }))

      it.effect("responds to preflights and lets scripts read what the server sends", () =>
        Effect.gen(function*() {
          const { recording } = yield* Proxies
          const token = yield* tokenFor
          yield* recording.reset
          const origin = "http://localhost:6274"
          const preflight = yield* ask(
            { origin, "access-control-request-method": "POST", "access-control-request-headers": "authorization" },
            "",
            { method: "OPTIONS", body: null }
          )
          assert.strictEqual(preflight.status, 204)
          assert.strictEqual(preflight.headers.get("access-control-allow-origin"), origin)
          assert.isEmpty(recording.requests())
          const response = yield* ask({ origin, authorization: `Bearer ${token}` })
          assert.strictEqual(response.status, 200)
          if (proxy === "nginx") assert.strictEqual(response.headers.get("access-control-allow-origin"), origin)
        }))

      it.effect("forwards a message that its client sends in pieces, after the decision", () =>
        Effect.gen(function*() {
          const { recording } = yield* Proxies
          const token = yield* tokenFor
          yield* recording.reset
          const body = message("tools/call", `{"name":"echo","arguments":{"text":"${"x".repeat(300_000)}"}}`)
          const response = yield* ask({ authorization: `Bearer ${token}` }, "", { body })
          assert.strictEqual(response.status, 200)
          const [seen] = recording.requests()
          assert.strictEqual(Buffer.from(yield* seen?.body ?? Effect.succeed(Buffer.alloc(0))).length, body.length)
        }))
    })
  }
})
