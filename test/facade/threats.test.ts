/** Attacks on the facade, on real sockets. Each test is named after its threat; the README has the countermeasure. */
import { assert, layer } from "@effect/vitest"
import * as Context from "effect/Context"
import * as Aead from "effect/crypto/Aead"
import * as Digest from "effect/crypto/Digest"
import * as Mac from "effect/crypto/Mac"
import * as SecureRandom from "effect/crypto/SecureRandom"
import * as Deferred from "effect/Deferred"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as Layer from "effect/Layer"
import * as Logger from "effect/Logger"
import * as References from "effect/References"
import { ClientDocumentRejected, ClientMetadata } from "../../src/facade/ClientMetadata.ts"
import { makeFacade } from "../../src/facade/Facade.ts"
import { carriesSignIn } from "../../src/facade/parameters.ts"
import { makeSealer } from "../../src/facade/Sealer.ts"
import { readAuthorities } from "../../src/node/outbound/authorities.ts"
import { type LookUp, makeClientDocuments } from "../../src/node/outbound/clientDocuments.ts"
import { ProviderHttp } from "../../src/remote/ProviderHttp.ts"
import { ProviderMetadata } from "../../src/remote/ProviderMetadata.ts"
import { settingsOf } from "../config/resolving.ts"
import { rawExchange, rawRequest } from "../support/rawHttp.ts"
import { entraScope, standInClient } from "../support/StandInProvider.ts"
import { startTlsServer } from "../support/tlsServer.ts"
import { Browser, post, redirectUri, SignIn } from "./Browser.ts"
import { sessionKey, startFacade } from "./facadeFixture.ts"

const nowhere = "http://127.0.0.1:9/mcp"

const documentedClient = "https://client.example/metadata.json"

/** One whose host would look like another one's, were it cut. */
const longClient = `https://claude.ai.${"a".repeat(60)}.${"b".repeat(60)}.evil.example/client.json`
const hostileName = `"><img src=x onerror=alert(1)>\r\nSet-Cookie: a=b\u202e`

const documents = Layer.succeed(ClientMetadata, {
  isSupported: true,
  fetch: (clientId) =>
    clientId === documentedClient
      ? Effect.succeed({ redirectUris: [redirectUri, "https://client.example/back"], clientName: hostileName })
      : clientId === longClient
      ? Effect.succeed({ redirectUris: [redirectUri], clientName: "Claude" })
      : Effect.fail(new ClientDocumentRejected({ detail: "no such document" }))
})

/** All that a gateway logs. */
class Logs {
  readonly lines: Array<string> = []
  readonly layer = Layer.merge(
    Logger.layer([Logger.map(Logger.formatJson, (line) => void this.lines.push(line))]),
    Layer.succeed(References.MinimumLogLevel, "Trace")
  )
}

const webCrypto = Layer.provideMerge(
  Layer.mergeAll(Aead.layerWebCrypto, Mac.layerWebCrypto, Digest.layerWebCrypto),
  SecureRandom.layerWebCrypto
)

/** Waits, for as long as a test may last. */
const until = (condition: () => boolean) =>
  Effect.promise(async () => {
    while (!condition()) await new Promise((resolve) => setImmediate(resolve))
  })

