/** The documents that tell clients where to get a token. */
import * as Arbitrary from "effect/Arbitrary"
import * as Effect from "effect/Effect"
import type { GatewaySettings } from "../../config/GatewaySettings.ts"
import { either, oneOf } from "../arbitrary.ts"
import * as assert from "../assert.ts"
import { type Requirement, requirement } from "../Requirement.ts"
import { anyCaller, anyVerdict } from "./caller.ts"
import { anyAuthorization, anyMethod, anyOrigin, discoveryTarget, get, malformedHost } from "./clientRequest.ts"
import { assertNotForwarded, assertOwnError, assertVerified } from "./ownError.ts"
import { type AppResponse, runApp } from "./RunningApp.ts"
import { anySettings, settingsWith } from "./settings.ts"
import type { Subject } from "./Subject.ts"
import { anyUpstream } from "./upstream.ts"

const anything = { settings: anySettings, caller: anyCaller, verdict: anyVerdict, upstream: anyUpstream }

const issuers = ({ providers }: GatewaySettings): ReadonlyArray<string> => [
  ...new Set(
    providers.flatMap((provider) =>
      "issuer" in provider && typeof provider.issuer === "string" ? [provider.issuer] : []
    )
  )
]

/** The fields that a proxy adds to a request, one at a time and all together. */
const forwarding: ReadonlyArray<Readonly<Record<string, string>>> = [
  { "x-forwarded-host": "evil.example" },
  { "x-original-host": "evil.example" },
  { "x-forwarded-proto": "http" },
  { "x-forwarded-prefix": "/evil" },
  { "forwarded": "host=evil.example;proto=http" },
  { "x-forwarded-host": "evil.example/evil" },
  { "x-forwarded-proto": "evil" },
  { "x-forwarded-host": "evil.example", "x-forwarded-proto": "http", "x-forwarded-prefix": "/evil" }
]

/** Asserts that a response is a public document, and reads it. */
export const readDocument = ({ headers, status, text }: AppResponse): Record<string, unknown> => {
  assert.strictEqual(status, 200, text)
  assert.strictEqual(headers.get("content-type"), "application/json")
  assert.strictEqual(headers.get("cache-control"), "public, max-age=3600")
  assert.strictEqual(headers.get("access-control-allow-origin"), "*")
  return JSON.parse(text)
}

