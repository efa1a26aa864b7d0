/** The contents of 401 and 403 responses, and where they lead. */
import * as Arbitrary from "effect/Arbitrary"
import * as Effect from "effect/Effect"
import type { GatewaySettings } from "../../config/GatewaySettings.ts"
import { oneOf } from "../arbitrary.ts"
import * as assert from "../assert.ts"
import { type Requirement, requirement } from "../Requirement.ts"
import { anyCaller, good, rejected, rejectionTexts } from "./caller.ts"
import { get, message } from "./clientRequest.ts"
import { requiredScopes } from "./fixture.ts"
import { assertOwnError, readChallenge } from "./ownError.ts"
import { authority, runApp, type RunningApp } from "./RunningApp.ts"
import { anySettings, settingsWith } from "./settings.ts"
import type { Subject } from "./Subject.ts"
import { ordinary } from "./upstream.ts"

const wellKnown = "/.well-known/oauth-protected-resource"

const host = oneOf([undefined, "localhost", "127.0.0.1:8080", "[::1]:3000", "Mcp.Example.com:8443", "a-b.example"])

const loopbackHosts = new Set(["localhost", "127.0.0.1", "[::1]"])

/** The gateway's URL for a client that sends this `Host`. */
const publicUrl = ({ publicUrl }: GatewaySettings, host = authority): string => {
  if (publicUrl !== undefined) return publicUrl
  const { hostname } = new URL(`http://${host}`)
  return new URL(`${loopbackHosts.has(hostname) ? "http" : "https"}://${host}`).origin
}

/** Fetches a URL of the app as a client would: a proxy in front removes the public URL's own path. */
const fetchFrom = (app: RunningApp, url: string, host: string | undefined) => {
  const base = publicUrl(app.settings, host)
  assert.isTrue(url.startsWith(`${new URL(base).origin}/`), `${url} is not of this gateway`)
  const target = url.startsWith(`${base}/`) ? url.slice(base.length) : url.slice(new URL(base).origin.length)
  return app.send(get(target, host === undefined ? {} : { host }))
}

const sorted = (scopes: string | undefined): ReadonlyArray<string> => (scopes ?? "").split(" ").toSorted()

const common = { caller: anyCaller, upstream: Arbitrary.Constant(ordinary) }

export const challenges: ReadonlyArray<Requirement<Subject>> = [
  requirement(
    {
      id: "APP-10",
      title: "MUST respond 401 to a request without credentials, in the configured error style",
      source: "RFC 6750, section 3.1; MCP 2025-11-25, authorization, Access Token Usage"
    },
    { ...common, settings: anySettings, verdict: Arbitrary.Constant(good), method: oneOf(["GET", "POST", "DELETE"]) },
    Effect.fnUntraced(function*({ method, ...circumstances }) {
      const app = yield* runApp(circumstances)
      const response = yield* app.send({ ...get("{mcp}"), method })
      const { dialect, description } = assertOwnError(app, response, {
        status: 401,
        error: "unauthorized",
        missing: true
      })
      assert.strictEqual(
        description,
        dialect === "jsonrpc" ? "Unauthorized: Bearer token required" : "Missing authorization header"
      )
      if (dialect === "jsonrpc") assert.strictEqual(JSON.parse(response.text).error.code, -32001)
    })
  ),

  requirement(
    {
      id: "APP-11",
      title: "MUST respond 401 invalid_token to a rejected token, with one fixed text for each reason",
      source: "RFC 6750, section 3.1"
    },
    { ...common, settings: anySettings, verdict: rejected },
    Effect.fnUntraced(function*(circumstances) {
      const app = yield* runApp(circumstances)
      const { verdict } = circumstances
      const { description } = assertOwnError(app, yield* app.send(message()), { status: 401, error: "invalid_token" })
      assert.strictEqual(description, verdict._tag === "Rejected" ? rejectionTexts[verdict.reason] : undefined)
    })
  ),

  requirement(
    {
      id: "APP-12",
      title: "MUST respond 403 insufficient_scope to a token without a required scope, and name all required scopes",
      source: "RFC 6750, section 3.1; MCP 2025-11-25, authorization, Scope Challenge Handling"
    },
    {
      ...common,
      settings: settingsWith({ required_scopes: oneOf(["mcp:read", "mcp:read mcp:write"]) }),
      verdict: oneOf([{ _tag: "Unscoped" }])
    },
    Effect.fnUntraced(function*(circumstances) {
      const app = yield* runApp(circumstances)
      const response = yield* app.send(message())
      assertOwnError(app, response, { status: 403, error: "insufficient_scope" })
      assert.deepStrictEqual(sorted(readChallenge(response).get("scope")), requiredScopes(app.settings).toSorted())
    })
  ),

  requirement(
    {
      id: "APP-13",
      title: "MUST name the metadata of this resource in the challenge, and serve them without a token",
      source: "RFC 9728, sections 3.1, 3.3 and 5.1; MCP 2025-11-25, authorization, Protected Resource Metadata",
      runs: 40
    },
    { ...common, settings: anySettings, verdict: rejected, host },
    Effect.fnUntraced(function*({ host, ...circumstances }) {
      const app = yield* runApp(circumstances)
      const { errorStyle, path } = app.settings
      const resource = publicUrl(app.settings, host) + (path === "/" ? "" : path)
      const challenge = readChallenge(yield* app.send(message(host === undefined ? {} : { host })))
      const url = challenge.get("resource_metadata") ?? ""
      const response = yield* fetchFrom(app, url, host)
      assert.strictEqual(response.status, 200, url)
      const document = JSON.parse(response.text)
      assert.strictEqual(document.resource, resource)
      if (errorStyle === "rfc6750") {
        const { origin, pathname } = new URL(resource)
        assert.strictEqual(url, origin + wellKnown + (pathname === "/" ? "" : pathname))
      } else {
        assert.strictEqual(url, publicUrl(app.settings, host) + wellKnown)
      }
      const scopes = requiredScopes(app.settings)
      assert.strictEqual(challenge.get("scope"), scopes.length > 0 ? scopes.join(" ") : undefined)
    })
  )
]
