/** Two facades of one gateway, each before a provider of its own: nothing of one is of any use at the other. */
import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import { settingsOf } from "../config/resolving.ts"
import { startGateway } from "../support/gateway.ts"
import { type Hosted, makeHostedStandIn } from "../support/HostedStandIn.ts"
import { makeRecordingUpstream } from "../support/RecordingUpstream.ts"
import { reservePort } from "../support/reservePort.ts"
import { standInClient } from "../support/StandInProvider.ts"
import { Visitor } from "../support/Visitor.ts"
import { Browser, post, redirectUri, SignIn } from "./Browser.ts"
import { allow } from "./consenting.ts"
import { sessionKey } from "./facadeFixture.ts"

const nowhere = "http://127.0.0.1:9/mcp"

/** A hosted provider that knows the client of a facade. Both have the same id and secret: only the facades tell them apart. */
const provider = (kind: Hosted, callback: string, audience: string) =>
  makeHostedStandIn(kind, {
    clients: [{ id: standInClient.id, secret: standInClient.secret, redirectUri: callback }],
    audience,
    scopes: ["notes:read"]
  })

const facade = {
  client_id: standInClient.id,
  client_secret: standInClient.secret,
  redirect_uris: ["http://127.0.0.1/callback"]
}

/** MCP servers `okta` and `auth0`, at these paths, with providers of these names. */
const start = Effect.gen(function*() {
  const port = yield* reservePort
  const origin = `http://127.0.0.1:${port}`
  const at = (name: string) => ({ callback: `${origin}/oauth/${name}/mcp/callback`, resource: `${origin}/${name}/mcp` })
  const okta = yield* provider("okta", at("okta").callback, at("okta").resource)
  const auth0 = yield* provider("auth0", at("auth0").callback, at("auth0").resource)
  const upstream = yield* makeRecordingUpstream
  yield* startGateway(settingsOf({}, {
    public_url: origin,
    port,
    session_key: sessionKey,
    providers: [
      { preset: "okta", issuer: okta.issuer, facade },
      { preset: "auth0", issuer: auth0.issuer, facade }
    ],
    servers: ["okta", "auth0"].map((name) => ({
      name,
      path: `/${name}/mcp`,
      url: `${upstream.origin}/mcp`,
      providers: [name],
      required_scopes: ["notes:read"]
    }))
  }))
  return { origin, okta, auth0, upstream, resourceOf: (name: string) => at(name).resource }
})

/** From the authorization request of a client of one server to the callback of that server, which is not visited. */
const callbackOf = Effect.fnUntraced(function*(client: SignIn, browser: Browser, name: string) {
  const { origin } = client
  const url = client.url({ resource: `${origin}/${name}/mcp` }).replace("/authorize?", `/oauth/${name}/mcp/authorize?`)
  const onward = yield* browser.decide((yield* browser.visit(url)).text, "allow")
  return yield* browser.follow(onward, `${origin}/oauth/${name}/mcp/callback?`)
})

const paramsOf = (location: string | undefined) => new URL(location ?? "about:blank").searchParams

