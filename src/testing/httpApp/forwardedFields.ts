/** The fields that reach the MCP server. */
import * as Arbitrary from "effect/Arbitrary"
import * as Effect from "effect/Effect"
import type { UpstreamRequest } from "../../forward/GatewayClient.ts"
import type { Identity } from "../../identity/Identity.ts"
import { oneOf } from "../arbitrary.ts"
import * as assert from "../assert.ts"
import { type Requirement, requirement } from "../Requirement.ts"
import { anyCaller, good } from "./caller.ts"
import { message, ping } from "./clientRequest.ts"
import { assertVerified } from "./ownError.ts"
import { runApp, type RunningApp } from "./RunningApp.ts"
import { anySettings, settingsWith } from "./settings.ts"
import type { Subject } from "./Subject.ts"
import { ordinary } from "./upstream.ts"

const admitted = {
  settings: anySettings,
  caller: anyCaller,
  verdict: Arbitrary.Constant(good),
  upstream: Arbitrary.Constant(ordinary)
}

/** Returns the only request that has reached the MCP server. */
export const onlyForwarded = ({ forwarded }: RunningApp): UpstreamRequest => {
  const [request, ...more] = forwarded
  assert.isEmpty(more, "more than one request came to the MCP server")
  return request ?? assert.fail("no request came to the MCP server")
}

/** Folds a name as servers do that turn `X_Auth_User_Id` and `X-Auth-User-Id` into one variable. */
const fold = (name: string): string => name.toLowerCase().replace(/[^a-z0-9]+/g, "-").replace(/-$/, "")

/** Spellings of a name that some servers treat as the same; all of them are tokens (RFC 9110, section 5.6.2). */
const spelling = oneOf<(name: string) => string>([
  (name) => name,
  (name) => name.toUpperCase(),
  (name) => name.replaceAll("-", "_"),
  (name) => name.replace("-", "_"),
  (name) => name.replaceAll("-", "."),
  (name) => `${name}_`
])

const identityName = oneOf([
  "x-auth-user-id",
  "x-auth-client-id",
  "x-auth-issuer",
  "x-auth-scopes",
  "x-auth-email",
  "x-auth-provider",
  "x-auth-principal",
  "x-auth-roles",
  "x-forwarded-user",
  "x-remote-user",
  "x-user-id",
  "cookie"
])

/** The expected contents of the identity fields, decoded. */
const claimed = (identity: Identity): Record<string, ReadonlyArray<string>> => ({
  "x-auth-user-id": [identity.subject],
  "x-auth-issuer": [identity.issuer],
  "x-auth-provider": [identity.provider],
  ...(identity.principal === undefined ? {} : { "x-auth-principal": [identity.principal] }),
  ...(identity.clientId === undefined ? {} : { "x-auth-client-id": [identity.clientId] }),
  ...(identity.scopes.length === 0 ? {} : { "x-auth-scopes": identity.scopes }),
  ...(identity.email === undefined ? {} : { "x-auth-email": [identity.email] })
})

/** Asserts that the verified identity is present once and readable, without anything else that looks like one. */
export const assertIdentity = (
  { identity }: { readonly identity: Identity },
  { headers }: UpstreamRequest
): void => {
  const said = Object.entries(headers).filter(([name]) => fold(name).startsWith("x-auth"))
  for (const [name, value] of said) assert.match(value, /^[\x21-\x7e]*(?: [\x21-\x7e]+)*$/, name)
  assert.deepStrictEqual(
    Object.fromEntries(said.map(([name, value]) => [name, value.split(" ").map(decodeURIComponent)])),
    claimed(identity)
  )
  const names = Object.keys(headers).map(fold)
  assert.lengthOf(new Set(names), names.length, "a field came in two spellings")
}

const forgedValue = "forged-b3IgMT0x"

/** A request of the revision without fields that repeat the message, and of the one with them. */
const legacy = { fields: { "mcp-protocol-version": "2025-11-25" }, body: ping }
const modern = {
  fields: { "mcp-protocol-version": "2026-07-28", "mcp-method": "ping" },
  body: `{"jsonrpc":"2.0","id":1,"method":"ping","params":{"_meta":{` +
    `"io.modelcontextprotocol/protocolVersion":"2026-07-28","io.modelcontextprotocol/clientCapabilities":{}}}}`
}

// RFC 9110, section 7.6.1, and what older proxies add to it.
const hopByHop = [
  "connection",
  "keep-alive",
  "proxy-connection",
  "proxy-authorization",
  "te",
  "trailer",
  "transfer-encoding",
  "upgrade"
]

