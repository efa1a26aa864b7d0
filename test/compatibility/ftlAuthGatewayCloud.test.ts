import { assert, layer } from "@effect/vitest"
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import { TestIssuer } from "../../src/issuer/TestIssuer.ts"
import { parseChallenge } from "../../src/testing/parseChallenge.ts"
import * as responses from "../support/upstreamResponses.ts"
import {
  bearer,
  challengeOf,
  curl,
  documentOf,
  initialize,
  type Replacement,
  type Reply,
  startReplacement
} from "./predecessor.ts"

/** The document's gateway as browsers and other machines see it: alone, and behind a proxy that it trusts. */
class Deployment extends Context.Service<Deployment, {
  readonly authKit: TestIssuer["Service"]
  readonly direct: Replacement
  readonly proxied: Replacement
}>()("mcp-authorizer/test/compatibility/ftlAuthGatewayCloud.test/Deployment") {
  static readonly layer = Layer.effect(
    Deployment,
    Effect.gen(function*() {
      const authKit = yield* TestIssuer.make({ subject: "user_123", claims: { email: "user@example.com" } })
      const token = yield* authKit.sign()
      const variables = (mcpGateway: string) => ({ authkit_issuer: authKit.issuer, mcp_gateway_url: mcpGateway })
      const direct = yield* startReplacement(variables, token)
      const proxied = yield* startReplacement((mcpGateway) => ({
        ...variables(mcpGateway),
        MCP_TRUSTED_PROXIES: "127.0.0.1",
        MCP_ALLOWED_ORIGINS: "https://inspector.example.com"
      }), token)
      return { authKit, direct, proxied }
    })
  )
}

const resourceOf = (system: Replacement, host: string, lines: ReadonlyArray<string> = []) =>
  Effect.gen(function*() {
    const document = documentOf(yield* curl(system, { host, lines, target: "/.well-known/oauth-protected-resource" }))
    const challenge = parseChallenge(challengeOf(yield* curl(system, { host, lines })))
    const { resource } = document as { readonly resource: string } // a failed cast shows in the comparison
    assert.strictEqual(
      challenge.parameters.get("resource_metadata"),
      resource.replace(/\/mcp$/, "/.well-known/oauth-protected-resource"),
      "challenge and document disagree"
    )
    return resource
  })

const fetchJson = (url: string, init?: RequestInit) =>
  Effect.promise(async () => {
    const response = await fetch(url, init)
    return { status: response.status, headers: response.headers, body: JSON.parse(await response.text()) }
  })

