/**
 * The component responds like the Node service: to the requests that predecessors document, and to those of attackers.
 */
import { assert, layer } from "@effect/vitest"
import * as Effect from "effect/Effect"
import { Misbehaviour } from "../../src/issuer/Misbehaviour.ts"
import { TestIssuer } from "../../src/issuer/TestIssuer.ts"
import { initializeOf, message, toolCall, toolsList } from "../fixtures/messages.ts"
import { encoded, modernCall, modernFields } from "../fixtures/modernMessages.ts"
import { makeEventStream } from "../support/eventStream.ts"
import { openResponse } from "../support/openResponse.ts"
import { respond, withCookies } from "../support/upstreamResponses.ts"
import { bothGateways, type Variables } from "./support/BothGateways.ts"
import { ComponentHost } from "./support/ComponentHost.ts"

const bearer = (token: string) => `Authorization: Bearer ${token}`

const initialize = initializeOf("2025-03-26")

/** The configuration of the AuthKit Example for development. */
const staticTokens = (gateway: string): Variables => ({
  mcp_provider_type: "static",
  mcp_static_tokens: "dev-token:dev-client:dev-user:read,write",
  mcp_gateway_url: gateway
})

const pay = (amount: number) => message("tools/call", `{"name":"pay","arguments":{"amount":${amount}}}`)

/** The configuration in the manifest of the FTL Auth Gateway, with an issuer on this machine. */
const issuerVariables = (issuer: TestIssuer["Service"]) => (gateway: string): Variables => ({
  auth_enabled: "true",
  auth_gateway_url: gateway,
  auth_provider_type: "oidc",
  auth_provider_issuer: issuer.issuer,
  auth_provider_jwks_uri: issuer.jwksUri,
  auth_provider_audience: "mcp-api"
})