export const forwardedFields: ReadonlyArray<Requirement<Subject>> = [
  requirement(
    {
      id: "APP-60",
      title:
        "MUST send the verified identity to the MCP server once, in fields that no claim can break and no client can forge",
      source: "RFC 9110, sections 5.5 and 5.6.2; RFC 3986, section 2.1",
      runs: 80
    },
    { ...admitted, forged: Arbitrary.array(Arbitrary.all([identityName, spelling]), { maxLength: 4 }) },
    Effect.fnUntraced(function*({ forged, ...circumstances }) {
      const app = yield* runApp(circumstances)
      const fields = Object.fromEntries(forged.map(([name, spell]) => [spell(name), forgedValue]))
      yield* app.send(message(fields))
      const request = onlyForwarded(app)
      assertIdentity(app, request)
      assert.notInclude(JSON.stringify(request.headers), forgedValue)
    })
  ),

  requirement(
    {
      id: "APP-61",
      title: "MUST NOT forward the client's credentials",
      source: "MCP 2025-11-25, authorization, Access Token Privilege Restriction",
      runs: 30
    },
    {
      ...admitted,
      name: oneOf(["cookie", "proxy-authorization", "x-access-token", "x-forwarded-access-token", "authorization_"])
    },
    Effect.fnUntraced(function*({ name, ...circumstances }) {
      const app = yield* runApp(circumstances)
      yield* app.send(message({ [name]: "Bearer {token}" }))
      const { headers, target } = onlyForwarded(app)
      const { token } = circumstances.caller
      for (const part of [token, ...token.split(".")]) assert.notInclude(JSON.stringify([headers, target]), part)
      assert.notInclude(Object.keys(headers).map(fold), "authorization")
    })
  ),

  requirement(
    {
      id: "APP-62",
      title: "MUST remove hop-by-hop fields, and keep its own fields regardless of the client's Connection",
      source: "RFC 9110, section 7.6.1",
      runs: 60
    },
    {
      ...admitted,
      connection: oneOf([
        "keep-alive",
        "close, x-named",
        "x-named , X-Auth-User-Id,x-auth-email",
        "x-trace-id, x-named"
      ]),
      field: oneOf(["keep-alive", "te", "trailer", "upgrade", "proxy-connection"])
    },
    Effect.fnUntraced(function*({ connection, field, ...circumstances }) {
      const app = yield* runApp(circumstances)
      const { headers } = yield* app.send(
        message({ connection, [field]: "x-named", "x-named": "1", "x-kept": "a, \u00e9" })
      )
      const request = onlyForwarded(app)
      for (const name of hopByHop) assert.notProperty(request.headers, name)
      assert.strictEqual("x-named" in request.headers, !connection.includes("x-named"))
      assert.strictEqual(request.headers["x-kept"], "a, \u00e9")
      const { traceHeader } = app.settings
      assert.strictEqual(request.headers[traceHeader], headers.get(traceHeader))
      assertIdentity(app, request)
    })
  ),

  requirement(
    {
      id: "APP-65",
      title: "MUST NOT forward fields that only the platform below the MCP server may set",
      source: "Spin, HTTP trigger, Additional Request Information"
    },
    {
      ...admitted,
      name: oneOf([
        "spin-path-info",
        "spin-full-url",
        "spin-client-addr",
        "spin-matched-route",
        "x-appengine-user-email"
      ]),
      spelling
    },
    Effect.fnUntraced(function*({ name, spelling, ...circumstances }) {
      const app = yield* runApp(circumstances)
      yield* app.send(message({ [spelling(name)]: forgedValue, "x-spin": "kept" }))
      const { headers } = onlyForwarded(app)
      assert.notInclude(JSON.stringify(headers), forgedValue)
      assert.strictEqual(headers["x-spin"], "kept")
    })
  ),

  requirement(
    {
      id: "APP-63",
      title: "MUST forward the fields of MCP and of content unchanged",
      source: "MCP 2025-11-25, transports, Session Management and Protocol Version Header"
    },
    {
      ...admitted,
      settings: settingsWith({ bind_sessions: Arbitrary.Constant(false) }),
      fields: Arbitrary.all({
        accept: oneOf(["application/json, text/event-stream", "*/*"]),
        "mcp-session-id": oneOf(["1868a90c", "~!#$%&'*+"]),
        "last-event-id": oneOf(["1", "event 2"]),
        "accept-language": oneOf(["de", "fr;q=0.5"]),
        "x-custom": oneOf(["", "a", "\u00e9"])
      }),
      revision: oneOf([legacy, modern])
    },
    Effect.fnUntraced(function*({ fields, revision, ...circumstances }) {
      const app = yield* runApp(circumstances)
      const sent = { ...fields, ...revision.fields }
      yield* app.send(message(sent, revision.body))
      assert.deepInclude(onlyForwarded(app).headers, { ...sent, "content-type": "application/json" })
    })
  ),

  requirement(
    {
      id: "APP-64",
      title: "MUST NOT forward client-sent identities while authentication is disabled",
      source: "src/forward/README.md, What the MCP server sees",
      runs: 40
    },
    {
      ...admitted,
      settings: settingsWith({
        auth_enabled: Arbitrary.Constant(false),
        required_scopes: Arbitrary.Constant(undefined)
      }),
      forged: Arbitrary.array(Arbitrary.all([identityName, spelling]), { maxLength: 4 })
    },
    Effect.fnUntraced(function*({ forged, ...circumstances }) {
      const app = yield* runApp(circumstances)
      const fields = Object.fromEntries(forged.map(([name, spell]) => [spell(name), forgedValue]))
      const forgedContext = `{"_authContext":{"authenticated_user":"${forgedValue}"}}`
      const { relayed } = yield* app.send(
        message(fields, `{"jsonrpc":"2.0","id":1,"method":"initialize","params":${forgedContext}}`)
      )
      assert.isTrue(relayed)
      const { body, headers } = onlyForwarded(app)
      assert.notInclude(JSON.stringify(headers), forgedValue)
      assert.isEmpty(Object.keys(headers).map(fold).filter((name) => name.startsWith("x-auth")))
      assert.deepStrictEqual(JSON.parse(new TextDecoder().decode(body)).params, {})
      assertVerified(app, [])
    })
  )
]