layer(Deployment.layer, { excludeTestServices: true })("FTL Auth Gateway in the cloud", (it) => {
  it.effect("FTL Auth Gateway \"Authentication Flow\" 1 to 8, by a client that knows nothing but the URL of /mcp", () =>
    Effect.gen(function*() {
      const { authKit, direct } = yield* Deployment
      yield* direct.reset
      const mcp = `${direct.gateway.origin}/mcp`

      // 1 and 2: no token; the challenge points to the metadata.
      const first = yield* fetchJson(mcp, { method: "POST", body: initialize })
      assert.strictEqual(first.status, 401)
      const challenge = parseChallenge(first.headers.get("www-authenticate") ?? "")
      assert.strictEqual(challenge.scheme, "Bearer")

      // 3: the metadata names AuthKit, whose own metadata agrees with the gateway's copy.
      const resource = yield* fetchJson(challenge.parameters.get("resource_metadata") ?? "")
      assert.strictEqual(resource.body.resource, mcp)
      const server = `${resource.body.authorization_servers[0]}/.well-known/oauth-authorization-server`
      const its = yield* fetchJson(server)
      const copy = yield* fetchJson(`${direct.gateway.origin}/.well-known/oauth-authorization-server`)
      for (const member of ["issuer", "token_endpoint", "jwks_uri", "introspection_endpoint", "userinfo_endpoint"]) {
        assert.strictEqual(copy.body[member], its.body[member], member)
      }

      // 4: a token from AuthKit, for this resource.
      const token = yield* fetchJson(copy.body.token_endpoint, {
        method: "POST",
        body: new URLSearchParams({
          grant_type: "client_credentials",
          client_id: authKit.client.id,
          client_secret: authKit.client.secret,
          resource: resource.body.resource
        })
      })

      // 5 to 7: the token is verified, the context injected, the request forwarded.
      const headers = { authorization: bearer(token.body.access_token), "content-type": "application/json" }
      const second = yield* fetchJson(mcp, { method: "POST", headers, body: initialize })
      const request = yield* direct.upstream.awaitRequest()
      const { params } = JSON.parse(Buffer.from(yield* request.body).toString())
      const context = { authenticated_user: "user_123", email: "user@example.com", provider: "authkit" }
      assert.deepStrictEqual(params._authContext, context)

      // 8: the response comes back, with CORS fields.
      assert.strictEqual(second.status, 200)
      assert.strictEqual(second.body.result.serverInfo.name, "recording-upstream")
      assert.deepStrictEqual(second.body.result.serverInfo.authInfo, context)
      assert.strictEqual(second.headers.get("access-control-allow-origin"), "*")
    }))

  for (const domain of ["fermyon.cloud", "fermyon.tech", "fermyon.app"]) {
    it.effect(`FTL Auth Gateway "HTTPS protocol detection for .fermyon.tech and .fermyon.cloud domains": myapp.${domain}`, () =>
      Effect.gen(function*() {
        const { direct } = yield* Deployment
        assert.strictEqual(yield* resourceOf(direct, `myapp.${domain}`), `https://myapp.${domain}/mcp`)
      }))
  }

  it.effect("FTL Auth Gateway \"automatically detects production environments\": http is for this machine only", () =>
    Effect.gen(function*() {
      const { direct } = yield* Deployment
      assert.strictEqual(yield* resourceOf(direct, "localhost:3000"), "http://localhost:3000/mcp")
      assert.strictEqual(yield* resourceOf(direct, "127.0.0.1:8080"), "http://127.0.0.1:8080/mcp")
      assert.strictEqual(yield* resourceOf(direct, "mcp.example.com:8080"), "https://mcp.example.com:8080/mcp")
      assert.strictEqual(yield* resourceOf(direct, "localhost.example.com"), "https://localhost.example.com/mcp")
    }))

  it.effect("FTL Auth Gateway \"Full support for X-Forwarded-Host and X-Forwarded-Proto\": from a trusted proxy", () =>
    Effect.gen(function*() {
      const { proxied } = yield* Deployment
      const host = "X-Forwarded-Host: mcp.example.com"
      assert.strictEqual(yield* resourceOf(proxied, "10.0.0.7:3000", [host]), "https://mcp.example.com/mcp")
      assert.strictEqual(
        yield* resourceOf(proxied, "10.0.0.7:3000", [host, "X-Forwarded-Proto: http"]),
        "http://mcp.example.com/mcp"
      )
      assert.strictEqual(
        yield* resourceOf(proxied, "localhost:3000", ["X-Forwarded-Proto: https"]),
        "https://localhost:3000/mcp"
      )
    }))

  it.effect("FTL Auth Gateway \"ensure X-Forwarded headers are properly set\": those of others are not trusted", () =>
    Effect.gen(function*() {
      const { direct } = yield* Deployment
      const lines = ["X-Forwarded-Host: evil.example", "X-Forwarded-Proto: https"]
      assert.strictEqual(yield* resourceOf(direct, "localhost:3000", lines), "http://localhost:3000/mcp")
    }))

  const origin = "https://inspector.example.com"
  const allows = (reply: Reply) => {
    assert.deepStrictEqual(reply.headers("access-control-allow-origin"), [origin])
    assert.include(reply.headers("vary").join(), "Origin")
  }

  it.effect("FTL Auth Gateway \"Built-in CORS handling for browser-based MCP clients\": the preflight needs no token", () =>
    Effect.gen(function*() {
      const { proxied } = yield* Deployment
      const reply = yield* curl(proxied, {
        method: "OPTIONS",
        lines: [
          `Origin: ${origin}`,
          "Access-Control-Request-Method: POST",
          "Access-Control-Request-Headers: authorization, content-type, mcp-protocol-version"
        ]
      })
      assert.strictEqual(reply.status, 204)
      allows(reply)
      assert.deepStrictEqual(reply.headers("access-control-allow-methods"), ["GET, POST, PUT, DELETE, OPTIONS"])
      assert.deepStrictEqual(reply.headers("access-control-allow-headers"), [
        "authorization, content-type, mcp-protocol-version"
      ])
      assert.deepStrictEqual(reply.headers("access-control-max-age"), ["86400"])
      const bare = yield* curl(proxied, { method: "OPTIONS" })
      for (const name of ["Authorization", "Content-Type", "Mcp-Session-Id", "MCP-Protocol-Version"]) {
        assert.include(bare.headers("access-control-allow-headers").join().split(", "), name)
      }
    }))

  it.effect("FTL Auth Gateway \"Response is proxied back to client with appropriate CORS headers\", and so are rejections", () =>
    Effect.gen(function*() {
      const { proxied } = yield* Deployment
      const lines = [`Origin: ${origin}`]
      yield* Effect.addFinalizer(() => proxied.reset)
      yield* proxied.upstream.respondWith(responses.respond({
        headers: { "access-control-allow-origin": "https://evil.example", "mcp-session-id": "s-1" },
        body: "{}"
      }))
      const request = { method: "POST", lines }
      const good = yield* curl(proxied, { ...request, authorization: bearer(proxied.token) })
      assert.strictEqual(good.status, 200)
      const bad = yield* curl(proxied, request)
      assert.strictEqual(bad.status, 401)
      for (const reply of [good, bad]) {
        allows(reply)
        assert.include(reply.headers("access-control-expose-headers").join(), "WWW-Authenticate, Mcp-Session-Id")
      }
    }))

  it.effect("FTL Auth Gateway \"cross-origin requests\": another origin is rejected, regardless of its token", () =>
    Effect.gen(function*() {
      const { proxied } = yield* Deployment
      yield* proxied.reset
      const reply = yield* curl(proxied, {
        method: "POST",
        authorization: bearer(proxied.token),
        lines: ["Origin: https://evil.example"]
      })
      assert.strictEqual(reply.status, 403)
      assert.lengthOf(reply.headers("access-control-allow-origin"), 0)
      assert.lengthOf(proxied.upstream.requests(), 0)
      yield* proxied.forwarded({ lines: [`Origin: ${origin}`] })
    }))
})