describe("two facades with two providers", () => {
  it.live("let clients in, each with its own issuer in every response, and with tokens for one server alone", () =>
    Effect.gen(function*() {
      const { origin, resourceOf } = yield* start
      const access: Array<string> = []
      for (const name of ["okta", "auth0"]) {
        const visitor = new Visitor(resourceOf(name), { redirectUri })
        yield* visitor.discover
        assert.strictEqual(visitor.issuer, `${origin}/${name}/mcp`)
        yield* visitor.register()
        // `authorize` checks `iss`.
        const tokens = yield* visitor.exchange(yield* visitor.authorize(allow))
        assert.strictEqual((yield* visitor.call(tokens.access)).status, 200)
        assert.strictEqual((yield* visitor.call((yield* visitor.refresh(tokens.refresh)).access)).status, 200)
        access.push(tokens.access)
        const denied = yield* visitor.browser.visit(visitor.authorizationUrl({ code_challenge: undefined }))
        assert.strictEqual(paramsOf(denied.location).get("error"), "invalid_request")
        assert.strictEqual(paramsOf(denied.location).get("iss"), visitor.issuer)
      }
      const [ofOkta, ofAuth0] = access
      assert.strictEqual((yield* new Visitor(resourceOf("okta")).call(ofAuth0)).status, 401)
      assert.strictEqual((yield* new Visitor(resourceOf("auth0")).call(ofOkta)).status, 401)
    }).pipe(Effect.scoped))

  it.live("mix-up: a response of one provider at the callback of the other yields no code, and reaches no token endpoint", () =>
    Effect.gen(function*() {
      const { auth0, okta, origin } = yield* start
      const [client, browser] = [new SignIn(origin, standInClient.id), new Browser()]
      const callback = yield* callbackOf(client, browser, "okta")
      // The attacker is one of the providers, and sends the user on with what the other one has sent.
      const moved = yield* browser.visit(callback.replace("/okta/", "/auth0/"))
      assert.deepStrictEqual([moved.status, moved.location], [400, undefined])
      // A code of one with the state of the other: the provider that it is sent to does not know it.
      const other = yield* callbackOf(client, browser, "auth0")
      const mixed = new URL(other)
      mixed.searchParams.set("code", paramsOf(callback).get("code") ?? "")
      const { location } = yield* browser.visit(mixed.href)
      const form = client.form(paramsOf(location).get("code") ?? "")
      assert.strictEqual((yield* post(`${origin}/oauth/auth0/mcp/token`, form)).body["error"], "invalid_grant")
      assert.lengthOf(okta.tokenRequests, 0)
      assert.lengthOf(auth0.tokenRequests, 1)
      // Where a provider names itself, another name is an error.
      const named = new URL(callback)
      named.searchParams.set("iss", auth0.issuer)
      const back = yield* browser.visit(named.href)
      assert.strictEqual(paramsOf(back.location).get("error"), "server_error")
      assert.strictEqual(paramsOf(back.location).get("iss"), `${origin}/okta/mcp`)
      assert.isFalse(paramsOf(back.location).has("code"))
    }).pipe(Effect.scoped))

  it.live("mix-up: codes, refresh tokens and consents of one are unknown at the other", () =>
    Effect.gen(function*() {
      const { auth0, okta, origin } = yield* start
      const [client, browser] = [new SignIn(origin, standInClient.id), new Browser()]
      const page = yield* browser.visit(
        client.url({ resource: `${origin}/okta/mcp` }).replace("/authorize?", "/oauth/okta/mcp/authorize?")
      )
      const elsewhere = page.text.replaceAll("/oauth/okta/mcp/", "/oauth/auth0/mcp/")
      assert.strictEqual((yield* browser.decide(elsewhere, "allow")).status, 400)
      const { location } = yield* browser.visit(yield* callbackOf(client, browser, "okta"))
      const form = client.form(paramsOf(location).get("code") ?? "")
      assert.strictEqual((yield* post(`${origin}/oauth/auth0/mcp/token`, form)).body["error"], "invalid_grant")
      const { body } = yield* post(`${origin}/oauth/okta/mcp/token`, form)
      const refresh = {
        grant_type: "refresh_token",
        client_id: client.clientId,
        refresh_token: body["refresh_token"] ?? ""
      }
      assert.strictEqual((yield* post(`${origin}/oauth/auth0/mcp/token`, refresh)).body["error"], "invalid_grant")
      assert.lengthOf(auth0.tokenRequests, 0)
      assert.strictEqual((yield* post(`${origin}/oauth/okta/mcp/token`, refresh)).status, 200)
      assert.lengthOf(okta.tokenRequests, 2)
    }).pipe(Effect.scoped))
})

describe("a facade whose provider was replaced by another one", () => {
  it.live("mix-up: sends nothing to the new provider that the old one has issued", () =>
    Effect.gen(function*() {
      const port = yield* reservePort
      const origin = `http://127.0.0.1:${port}`
      const [callback, resource] = [`${origin}/oauth/callback`, `${origin}/mcp`]
      const okta = yield* provider("okta", callback, resource)
      const auth0 = yield* provider("auth0", callback, resource)
      const settingsWith = (preset: string, issuer: string) =>
        settingsOf({}, {
          server_url: nowhere,
          public_url: origin,
          session_key: sessionKey,
          required_scopes: ["notes:read"],
          providers: [{ preset, issuer, facade }]
        })
      yield* startGateway({ ...settingsWith("okta", okta.issuer), port })
      const changed = yield* startGateway({ ...settingsWith("auth0", auth0.issuer), port: 0 })
      const signIn = () => new SignIn(origin, standInClient.id)
      const [first, second, third] = [signIn(), signIn(), signIn()]
      const refresh = (yield* post(
        `${origin}/token`,
        first.form((yield* first.callback(new Browser())).get("code") ?? "")
      )).body["refresh_token"] ?? ""
      const code = (yield* second.callback(new Browser())).get("code") ?? ""
      const browser = new Browser()
      const callbackUrl = yield* third.callbackUrl(browser)

      const attempts = [
        yield* post(`${changed.origin}/token`, {
          grant_type: "refresh_token",
          client_id: standInClient.id,
          refresh_token: refresh
        }),
        yield* post(`${changed.origin}/token`, second.form(code))
      ]
      for (const { body } of attempts) assert.strictEqual(body["error"], "invalid_grant")
      const late = yield* browser.visit(callbackUrl.replace(origin, changed.origin))
      assert.deepStrictEqual([late.status, late.location], [400, undefined])
      assert.lengthOf(auth0.tokenRequests, 0)
      // Control: the old one still knows them.
      assert.strictEqual((yield* post(`${origin}/token`, second.form(code))).status, 200)
    }).pipe(Effect.scoped))
})