/** A facade whose provider responds when it is told to, and counts what reaches it. */
const slowProvider = Effect.gen(function*() {
  const settings = settingsOf({}, {
    server_url: nowhere,
    public_url: "https://gateway.example",
    session_key: sessionKey,
    providers: [{
      issuer: "https://issuer.example",
      audience: "notes",
      authorize_endpoint: "https://issuer.example/authorize",
      token_endpoint: "https://issuer.example/token",
      facade: {
        client_id: "c",
        client_secret: "s",
        redirect_uris: ["https://client.example/callback"],
        requests_per_minute: 200
      }
    }]
  })
  const gate = yield* Deferred.make<void>()
  let sent = 0
  const respond = yield* makeFacade(settings).pipe(
    Effect.provideService(ProviderHttp, {
      send: () =>
        Effect.suspend(() => {
          sent += 1
          const response = { body: { access_token: "t", token_type: "Bearer" }, cacheControl: undefined }
          return Effect.as(Deferred.await(gate), response)
        })
    }),
    Effect.provideService(ProviderMetadata, { document: () => Effect.never, location: () => Effect.never })
  )
  const sealer = yield* makeSealer(settings, ["https://gateway.example", "https://issuer.example"])
  const token = yield* sealer.seal("refresh", ["c"], ["refresh-token"])
  const form = new URLSearchParams({ grant_type: "refresh_token", client_id: "c", refresh_token: token })
  return {
    sent: () => sent,
    finish: Deferred.succeed(gate, undefined),
    refresh: (peer: string) =>
      respond({
        endpoint: "token",
        query: "",
        body: new TextEncoder().encode(form.toString()),
        contentType: "application/x-www-form-urlencoded",
        authorization: undefined,
        cookie: undefined,
        isCrossSite: false,
        language: "en",
        peer
      })
  }
})

class Facade extends Context.Service<Facade>()("test/facade/threats/Facade", {
  make: Effect.gen(function*() {
    const logs = new Logs()
    const facade = yield* startFacade("entra", nowhere, {
      facade: { trusted_clients: ["https://client.example/callback"], requests_per_minute: 100_000 },
      logger: Layer.merge(logs.layer, documents)
    })
    yield* facade.start
    const signIn = (clientId = standInClient.id) => new SignIn(facade.origin, clientId)
    const token = (form: Readonly<Record<string, string>>) => post(`${facade.origin}/token`, form)
    return { ...facade, logs, signIn, token }
  })
}) {
  static readonly layer = Layer.effect(Facade, Facade.make)
}

const paramsOf = (location: string | undefined) => new URL(location ?? "about:blank").searchParams

