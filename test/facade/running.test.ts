/** The facade over restarts, replicas, servers, drivers and addresses. */
import { assert, describe, it } from "@effect/vitest"
import { OpenIdProviderDiscoveryMetadataSchema } from "@modelcontextprotocol/sdk/shared/auth.js"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Scope from "effect/Scope"
import { errorStyles } from "../../src/config/GatewaySettings.ts"
import { settingsOf } from "../config/resolving.ts"
import { startEffectGateway } from "../support/effectGateway.ts"
import { startGateway } from "../support/gateway.ts"
import { reservePort } from "../support/reservePort.ts"
import { makeStandInProvider, standInClient } from "../support/StandInProvider.ts"
import { Browser, post, redirectUri, SignIn } from "./Browser.ts"
import { providerEntry, sessionKey, startFacade } from "./facadeFixture.ts"

const nowhere = "http://127.0.0.1:9/mcp"

const codeOf = (location: string | undefined) => new URL(location ?? "about:blank").searchParams.get("code") ?? ""

describe("the facade", () => {
  it.live("goes on in the middle of a sign-in after it was stopped and started again, with the same key", () =>
    Effect.gen(function*() {
      const facade = yield* startFacade("entra", nowhere)
      const running = Effect.fnUntraced(function*<A>(step: Effect.Effect<A>) {
        const scope = yield* Scope.make()
        yield* Scope.provide(facade.start, scope)
        return yield* Effect.ensuring(step, Scope.close(scope, Exit.void))
      })
      const client = new SignIn(facade.origin, standInClient.id)
      const browser = new Browser()
      const page = yield* running(browser.visit(client.url()))
      const onward = yield* running(browser.decide(page.text, "allow"))
      const callback = yield* browser.follow(onward, `${facade.origin}/oauth/callback?`)
      const { location } = yield* running(browser.visit(callback))
      const first = yield* running(post(`${facade.origin}/token`, client.form(codeOf(location))))
      assert.strictEqual(first.status, 200)
      const second = yield* running(
        post(`${facade.origin}/token`, {
          grant_type: "refresh_token",
          client_id: client.clientId,
          refresh_token: first.body["refresh_token"] ?? ""
        })
      )
      assert.strictEqual(second.status, 200)
    }).pipe(Effect.scoped))

  it.live("knows nothing of a sign-in at a gateway with another key, and everything with one that changes it", () =>
    Effect.gen(function*() {
      const facade = yield* startFacade("entra", nowhere)
      const other = "o".repeat(40)
      const settingsWith = (key: string) =>
        settingsOf({}, {
          server_url: nowhere,
          public_url: facade.origin,
          session_key: key,
          providers: [providerEntry("entra", facade.provider.issuer)]
        })
      yield* facade.start
      const changing = yield* startGateway({ ...settingsWith(`${other},${sessionKey}`), port: 0 })
      const changed = yield* startGateway({ ...settingsWith(other), port: 0 })
      const client = new SignIn(facade.origin, standInClient.id)
      const code = (yield* client.callback(new Browser())).get("code") ?? ""
      const rejected = yield* post(`${changed.origin}/token`, client.form(code))
      assert.strictEqual(rejected.body["error"], "invalid_grant")
      assert.strictEqual((yield* post(`${changing.origin}/token`, client.form(code))).status, 200)
    }).pipe(Effect.scoped))

  it.live("is the same on the driver of Effect", () =>
    Effect.gen(function*() {
      const facade = yield* startFacade("cognito", nowhere)
      yield* facade.start
      const origin = yield* startEffectGateway(facade.settings)
      const client = new SignIn(origin, standInClient.id)
      const browser = new Browser()
      const page = yield* browser.visit(client.url({ resource: facade.resource }))
      assert.strictEqual(page.status, 200)
      // The form leads to the public URL, which is the other gateway: they share the key.
      const onward = yield* browser.decide(page.text, "allow")
      const callback = yield* browser.follow(onward, `${facade.origin}/oauth/callback?`)
      const { location } = yield* browser.visit(callback.replace(facade.origin, origin))
      const { body, status } = yield* post(`${origin}/token`, client.form(codeOf(location)))
      assert.strictEqual(status, 200)
      assert.isString(body["access_token"])
      const revoked = yield* post(`${origin}/revoke`, {
        client_id: client.clientId,
        token: body["refresh_token"] ?? ""
      })
      assert.strictEqual(revoked.status, 200)
      const refreshed = yield* post(`${origin}/token`, {
        grant_type: "refresh_token",
        client_id: client.clientId,
        refresh_token: body["refresh_token"] ?? ""
      })
      assert.strictEqual(refreshed.body["error"], "invalid_grant")
    }).pipe(Effect.scoped))

  it.live("is an issuer of its own for each of several MCP servers, with nothing of one valid at another", () =>
    Effect.gen(function*() {
      const port = yield* reservePort
      const origin = `http://127.0.0.1:${port}`
      const provider = yield* makeStandInProvider("cognito", `${origin}/oauth/notes/mcp/callback`)
      yield* startGateway(settingsOf({}, {
        public_url: origin,
        port,
        session_key: sessionKey,
        providers: [providerEntry("cognito", provider.issuer)],
        servers: [
          { name: "notes", path: "/notes/mcp", url: nowhere },
          { name: "files", path: "/files/mcp", url: nowhere }
        ]
      }))
      const json = (path: string) => Effect.promise(async () => (await fetch(`${origin}${path}`)).json())
      for (const name of ["notes", "files"]) {
        const issuer = `${origin}/${name}/mcp`
        const resource = yield* json(`/.well-known/oauth-protected-resource/${name}/mcp`)
        assert.deepStrictEqual(resource.authorization_servers, [issuer])
        for (const document of ["oauth-authorization-server", "openid-configuration"]) {
          const metadata = yield* json(`/.well-known/${document}/${name}/mcp`)
          assert.strictEqual(metadata.issuer, issuer)
          assert.strictEqual(metadata.token_endpoint, `${origin}/oauth/${name}/mcp/token`)
          assert.strictEqual(metadata.registration_endpoint, `${origin}/oauth/${name}/mcp/register`)
          if (document === "oauth-authorization-server") {
            assert.notProperty(metadata, "jwks_uri")
          } else {
            assert.strictEqual(metadata.jwks_uri, `${origin}/oauth/${name}/mcp/keys`)
            assert.deepStrictEqual(yield* json(new URL(metadata.jwks_uri).pathname), { keys: [] })
          }
        }
      }
      const client = new SignIn(origin, standInClient.id)
      const browser = new Browser()
      const url = client.url({ resource: `${origin}/notes/mcp` }).replace("/authorize?", "/oauth/notes/mcp/authorize?")
      const page = yield* browser.visit(url)
      const onward = yield* browser.decide(page.text, "allow")
      const callback = yield* browser.follow(onward, `${origin}/oauth/notes/mcp/callback?`)
      const elsewhere = yield* browser.visit(callback.replace("/notes/", "/files/"))
      assert.strictEqual(elsewhere.status, 400)
      const { location } = yield* browser.visit(callback)
      assert.strictEqual(new URL(location ?? "").searchParams.get("iss"), `${origin}/notes/mcp`)
      const wrong = yield* post(`${origin}/oauth/files/mcp/token`, client.form(codeOf(location)))
      assert.strictEqual(wrong.body["error"], "invalid_grant")
      assert.strictEqual((yield* post(`${origin}/oauth/notes/mcp/token`, client.form(codeOf(location)))).status, 200)
      assert.strictEqual((yield* browser.visit(`${origin}/authorize`)).status, 404)
    }).pipe(Effect.scoped))

  it.live("limits the requests of an address, each endpoint for itself", () =>
    Effect.gen(function*() {
      const { origin, start } = yield* startFacade("entra", nowhere, { facade: { requests_per_minute: 3 } })
      yield* start
      const statuses: Array<number> = []
      for (let sent = 0; sent < 5; sent++) {
        const { headers, status } = yield* post(`${origin}/token`, {})
        statuses.push(status)
        if (status === 429) assert.match(headers.get("retry-after") ?? "", /^[0-9]+$/)
      }
      assert.deepStrictEqual(statuses, [400, 400, 400, 429, 429])
      assert.strictEqual((yield* post(`${origin}/revoke`, {})).status, 400)
      const pages = yield* Effect.forEach([1, 2, 3, 4], () => new Browser().visit(`${origin}/authorize`))
      assert.deepStrictEqual(pages.map(({ status }) => status), [400, 400, 400, 429])
    }).pipe(Effect.scoped))

  it.live("describes itself, and has no registration where that is switched off", () =>
    Effect.gen(function*() {
      const { origin, start } = yield* startFacade("entra", nowhere, { facade: { registration: false } })
      yield* start
      const metadata = yield* Effect.promise(async () =>
        (await fetch(`${origin}/.well-known/oauth-authorization-server`)).json()
      )
      assert.deepStrictEqual(metadata, {
        issuer: origin,
        authorization_endpoint: `${origin}/authorize`,
        token_endpoint: `${origin}/token`,
        revocation_endpoint: `${origin}/revoke`,
        scopes_supported: ["api://notes/mcp.read", "offline_access"],
        response_types_supported: ["code"],
        response_modes_supported: ["query"],
        grant_types_supported: ["authorization_code", "refresh_token"],
        code_challenge_methods_supported: ["S256"],
        token_endpoint_auth_methods_supported: ["none"],
        revocation_endpoint_auth_methods_supported: ["none"],
        authorization_response_iss_parameter_supported: true,
        client_id_metadata_document_supported: true
      })
      const openId = yield* Effect.promise(async () =>
        (await fetch(`${origin}/.well-known/openid-configuration`)).json()
      )
      // The schema by which official clients read it.
      OpenIdProviderDiscoveryMetadataSchema.parse(openId)
      const { id_token_signing_alg_values_supported, jwks_uri, subject_types_supported, ...rest } = openId
      assert.deepStrictEqual(rest, metadata)
      assert.deepStrictEqual([subject_types_supported, id_token_signing_alg_values_supported], [["public"], ["RS256"]])
      const keys = yield* Effect.promise(() => fetch(jwks_uri))
      assert.strictEqual(keys.headers.get("content-type"), "application/json")
      assert.deepStrictEqual(yield* Effect.promise(() => keys.json()), { keys: [] })
      const { status } = yield* post(`${origin}/register`, JSON.stringify({ redirect_uris: [redirectUri] }), {
        "content-type": "application/json"
      })
      assert.strictEqual(status, 404)
    }).pipe(Effect.scoped))

  it.live("responds in the form of OAuth, regardless of the error dialect at the MCP endpoint", () =>
    Effect.gen(function*() {
      const { settings } = yield* startFacade("entra", nowhere)
      for (const errorStyle of errorStyles) {
        const { origin } = yield* startGateway({ ...settings, port: 0, errorStyle })
        const wrong = yield* post(`${origin}/token`, { client_id: "x" })
        assert.deepStrictEqual([wrong.status, wrong.body], [
          400,
          { error: "invalid_request", error_description: "A required parameter is missing" }
        ])
        const secret = yield* post(`${origin}/token`, { client_id: "x", client_secret: "y" })
        assert.deepStrictEqual([secret.status, secret.body["error"]], [401, "invalid_client"])
        assert.strictEqual((yield* post(`${origin}/mcp`, {})).status, 401)
      }
    }).pipe(Effect.scoped))

  it.live("does not exist without a setting: its paths are unknown", () =>
    Effect.gen(function*() {
      const facade = yield* startFacade("entra", nowhere)
      const [provider] = facade.settings.providers
      if (provider === undefined) return assert.fail("no provider")
      const { facade: _, ...plain } = provider
      const { origin } = yield* startGateway({ ...facade.settings, port: 0, providers: [plain] })
      for (const path of ["/authorize", "/oauth/callback", "/authorize/consent"]) {
        assert.strictEqual((yield* new Browser().visit(`${origin}${path}`)).status, 404)
      }
      for (const path of ["/token", "/register", "/revoke"]) {
        assert.strictEqual((yield* post(`${origin}${path}`, {})).status, 404)
      }
    }).pipe(Effect.scoped))
})