layer(ComponentHost.layer, { excludeTestServices: true, timeout: "3 minutes" })("Component and Node service", (it) => {
  it.effect("SPIN-PARITY-01 MUST respond alike to what predecessors document with curl", () =>
    Effect.gen(function*() {
      const { exchange } = yield* bothGateways(staticTokens)
      const challenge = yield* exchange({})
      assert.strictEqual(challenge.status, 401)
      assert.deepStrictEqual(challenge.headers["www-authenticate"], [
        `Bearer error="unauthorized", error_description="Missing authorization header", ` +
        `resource_metadata="http://localhost:3000/.well-known/oauth-protected-resource"`
      ])
      const listed = yield* exchange({ lines: [bearer("dev-token")], body: toolsList })
      assert.strictEqual(listed.status, 200)
      assert.strictEqual(listed.forwarded?.body, toolsList)
      assert.strictEqual(listed.forwarded?.request, "POST /mcp-internal")
      const started = yield* exchange({ lines: [bearer("dev-token")], body: initialize })
      assert.include(started.forwarded?.body, `"authenticated_user":"dev-user"`)
      assert.include(started.text, `"authInfo"`)
    }))

  it.effect("respond alike to what rules allow and deny, without a token and with one", () =>
    Effect.gen(function*() {
      const { exchange } = yield* bothGateways((gateway) => ({
        ...staticTokens(gateway),
        mcp_rules: JSON.stringify([
          { methods: ["initialize", "tools/list", "ping"], allow: "anyone" },
          { tools: ["delete_*"], scopes: ["notes:delete"] },
          { tools: ["pay"], when: "message.arguments.amount <= 100 && identity.subject == 'dev-user'" },
          { tools: ["*"], scopes: ["read"] }
        ]),
        mcp_default_rule: "deny",
        mcp_scope_implies: `{"write":["read"]}`
      }))
      const rows: ReadonlyArray<readonly [body: string, without: number, withToken: number]> = [
        [toolsList, 200, 200],
        [initialize, 200, 200],
        [toolCall("echo"), 401, 200],
        [toolCall("delete_all"), 401, 403],
        [pay(100), 401, 200],
        [pay(101), 401, 403],
        [message("unknown"), 401, 403],
        [`[${toolsList},${toolCall("delete_all")}]`, 401, 403],
        [message("tools/call", `{"name":"echo","Name":"delete_all"}`), 401, 400],
        [message("tools/call", `{"name":1}`), 401, 400]
      ]
      for (const [body, without, withToken] of rows) {
        for (const [lines, status] of [[[], without], [[bearer("dev-token")], withToken]] as const) {
          const seen = yield* exchange({ lines, body })
          assert.strictEqual(seen.status, status, body)
          assert.strictEqual(seen.forwarded !== undefined, status === 200, body)
        }
      }
      assert.strictEqual((yield* exchange({ method: "GET" })).status, 405)
    }))

  it.effect("SPIN-PARITY-02 MUST serve the same discovery documents, readable for browsers", () =>
    Effect.gen(function*() {
      const issuer = yield* TestIssuer.make({ audience: "mcp-api" })
      const both = yield* bothGateways(issuerVariables(issuer))
      const origin = "Origin: https://app.example"
      for (const name of ["oauth-protected-resource", "oauth-authorization-server", "openid-configuration"]) {
        for (const suffix of ["", "/mcp", "/other"]) {
          for (const method of ["GET", "HEAD", "POST", "OPTIONS"]) {
            const { headers } = yield* both.exchange({
              method,
              target: `/.well-known/${name}${suffix}`,
              lines: [origin, ...(method === "POST" ? ["Content-Length: 0"] : [])]
            })
            assert.deepStrictEqual(headers["access-control-allow-origin"], ["*"])
          }
        }
      }
      const preflight = yield* both.exchange({
        method: "OPTIONS",
        lines: [origin, "Access-Control-Request-Method: POST", "Access-Control-Request-Headers: x-one, x-two"]
      })
      assert.strictEqual(preflight.status, 204)
    }))

  it.effect("SPIN-PARITY-03 MUST accept and reject the same tokens of an issuer", () =>
    Effect.gen(function*() {
      const issuer = yield* TestIssuer.make({ audience: "mcp-api", claims: { email: "user@example.com" } })
      const stranger = yield* TestIssuer.make({ audience: "mcp-api" })
      const { exchange } = yield* bothGateways(issuerVariables(issuer))
      const good = yield* issuer.sign()
      const accepted = yield* exchange({ lines: [bearer(good)], body: initialize })
      assert.strictEqual(accepted.status, 200)
      assert.deepStrictEqual(accepted.forwarded?.headers["x-auth-user-id"], ["user-1"])

      const [header = "", payload = "", signature = ""] = good.split(".")
      const rejected = {
        expired: yield* issuer.sign({ expiresIn: "-2 minutes" }),
        early: yield* issuer.sign({ claims: { nbf: 4_102_444_800 } }),
        audience: yield* issuer.sign({ claims: { aud: "another" } }),
        stranger: yield* stranger.sign(),
        forged: yield* issuer.sign({ key: yield* stranger.key() }),
        subjectless: yield* issuer.sign({ claims: { sub: undefined } }),
        none: yield* issuer.sign({ header: { alg: "none", kid: undefined } }),
        changed: `${header}.${payload}.${signature.startsWith("A") ? "B" : "A"}${signature.slice(1)}`,
        unsigned: `${header}.${payload}.`,
        garbage: "garbage"
      }
      for (const [name, token] of Object.entries(rejected)) {
        const { forwarded, status } = yield* exchange({ lines: [bearer(token)], body: toolsList })
        assert.strictEqual(status, 401, name)
        assert.isUndefined(forwarded, name)
      }
    }))

  for (const type of ["userinfo", "introspection"] as const) {
    it.effect(`SPIN-PARITY-07 MUST accept and reject the same opaque tokens (${type})`, () =>
      Effect.gen(function*() {
        const issuer = yield* TestIssuer.make({ audience: "mcp-api", claims: { email: "user@example.com" } })
        const { exchange } = yield* bothGateways((gateway) => ({
          mcp_gateway_url: gateway,
          mcp_provider_type: type,
          mcp_jwt_issuer: issuer.issuer,
          ...(type === "userinfo"
            ? { mcp_oauth_userinfo_endpoint: issuer.userinfoEndpoint }
            : {
              mcp_introspection_url: issuer.introspectionEndpoint,
              mcp_client_id: issuer.client.id,
              mcp_client_secret: issuer.client.secret
            })
        }))
        const good = yield* issuer.issueOpaque()
        for (let count = 0; count < 2; count++) {
          const { forwarded, status } = yield* exchange({ lines: [bearer(good)], body: toolsList })
          assert.strictEqual(status, 200)
          assert.deepStrictEqual(forwarded?.headers["x-auth-user-id"], ["user-1"])
        }
        assert.include((yield* exchange({ lines: [bearer(good)], body: initialize })).text, `"authInfo"`)
        const revoked = yield* issuer.issueOpaque()
        yield* issuer.revoke(revoked)
        for (const token of [revoked, "unknown", "unknown"]) {
          const { forwarded, status } = yield* exchange({ lines: [bearer(token)], body: toolsList })
          assert.strictEqual(status, 401)
          assert.isUndefined(forwarded)
        }
        yield* exchange({ target: "/.well-known/oauth-authorization-server" })
        const place = type === "userinfo" ? issuer.userinfoEndpoint : issuer.introspectionEndpoint
        yield* issuer.misbehave(new URL(place).pathname, Misbehaviour.Respond({ status: 503 }), Infinity)
        const unverified = yield* exchange({ lines: [bearer(yield* issuer.issueOpaque())], body: toolsList })
        assert.strictEqual(unverified.status, 500)
        assert.strictEqual((yield* exchange({ lines: [bearer(good)], body: toolsList })).status, 200)
      }))
  }

  it.effect("SPIN-PARITY-04 MUST reject the same malformed requests", () =>
    Effect.gen(function*() {
      const { exchange } = yield* bothGateways(staticTokens)
      const token = bearer("dev-token")
      const statuses: Array<number> = []
      for (
        const request of [
          { lines: ["Authorization: Basic ZGV2"], body: toolsList },
          { lines: ["Authorization: Bearer"], body: toolsList },
          { lines: ["Authorization: Bearer wrong"], body: toolsList },
          { target: "/mcp?access_token=dev-token", body: toolsList },
          { lines: [token], body: "not json" },
          { lines: [token], body: `{"jsonrpc":"2.0","method":"a","method":"b","id":1}` },
          { lines: [token], body: `${"[".repeat(300)}${"]".repeat(300)}` },
          { lines: [token], target: "/mcp/%2e%2e/admin", body: toolsList },
          { lines: [token], target: "/mcp/a%2fb", body: toolsList },
          { lines: [token], target: "/MCP", body: toolsList },
          { lines: [token], target: "/mcpx", body: toolsList },
          { lines: [token], target: "/other", body: toolsList },
          { lines: [token, "Content-Encoding: gzip"], body: toolsList },
          { lines: [token], method: "TRACE" }
        ]
      ) {
        const { forwarded, status } = yield* exchange(request)
        assert.isUndefined(forwarded, JSON.stringify(request))
        statuses.push(status)
      }
      assert.isTrue(statuses.every((status) => status >= 400 && status < 500), statuses.join())
    }))

  /** A caller whose token is found in the settings, and one whose token the store knows from its second request on. */
  const callers = {
    "in the settings": Effect.succeed({ variables: staticTokens, token: "dev-token", subject: "dev-user" }),
    "in the store": Effect.gen(function*() {
      const issuer = yield* TestIssuer.make({ audience: "mcp-api", keys: "reused" })
      return { variables: issuerVariables(issuer), token: yield* issuer.sign(), subject: "user-1" }
    })
  }

  for (const [where, caller] of Object.entries(callers)) {
    it.effect(`SPIN-PARITY-05 MUST forward the same requests and pass on the same responses (the caller is known ${where})`, () =>
      Effect.gen(function*() {
        const { subject, token: text, variables } = yield* caller
        const { exchange, upstream } = yield* bothGateways(variables)
        const token = bearer(text)
        yield* exchange({ lines: [token], body: toolsList })
        const forged = ["X-Auth-User-Id: admin", "x_auth_scopes: all", "Cookie: a=b", "X-Forwarded-For: 10.0.0.1"]
        const sent = yield* exchange({
          lines: [token, ...forged],
          body: `{"jsonrpc":"2.0","id":9007199254740993,"method":"x"}`
        })
        assert.deepStrictEqual(sent.forwarded?.headers["x-auth-user-id"], [subject])
        assert.isUndefined(sent.forwarded?.headers["cookie"])
        assert.include(sent.forwarded?.body, "9007199254740993")
        yield* exchange({ lines: [token], target: "/mcp/sub/path?q=%20x&y", body: toolsList })
        yield* exchange({ lines: [token], target: "/mcp/%2e%2e/admin", body: toolsList })
        yield* exchange({ lines: [token], target: "/mcp?access_token=a", body: toolsList })
        yield* exchange({ lines: [token], body: `{"jsonrpc":"2.0","method":"notifications/initialized"}` })
        yield* exchange({ lines: [token], body: initialize })
        yield* exchange({ lines: [token], body: "not json" })
        yield* exchange({ lines: [token, "Content-Encoding: gzip"], body: toolsList })
        yield* exchange({ lines: [token], method: "DELETE" })
        yield* exchange({ lines: [token] })
        for (
          const response of [
            respond({ status: 404, headers: { "content-type": "text/plain" }, body: "no such session" }),
            respond({ status: 500, headers: { "content-type": "application/json" }, body: "{}" }),
            respond({ status: 202, headers: { "content-length": "0" } }),
            respond({ status: 202 }),
            respond({ status: 204 }),
            respond({ headers: { "mcp-session-id": "s-1", "access-control-allow-origin": "https://evil.example" } }),
            respond({
              headers: { vary: "Accept", "cache-control": "private", connection: "x-a", "x-a": "b" },
              body: "{}"
            }),
            respond({ status: 401, headers: { "www-authenticate": "Bearer" } }),
            respond({ status: 302, headers: { location: "https://evil.example/" } }),
            withCookies("a=1; Path=/; HttpOnly")
          ]
        ) {
          yield* upstream.respondWith(response)
          yield* exchange({ lines: [token, "Origin: https://app.example"], body: toolsList })
        }
      }))
  }

  it.effect("SPIN-PARITY-08 MUST pass on several events that come at once, the response to initialize among them", () =>
    Effect.gen(function*() {
      const { exchange, upstream } = yield* bothGateways(staticTokens)
      const response = `{"jsonrpc":"2.0","id":1,"result":{"serverInfo":{"name":"server","version":"1.0"}}}`
      const events = `id: 1\nretry: 10\ndata: \n\n: heartbeat\n\nid: 2\ndata: ${response}\n\nid: 3\ndata: {}\n\n`
      yield* upstream.respondWith(respond({ headers: { "content-type": "text/event-stream" }, body: events }))
      const { text } = yield* exchange({ lines: [bearer("dev-token")], body: initialize })
      assert.include(text, `"authInfo"`)
      assert.include(text, "id: 3")
    }))

  it.effect("SPIN-PARITY-09 MUST let a caller's session go on at replicas of either kind, and no other caller's", () =>
    Effect.gen(function*() {
      const { exchange, upstream } = yield* bothGateways((gateway) => ({
        mcp_gateway_url: gateway,
        mcp_static_tokens: "alice-1:app:alice:;alice-2:app:alice:;mallory:app:mallory:;other:another:alice:",
        mcp_session_key: "the-key-of-all-replicas-000000000000"
      }))
      yield* upstream.respondWith(
        respond({ headers: { "content-type": "application/json", "mcp-session-id": "own" }, body: "{}" })
      )
      // The same at both: what one of them has sealed is what the other one would have.
      const { headers } = yield* exchange({ lines: [bearer("alice-1")], body: initialize })
      const [session = ""] = headers["mcp-session-id"] ?? []
      assert.match(session, /^.{43}\.own$/)
      const known = `Mcp-Session-Id: ${session}`
      for (const request of [{ body: toolsList }, { lines: ["Last-Event-ID: 7"] }, { method: "DELETE" }]) {
        const lines = request.lines ?? []
        const own = yield* exchange({ ...request, lines: [...lines, bearer("alice-2"), known] })
        assert.deepStrictEqual([own.status, own.headers["mcp-session-id"]], [200, [session]])
        assert.deepStrictEqual(own.forwarded?.headers["mcp-session-id"], ["own"])
        const others = [["mallory", known], ["other", known], ["alice-1", "Mcp-Session-Id: own"]] as const
        for (const [token, field] of others) {
          const { forwarded, status } = yield* exchange({ ...request, lines: [...lines, bearer(token), field] })
          assert.deepStrictEqual([status, forwarded], [404, undefined], token)
        }
      }
    }))

  it.effect("SPIN-PARITY-10 MUST compare the fields that repeat a message with it", () =>
    Effect.gen(function*() {
      const { exchange } = yield* bothGateways(staticTokens)
      // A value that looks encoded must be encoded once more.
      const tool = encoded("wetter")
      const sent = (name: string | undefined, version?: string) =>
        exchange({
          lines: [bearer("dev-token"), ...modernFields("tools/call", name, version)],
          body: modernCall(tool)
        })
      const agreeing = yield* sent(encoded(tool))
      assert.deepStrictEqual([agreeing.status, agreeing.forwarded?.body], [200, modernCall(tool)])
      const disagreeing = [
        yield* sent(undefined),
        yield* sent(tool),
        yield* sent(encoded("weather")),
        yield* sent(encoded(tool), ""),
        yield* sent(encoded(tool), "2025-11-25")
      ]
      for (const { forwarded, status, text } of disagreeing) {
        const { error, id } = JSON.parse(text)
        assert.deepStrictEqual([status, id, error.code, forwarded], [400, 7, -32020, undefined])
      }
    }))

  it.effect("SPIN-PARITY-06 MUST pass on each event of a stream as it comes", () =>
    Effect.gen(function*() {
      const { host, upstream } = yield* bothGateways(staticTokens)
      const events = yield* makeEventStream()
      yield* upstream.respondWith(events.handler)
      const headers = { authorization: "Bearer dev-token", accept: "text/event-stream" }
      const response = yield* openResponse(`${host.origin}/mcp`, { method: "GET", headers })
      assert.strictEqual(response.status, 200)
      assert.deepStrictEqual(response.headers("content-type"), ["text/event-stream"])
      for (const event of ["data: 1\n\n", "data: 2\n\n", "data: 3\n\n"]) {
        yield* events.write(event)
        // The next one is not sent before this one has come.
        assert.strictEqual(yield* response.take(event.length), event)
      }
      yield* events.end
      assert.strictEqual(yield* response.ended, "Complete")
    }))
})