layer(Facade.layer, { excludeTestServices: true })("threats to the facade", (it) => {
  it.effect("control: a client of the user's own gets a token, and its refresh", () =>
    Effect.gen(function*() {
      const { origin, signIn, token } = yield* Facade
      const client = signIn()
      const back = yield* client.callback(new Browser())
      assert.strictEqual(back.get("state"), client.state)
      assert.strictEqual(back.get("iss"), origin)
      const first = yield* token(client.form(back.get("code") ?? ""))
      assert.strictEqual(first.status, 200)
      assert.strictEqual(first.body["token_type"], "Bearer")
      assert.isUndefined(first.body["id_token"])
      const refresh = {
        grant_type: "refresh_token",
        client_id: client.clientId,
        refresh_token: first.body["refresh_token"] ?? ""
      }
      const second = yield* token(refresh)
      assert.strictEqual(second.status, 200)
      assert.notStrictEqual(second.body["access_token"], first.body["access_token"])
      // mcp-remote names the scopes that it was granted; nothing may be added to them (RFC 6749, section 6).
      const narrow = { scope: first.body["scope"] ?? "", refresh_token: second.body["refresh_token"] ?? "" }
      assert.strictEqual((yield* token({ ...refresh, ...narrow })).status, 200)
    }))

  it.effect("confused deputy: each sign-in of a shared client asks the user, and nothing is remembered", () =>
    Effect.gen(function*() {
      const { signIn } = yield* Facade
      const browser = new Browser()
      yield* signIn().callback(browser)
      const again = yield* browser.visit(signIn().url())
      assert.strictEqual(again.status, 200)
      assert.isUndefined(again.location)
      assert.include(again.text, "127.0.0.1:33418")
      // Only the operator's word takes the place of the user's.
      const trusted = yield* browser.visit(signIn().url({ redirect_uri: "https://client.example/callback" }))
      assert.strictEqual(trusted.status, 302)
      const documented = yield* browser.visit(signIn(documentedClient).url())
      assert.strictEqual(documented.status, 200)
    }))

  it.effect("confused deputy: the consent of one browser, or of another site, is not the user's", () =>
    Effect.gen(function*() {
      const { signIn } = yield* Facade
      const browser = new Browser()
      const page = yield* browser.visit(signIn().url())
      const other = new Browser()
      yield* other.visit(signIn().url())
      const attempts = [
        yield* new Browser().decide(page.text, "allow"),
        yield* other.decide(page.text, "allow"),
        yield* browser.decide(page.text, "allow", { "sec-fetch-site": "cross-site" }),
        yield* browser.decide(page.text, "allow", { "sec-fetch-site": "same-site" }),
        yield* browser.decide(page.text, "allow", { origin: "https://evil.example" }),
        yield* browser.decide(page.text, "allow", { origin: "null" })
      ]
      for (const { location, status } of attempts) {
        assert.strictEqual(status, 400)
        assert.isUndefined(location)
      }
      const allowed = yield* browser.decide(page.text, "allow", { "sec-fetch-site": "same-origin" })
      assert.isString(allowed.location)
      const denied = yield* browser.decide((yield* browser.visit(signIn().url())).text, "deny")
      assert.strictEqual(paramsOf(denied.location).get("error"), "access_denied")
    }))

  it.effect("confused deputy: what a document calls itself stands next to its whole host, and no permission is left out", () =>
    Effect.gen(function*() {
      const { signIn } = yield* Facade
      const { text } = yield* new Browser().visit(signIn(longClient).url())
      assert.include(text, `<dd>${new URL(longClient).origin}/`)
      for (const scope of [entraScope, "offline_access"]) assert.include(text, `<dd>${scope}</dd>`)
    }))

  it.effect("confused deputy: the consent page cannot be framed, scripted, cached or read by scripts", () =>
    Effect.gen(function*() {
      const { origin, signIn } = yield* Facade
      const { headers, text } = yield* new Browser().visit(signIn().url(), { origin: "https://evil.example" })
      const policy = headers.get("content-security-policy") ?? ""
      for (const part of ["default-src 'none'", "frame-ancestors 'none'", "form-action 'self'", "base-uri 'none'"]) {
        assert.include(policy, part)
      }
      assert.notInclude(policy, "script-src")
      assert.notInclude(policy, "unsafe")
      assert.strictEqual(headers.get("x-frame-options"), "DENY")
      assert.strictEqual(headers.get("cache-control"), "no-store")
      assert.strictEqual(headers.get("x-content-type-options"), "nosniff")
      assert.isNull(headers.get("access-control-allow-origin"))
      assert.notMatch(text, /<script|javascript:|\son[a-z]+=/i)
      assert.include(text, `action="${origin}/authorize/consent"`)
    }))

  it.effect("mix-up: every response names the issuer, errors included", () =>
    Effect.gen(function*() {
      const { origin, signIn } = yield* Facade
      const browser = new Browser()
      const denied = yield* browser.decide((yield* browser.visit(signIn().url())).text, "deny")
      const noPkce = yield* browser.visit(signIn().url({ code_challenge: undefined }))
      const callback = new URL(yield* signIn().callbackUrl(browser))
      callback.searchParams.delete("code")
      callback.searchParams.set("error", "access_denied")
      const atProvider = yield* browser.visit(callback.href)
      for (const { location } of [denied, noPkce, atProvider]) {
        assert.isTrue(location?.startsWith(`${redirectUri}?error=`), location)
        assert.strictEqual(paramsOf(location).get("iss"), origin)
        assert.isTrue(paramsOf(location).has("state"))
      }
      const granted = yield* signIn().callback(browser)
      assert.isTrue(granted.has("code"))
      assert.strictEqual(granted.get("iss"), origin)
    }))

  it.effect("mix-up: a response of another provider yields no code", () =>
    Effect.gen(function*() {
      const { origin, signIn } = yield* Facade
      for (const iss of ["https://evil.example", origin, undefined]) {
        const browser = new Browser()
        const callback = new URL(yield* signIn().callbackUrl(browser))
        assert.isTrue(callback.searchParams.has("iss"))
        if (iss === undefined) callback.searchParams.delete("iss")
        else callback.searchParams.set("iss", iss)
        const { location } = yield* browser.visit(callback.href)
        assert.strictEqual(paramsOf(location).get("error"), "server_error")
        assert.isFalse(paramsOf(location).has("code"))
      }
    }))

  it.effect("open redirect: errors go nowhere until client and redirect URI belong together", () =>
    Effect.gen(function*() {
      const { signIn } = yield* Facade
      const rows: ReadonlyArray<Readonly<Record<string, string | undefined>>> = [
        { redirect_uri: "https://evil.example/callback" },
        { redirect_uri: "https://client.example/callback/../evil" },
        { redirect_uri: "https://client.example/callback#x" },
        { redirect_uri: "https://client.example/callback?x=1" },
        { redirect_uri: "https://client.example.evil.example/callback" },
        { redirect_uri: "https://client.example@evil.example/callback" },
        { redirect_uri: "http://127.0.0.1.evil.example/callback" },
        { redirect_uri: "http://localhost:1/callback" },
        { redirect_uri: "http://127.0.0.1:1/other" },
        { redirect_uri: "javascript:alert(1)//callback" },
        { redirect_uri: "//evil.example/callback" },
        { redirect_uri: undefined },
        { client_id: "another-client" },
        { client_id: "https://unknown.example/client.json" },
        { client_id: undefined }
      ]
      for (const changes of rows) {
        const { location, status, text } = yield* new Browser().visit(
          signIn().url({ ...changes, response_type: "token" })
        )
        assert.strictEqual(status, 400, JSON.stringify(changes))
        assert.isUndefined(location)
        assert.notInclude(text, "evil.example")
      }
      // A document may name any redirect URI, so its errors are shown here as well.
      const documented = yield* new Browser().visit(
        signIn(documentedClient).url({ redirect_uri: "https://client.example/back", response_type: "token" })
      )
      assert.strictEqual(documented.status, 400)
      assert.isUndefined(documented.location)
    }))

  it.effect("open redirect: a repeated parameter is not understood in two ways", () =>
    Effect.gen(function*() {
      const { signIn } = yield* Facade
      for (
        const extra of [
          "&redirect_uri=https://evil.example/callback",
          "&client_id=x",
          "&state=y",
          "&unknown=1&unknown=2"
        ]
      ) {
        const { location, status } = yield* new Browser().visit(signIn().url() + extra)
        assert.strictEqual(status, 400, extra)
        assert.isUndefined(location)
      }
    }))

  it.effect("registration: redirect URIs are checked, and no client gets anything but the one id", () =>
    Effect.gen(function*() {
      const { origin } = yield* Facade
      const register = (metadata: object) =>
        post(`${origin}/register`, JSON.stringify(metadata), { "content-type": "application/json" })
      const good = yield* register({ redirect_uris: [redirectUri], client_name: hostileName })
      assert.strictEqual(good.status, 201)
      assert.strictEqual(good.body["client_id"], standInClient.id)
      assert.strictEqual(good.body["token_endpoint_auth_method"], "none")
      assert.isUndefined(good.body["client_secret"])
      assert.notInclude(good.text, "onerror")
      for (
        const uris of [
          ["https://evil.example/callback"],
          [redirectUri, "https://evil.example/callback"],
          [],
          "https://client.example/callback",
          [["https://client.example/callback"]],
          undefined
        ]
      ) {
        const bad = yield* register({ redirect_uris: uris })
        assert.strictEqual(bad.status, 400)
        assert.strictEqual(bad.body["error"], "invalid_redirect_uri")
      }
      const device = yield* register({ redirect_uris: [redirectUri], grant_types: ["client_credentials"] })
      assert.strictEqual(device.body["error"], "invalid_client_metadata")
    }))

  it.effect("code injection: a code is good for its client, its redirect URI and its verifier only", () =>
    Effect.gen(function*() {
      const { provider, signIn, token } = yield* Facade
      const client = signIn()
      const code = (yield* client.callback(new Browser())).get("code") ?? ""
      const seen = provider.tokenRequests.length
      const rows: ReadonlyArray<readonly [string, Readonly<Record<string, string>>]> = [
        ["invalid_grant", { client_id: documentedClient }],
        ["invalid_grant", { client_id: "another-client" }],
        ["invalid_grant", { redirect_uri: "http://127.0.0.1:33419/callback" }],
        ["invalid_grant", { redirect_uri: "https://client.example/callback" }],
        ["invalid_grant", { code_verifier: signIn().verifier }],
        ["invalid_grant", { code_verifier: "short" }],
        ["invalid_request", { code_verifier: "" }],
        ["invalid_request", { redirect_uri: "" }],
        ["invalid_request", { client_id: "" }],
        ["invalid_target", { resource: "https://other.example/mcp" }],
        ["unsupported_grant_type", { grant_type: "password" }],
        ["unsupported_grant_type", { grant_type: "client_credentials" }],
        ["invalid_client", { client_secret: standInClient.secret }]
      ]
      for (const [error, changes] of rows) {
        const { body, status } = yield* token(client.form(code, changes))
        assert.strictEqual(body["error"], error, JSON.stringify(changes))
        assert.strictEqual(status, error === "invalid_client" ? 401 : 400)
      }
      assert.lengthOf(provider.tokenRequests, seen)
      assert.strictEqual((yield* token(client.form(code))).status, 200)
    }))

  it.effect("code injection: the provider's code of one sign-in is of no use in another", () =>
    Effect.gen(function*() {
      const { provider, signIn, token } = yield* Facade
      const stolen = new URL(yield* signIn().callbackUrl(new Browser())).searchParams.get("code") ?? ""
      const [attacker, browser] = [signIn(), new Browser()]
      const callback = new URL(yield* attacker.callbackUrl(browser))
      callback.searchParams.set("code", stolen)
      const { location } = yield* browser.visit(callback.href)
      const seen = provider.tokenRequests.length
      const { body } = yield* token(attacker.form(paramsOf(location).get("code") ?? ""))
      // The provider itself rejects it: the verifier of the attacker's sign-in is another one.
      assert.lengthOf(provider.tokenRequests, seen + 1)
      assert.strictEqual(body["error"], "invalid_grant")
    }))

  it.effect("code injection: a code of the provider is no code of the gateway", () =>
    Effect.gen(function*() {
      const { provider, signIn, token } = yield* Facade
      const client = signIn()
      const code = new URL(yield* client.callbackUrl(new Browser())).searchParams.get("code") ?? ""
      const seen = provider.tokenRequests.length
      assert.strictEqual((yield* token(client.form(code))).body["error"], "invalid_grant")
      assert.lengthOf(provider.tokenRequests, seen)
    }))

  it.effect("PKCE downgrade: S256 is demanded of clients, and used at the provider", () =>
    Effect.gen(function*() {
      const { provider, signIn } = yield* Facade
      const rows: ReadonlyArray<Readonly<Record<string, string | undefined>>> = [
        { code_challenge: undefined, code_challenge_method: undefined },
        { code_challenge: undefined },
        { code_challenge_method: undefined },
        { code_challenge_method: "plain" },
        { code_challenge_method: "s256" },
        { code_challenge: "short" },
        { code_challenge: "x".repeat(44) },
        { code_challenge: "" }
      ]
      const seen = provider.authorizations.length
      for (const changes of rows) {
        const { location } = yield* new Browser().visit(signIn().url(changes))
        assert.strictEqual(paramsOf(location).get("error"), "invalid_request", JSON.stringify(changes))
      }
      assert.lengthOf(provider.authorizations, seen)
      const client = signIn()
      yield* client.callback(new Browser())
      const sent = provider.authorizations.at(-1)
      assert.strictEqual(sent?.get("code_challenge_method"), "S256")
      assert.notStrictEqual(sent?.get("code_challenge"), new URL(client.url()).searchParams.get("code_challenge"))
    }))

  it.effect("replayed or tampered state: only the browser it was sealed for can use it, unchanged", () =>
    Effect.gen(function*() {
      const { signIn } = yield* Facade
      const browser = new Browser()
      const callback = new URL(yield* signIn().callbackUrl(browser))
      const state = callback.searchParams.get("state") ?? ""
      const tampered = [
        "",
        "x",
        state.slice(1),
        state.slice(0, -1),
        `${state}A`,
        `${state}=`,
        state.toUpperCase(),
        state.slice(0, 40) + (state[40] === "A" ? "B" : "A") + state.slice(41),
        // Another spelling of the same bytes.
        state.replaceAll("-", "+").replaceAll("_", "/") + "=".repeat(4 - state.length % 4)
      ]
      for (const wrong of tampered) {
        callback.searchParams.set("state", wrong)
        const { location, status } = yield* browser.visit(callback.href)
        assert.strictEqual(status, 400, wrong)
        assert.isUndefined(location)
      }
      callback.searchParams.set("state", state)
      assert.isString((yield* browser.visit(callback.href)).location)
    }))

  it.effect("replayed state: a second code from it is spent at the provider", () =>
    Effect.gen(function*() {
      const { signIn, token } = yield* Facade
      const client = signIn()
      const browser = new Browser()
      const callback = yield* client.callbackUrl(browser)
      const [first, second] = [yield* browser.visit(callback), yield* browser.visit(callback)]
      assert.strictEqual((yield* token(client.form(paramsOf(first.location).get("code") ?? ""))).status, 200)
      const again = yield* token(client.form(paramsOf(second.location).get("code") ?? ""))
      assert.strictEqual(again.body["error"], "invalid_grant")
    }))

  it.effect("login CSRF: the sign-in of an attacker ends in no other browser", () =>
    Effect.gen(function*() {
      const { signIn } = yield* Facade
      const attacker = new Browser()
      const callback = yield* signIn().callbackUrl(attacker)
      const victim = new Browser()
      yield* victim.visit(signIn().url())
      for (const browser of [victim, new Browser()]) {
        const { location, status, text } = yield* browser.visit(callback)
        assert.strictEqual(status, 400)
        assert.isUndefined(location)
        assert.include(text, "another browser")
      }
      const [cookie] = (yield* attacker.visit(signIn().url())).headers.getSetCookie()
      assert.match(cookie ?? "", /^mcp-authorizer=[A-Za-z0-9_-]{43}; Path=\/; Max-Age=600; HttpOnly; SameSite=Lax$/)
    }))

  it.effect("token endpoint as an oracle: what was not sealed here never reaches the provider", () =>
    Effect.gen(function*() {
      const { origin, provider, signIn, token } = yield* Facade
      const client = signIn()
      const seen = provider.tokenRequests.length
      const bodies = new Set<string>()
      for (const code of ["x", "A".repeat(100), "A".repeat(20_000), randomText(), randomText()]) {
        const { status, text } = yield* token(client.form(code))
        assert.strictEqual(status, 400)
        bodies.add(text)
        const refreshed = yield* token({ grant_type: "refresh_token", client_id: client.clientId, refresh_token: code })
        assert.strictEqual(refreshed.body["error"], "invalid_grant")
      }
      // A forged code and an old one get the same response.
      assert.strictEqual(bodies.size, 1)
      assert.lengthOf(provider.tokenRequests, seen)
      assert.strictEqual((yield* post(`${origin}/token`, `grant_type=${"x".repeat(40_000)}`)).status, 413)
      const repeated = yield* post(
        `${origin}/token`,
        "grant_type=authorization_code&grant_type=refresh_token&client_id=x"
      )
      assert.strictEqual(repeated.body["error"], "invalid_request")
      const json = yield* post(`${origin}/token`, "{}", { "content-type": "application/json" })
      assert.strictEqual(json.body["error"], "invalid_request")
    }))

  it.effect("token endpoint as an amplifier: a peer causes so many requests to the provider, and leaves places for others", () =>
    Effect.gen(function*() {
      const { finish, refresh, sent } = yield* slowProvider
      const failures: Array<string> = []
      const flood = yield* Effect.forkChild(
        Effect.forEach(
          Array.from({ length: 400 }),
          () =>
            Effect.match(refresh("192.0.2.1"), {
              onSuccess: () => undefined,
              onFailure: ({ _tag }) => void failures.push(_tag)
            }),
          { concurrency: "unbounded" }
        )
      )
      yield* until(() => sent() + failures.length === 400)
      // Of 256 places, one peer gets half; of 400 requests in a minute, 200 are accepted.
      assert.strictEqual(sent(), 128)
      assert.deepStrictEqual(new Set(failures), new Set(["Overloaded", "RateLimited"]))
      const other = yield* Effect.forkChild(refresh("192.0.2.2"))
      yield* until(() => sent() === 129)
      yield* finish
      assert.strictEqual((yield* Fiber.join(other))._tag, "Json")
      yield* Fiber.join(flood)
    }).pipe(Effect.provide(webCrypto)))

  it.effect("SSRF: the URL of a document leads to no address of this machine or its networks", () =>
    Effect.gen(function*() {
      const server = yield* startTlsServer((_, response) => response.end())
      const { origin, start } = yield* startFacade("entra", nowhere, { gateway: { ca_file: server.caFile } })
      yield* start
      const at = (host: string) => `https://${host}:${server.port}/client.json`
      const hosts = [
        "localhost",
        "127.0.0.1",
        "127.0.0.2",
        "0.0.0.0",
        "[::1]",
        "[::ffff:7f00:1]",
        "[64:ff9b::7f00:1]",
        "169.254.169.254",
        "10.0.0.1",
        "[fd00:ec2::254]"
      ]
      // Other spellings of addresses, and URLs that name another place than they seem to.
      const others = [
        at("2130706433"),
        at("0x7f.1"),
        at("127.1"),
        at("client.example@localhost"),
        at("localhost").replace("https:", "http:"),
        at("localhost").replace("client", "../client"),
        "file:///etc/passwd"
      ]
      for (const clientId of [...hosts.map(at), ...others]) {
        const { location, status, text } = yield* new Browser().visit(new SignIn(origin, clientId).url())
        assert.strictEqual(status, 400, clientId)
        assert.isUndefined(location)
        assert.notMatch(text, /address|rejected|localhost/i)
      }
      assert.deepStrictEqual(server.connections, [])
    }))

  it.effect("SSRF: a redirect of a document is not followed", () =>
    Effect.gen(function*() {
      const inside = yield* startTlsServer((_, response) => response.end())
      const outside = yield* startTlsServer((_, response) =>
        response.writeHead(302, { location: `https://localhost:${inside.port}/client.json` }).end()
      )
      const { origin, start } = yield* startFacade("entra", nowhere, {
        facade: { client_metadata_hosts: ["localhost"] },
        gateway: { ca_file: outside.caFile }
      })
      yield* start
      const client = new SignIn(origin, `https://localhost:${outside.port}/client.json`)
      assert.strictEqual((yield* new Browser().visit(client.url())).status, 400)
      assert.lengthOf(outside.requests, 1)
      assert.deepStrictEqual(inside.connections, [])
    }))

  it.effect("DNS rebinding: a name is looked up for the connection alone, and all of its addresses count", () =>
    Effect.gen(function*() {
      const server = yield* startTlsServer((_, response) => response.end())
      let asked = 0
      const lookUp: LookUp = (_host, _options, callback) => {
        asked += 1
        callback(
          null,
          [["8.8.8.8", "127.0.0.1"], ["127.0.0.1"]][(asked - 1) % 2]?.map((address) => ({
            address,
            family: 4
          })) ?? []
        )
      }
      const documents = yield* makeClientDocuments(yield* Effect.orDie(readAuthorities(server.caFile)), lookUp)
      for (const time of [1, 2, 3]) {
        const rejected = yield* Effect.flip(documents.fetch(`https://app.example:${server.port}/client.json`, []))
        assert.include(rejected.detail, "an address that is not public")
        assert.strictEqual(asked, time)
      }
      assert.deepStrictEqual(server.connections, [])
    }))

  it.effect("header and HTML injection: what clients call themselves is text, and reaches no field", () =>
    Effect.gen(function*() {
      const { signIn } = yield* Facade
      const { headers, text } = yield* new Browser().visit(signIn(documentedClient).url())
      assert.notInclude(text, "<img")
      assert.notInclude(text, "\u202e")
      assert.include(text, "&lt;img")
      assert.include(text, documentedClient)
      assert.lengthOf(headers.getSetCookie(), 1)
      const client = signIn()
      const state = "\"><script>\u00e4 %0d%0aSet-Cookie: x=y"
      const denied = yield* new Browser().visit(client.url({ state, response_type: "token" }))
      assert.strictEqual(paramsOf(denied.location).get("state"), state)
      assert.lengthOf(denied.headers.getSetCookie(), 0)
      const broken = yield* new Browser().visit(client.url({ state: "a\r\nSet-Cookie: x=y" }))
      assert.strictEqual(broken.status, 400)
    }))

  it.effect("cache poisoning of discovery: the documents are of the settings alone", () =>
    Effect.gen(function*() {
      const { origin } = yield* Facade
      for (const path of ["oauth-authorization-server", "openid-configuration", "oauth-protected-resource"]) {
        const { responses: [response] } = yield* rawExchange(
          origin,
          rawRequest([
            `GET /.well-known/${path} HTTP/1.1`,
            "Host: evil.example",
            "X-Forwarded-Host: evil.example",
            "X-Original-Host: evil.example",
            "Forwarded: host=evil.example"
          ])
        )
        assert.strictEqual(response?.status, 200)
        assert.notInclude(JSON.stringify(response), "evil.example")
        assert.include(JSON.stringify(response), origin)
      }
    }))

  it.effect("secrets in logs: neither codes nor tokens nor states are in any line", () =>
    Effect.gen(function*() {
      const { logs, signIn, token } = yield* Facade
      const client = signIn()
      const browser = new Browser()
      const callback = yield* client.callbackUrl(browser)
      const { location } = yield* browser.visit(callback)
      const code = paramsOf(location).get("code") ?? ""
      const { body } = yield* token(client.form(code))
      yield* token(client.form(code))
      yield* token(client.form(`${code}x`))
      const secrets: ReadonlyArray<readonly [name: string, value: string]> = [
        ...new URL(callback).searchParams.entries(),
        ...Object.entries(body),
        ["code", code],
        ["verifier", client.verifier],
        ["state", client.state],
        ["secret", standInClient.secret],
        ...browser.cookies.entries()
      ].flatMap(([name = "", value = ""]) => [[name, value] as const]).filter(([name, value]) =>
        value.length >= 12 && !["iss", "scope"].includes(name)
      )
      assert.isAtLeast(secrets.length, 9)
      assert.isAtLeast(logs.lines.length, 5)
      const log = logs.lines.join("\n")
      for (const [name, secret] of secrets) {
        assert.notInclude(log, secret, name)
        assert.notInclude(log, secret.slice(0, 24), name)
      }
      assert.include(log, "OAuthRejected")
    }))

  it.effect("secrets in logs: traces leave the query of a sign-in out, however its names are spelled", () =>
    Effect.sync(() => {
      for (const query of ["code=x", "a=b&state=x", "%63ode=x", "st%61te=x", "a&co%64e", "code"]) {
        assert.isTrue(carriesSignIn(query), query)
      }
      for (const query of ["", "a=b", "barcode=x", "a=code", "a=%26code%3Dx"]) {
        assert.isFalse(carriesSignIn(query), query)
      }
    }))

  it.effect("browsers' scripts may register and get tokens, from every origin", () =>
    Effect.gen(function*() {
      const { origin } = yield* Facade
      const fields = { origin: "https://inspector.example" }
      for (const path of ["/token", "/register", "/revoke"]) {
        const { headers } = yield* post(`${origin}${path}`, {}, fields)
        assert.strictEqual(headers.get("access-control-allow-origin"), "*")
        assert.strictEqual(headers.get("cache-control"), "no-store")
      }
    }))
})

const randomText = () => Buffer.from(crypto.getRandomValues(new Uint8Array(90))).toString("base64url")