export const discovery: ReadonlyArray<Requirement<Subject>> = [
  requirement(
    {
      id: "APP-20",
      title: "MUST describe the protected resource as configured, identically at both of its URLs",
      source: "RFC 9728, sections 2, 3.1 and 3.2; MCP 2025-11-25, authorization, Authorization Server Location"
    },
    anything,
    Effect.fnUntraced(function*(circumstances) {
      const app = yield* runApp(circumstances)
      const { path, publicUrl, scopesSupported } = app.settings
      const response = yield* app.send(get("/.well-known/oauth-protected-resource"))
      const { authorization_servers, bearer_methods_supported, resource, scopes_supported } = readDocument(response)
      assert.strictEqual(resource, (publicUrl ?? "https://gateway.test") + (path === "/" ? "" : path))
      // RFC 9728, section 3.2, requires that an empty member is left out; clients also accept an empty list.
      const servers = issuers(app.settings)
      assert.deepStrictEqual(authorization_servers, servers.length === 0 ? undefined : servers)
      assert.deepStrictEqual(bearer_methods_supported, ["header"])
      assert.deepStrictEqual(scopes_supported, scopesSupported.length === 0 ? undefined : scopesSupported)
      const inserted = yield* app.send(get("/.well-known/oauth-protected-resource{mcp}"))
      assert.strictEqual(inserted.text, response.text)
      const head = yield* app.send({ ...get("/.well-known/oauth-protected-resource"), method: "HEAD" })
      assert.deepStrictEqual([head.status, head.text], [200, ""])
    })
  ),

  requirement(
    {
      id: "APP-21",
      title: "MUST serve discovery without looking at credentials or origin, even in an outage: never 401 or 403",
      source: "RFC 9728, section 3.2; RFC 8414, section 3",
      runs: 40
    },
    {
      ...anything,
      target: discoveryTarget,
      method: anyMethod,
      authorization: anyAuthorization,
      origin: anyOrigin
    },
    Effect.fnUntraced(function*({ authorization, method, origin, target, ...circumstances }) {
      const app = yield* runApp(circumstances)
      const bare = { ...get(target), method }
      const plain = yield* app.send(bare)
      const response = yield* app.send({
        ...bare,
        headers: {
          ...(authorization === undefined ? {} : { authorization }),
          ...(origin === undefined ? {} : { origin })
        }
      })
      assert.notInclude([401, 403], response.status)
      assert.deepStrictEqual([response.status, response.text], [plain.status, plain.text])
      if (method !== "GET" && method !== "HEAD") {
        assertOwnError(app, response, { status: 405, error: "method_not_allowed", elsewhere: true })
        assert.include(response.headers.get("allow") ?? "", "GET")
      }
      assertVerified(app, [])
      assertNotForwarded(app)
    })
  ),

  requirement(
    {
      id: "APP-22",
      title: "MUST reject a malformed Host with 400, and repeat nothing of it",
      source: "RFC 9110, section 7.2; RFC 9112, section 3.2"
    },
    { ...anything, host: malformedHost, target: oneOf(["/.well-known/oauth-protected-resource", "{mcp}"]) },
    Effect.fnUntraced(function*({ host, target, ...circumstances }) {
      const app = yield* runApp(circumstances)
      const response = yield* app.send(get(target, { host, authorization: "Bearer {token}" }))
      assertOwnError(app, response, { status: 400, error: "invalid_request", elsewhere: target !== "{mcp}" })
      assert.notInclude([...response.headers].flat().join() + response.text, "vil")
      assertVerified(app, [])
      assertNotForwarded(app)
    })
  ),

  requirement(
    {
      id: "APP-23",
      title: "MUST NOT let forwarding fields of untrusted peers change what discovery says",
      source: "RFC 9728, section 7.3; RFC 7239, section 8.1",
      runs: 40
    },
    {
      ...anything,
      // Without a public URL, the request determines the URL of the resource.
      settings: settingsWith({ public_url: oneOf([undefined, undefined, "https://mcp.example.com"]) }),
      target: either(Arbitrary.Constant("/.well-known/oauth-protected-resource"), discoveryTarget)
    },
    Effect.fnUntraced(function*({ target, ...circumstances }) {
      const app = yield* runApp(circumstances)
      const plain = yield* app.send(get(target))
      for (const fields of forwarding) {
        const response = yield* app.send(get(target, fields))
        assert.deepStrictEqual([response.status, response.text], [plain.status, plain.text], Object.keys(fields).join())
        assert.strictEqual(response.headers.get("location"), plain.headers.get("location"))
      }
    })
  ),

  requirement(
    {
      id: "APP-24",
      title: "MUST respond 404 not_found as JSON to everyone where there is no route",
      source: "RFC 9110, section 15.5.5; RFC 9728, section 3.1",
      runs: 50
    },
    {
      ...anything,
      settings: Arbitrary.map(anySettings, (settings) => ({ ...settings, path: "/mcp" })),
      method: oneOf(["GET", "POST"]),
      target: oneOf([
        "/",
        "/nothing",
        "/.well-known/oauth-protected-resource/other",
        "/.well-known/oauth-authorization-server/mcp/x",
        "/.well-known/other",
        "/MCP",
        "//mcp",
        "//mcp/tools",
        "/mcp;a=b",
        "/mcp%2fx",
        "/mcp//x",
        "/mcp/x%2f..%2fy",
        "/mcp/x%5cy",
        "/mcp/x%00",
        "/mcp/x;a=b",
        "/%6dcp"
      ]),
      authorization: anyAuthorization
    },
    Effect.fnUntraced(function*({ authorization, method, target, ...circumstances }) {
      const app = yield* runApp(circumstances)
      const headers = authorization === undefined ? {} : { authorization }
      const response = yield* app.send({ ...get(target, headers), method })
      assertOwnError(app, response, { status: 404, error: "not_found", elsewhere: true })
      assertNotForwarded(app)
    })
  )
]
