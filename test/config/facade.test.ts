import { assert, describe, it } from "@effect/vitest"
import * as Redacted from "effect/Redacted"
import { describe as describeSettings } from "../../src/config/describe.ts"
import { isAllowedRedirect, redirectUriProblem } from "../../src/config/kinds/redirectUris.ts"
import { problemsOf, settingsOf } from "./resolving.ts"

const facade = { client_id: "c", client_secret: "s3cret-of-the-client", redirect_uris: ["https://client.example/cb"] }

const file = (changes: object = {}, more: object = {}) => ({
  server_url: "http://127.0.0.1:8080/mcp",
  public_url: "https://gateway.example",
  session_key: "k".repeat(32),
  providers: [{ issuer: "https://issuer.example", audience: "a", facade: { ...facade, ...changes } }],
  ...more
})

const wrong = (changes: object, more: object = {}) =>
  problemsOf({}, file(changes, more)).map(({ setting }) => setting.replace("MCP_PROVIDERS[0].facade.", ""))

describe("the facade of a provider", () => {
  it("is read from the file, and from a variable", () => {
    const [provider] = settingsOf({}, file()).providers
    assert.strictEqual(provider?.facade?.clientId, "c")
    const { facade: fromVariable } = settingsOf({
      MCP_JWT_ISSUER: "https://issuer.example",
      MCP_JWT_AUDIENCE: "a",
      MCP_PUBLIC_URL: "https://gateway.example",
      MCP_SESSION_KEY: "k".repeat(32),
      MCP_FACADE: JSON.stringify(facade)
    }).providers[0] ?? {}
    assert.deepStrictEqual(fromVariable?.redirectUris, facade.redirect_uris)
    const auth = fromVariable?.auth
    assert.strictEqual(auth && "clientSecret" in auth ? Redacted.value(auth.clientSecret) : "", facade.client_secret)
  })

  it("is shown without its secrets", () => {
    const shown = JSON.stringify(describeSettings(settingsOf({}, file())))
    assert.include(shown, "\"client_id\":\"c\"")
    assert.notInclude(shown, facade.client_secret)
  })

  it("reports each member that is missing, unknown, or wrong", () => {
    assert.deepStrictEqual(wrong({ client_id: undefined, redirect_uris: undefined }), ["client_id", "redirect_uris"])
    assert.deepStrictEqual(wrong({ client_sercet: "x" }), ["client_sercet"])
    assert.deepStrictEqual(wrong({ client_auth: "private_key_jwt", client_secret: undefined }), ["client_key"])
    assert.deepStrictEqual(wrong({ client_auth: "none" }), ["client_secret"])
    assert.deepStrictEqual(wrong({ client_auth: "post", client_secret: undefined }), ["client_secret"])
    assert.deepStrictEqual(wrong({ token_endpoint: "http://issuer.example/token" }), ["token_endpoint"])
    assert.deepStrictEqual(wrong({ authorize_parameters: { state: "x" } }), ["authorize_parameters"])
    assert.deepStrictEqual(wrong({ requests_per_minute: 0 }), ["requests_per_minute"])
    assert.deepStrictEqual(wrong({ trusted_clients: ["http://127.0.0.1/cb"] }), ["trusted_clients"])
    assert.deepStrictEqual(wrong({ trusted_clients: ["cursor://x/cb"] }), ["trusted_clients"])
    for (const host of ["localhost", "localhost:8443", "app.localhost", "localhost.", "127.0.0.1", "[::1]"]) {
      assert.deepStrictEqual(wrong({ trusted_clients: [`https://${host}/cb`] }), ["trusted_clients"], host)
    }
    assert.isDefined(settingsOf({}, file({ trusted_clients: ["https://localhost.client.example/cb"] })))
    assert.deepStrictEqual(wrong({}, { public_url: undefined }), ["MCP_PUBLIC_URL"])
    assert.deepStrictEqual(wrong({}, { session_key: undefined }), ["MCP_SESSION_KEY"])
  })

  it("has one provider for each MCP server, and none whose tokens are listed", () => {
    const [provider] = file().providers
    const second = { ...provider, name: "second", issuer: "https://second.example" }
    assert.deepStrictEqual(
      problemsOf({}, { ...file(), providers: [provider, second] }).map(({ setting }) => setting),
      ["MCP_PROVIDERS"]
    )
    const listed = { type: "static", tokens: "t:c:s:", facade }
    assert.deepStrictEqual(
      problemsOf({}, { ...file(), providers: [listed] }).map(({ setting }) => setting),
      ["MCP_PROVIDERS[0].facade"]
    )
  })
})

describe("redirect URIs", () => {
  it("of applications are usable as they are written, and what a browser would run is not", () => {
    for (
      const uri of [
        "https://client.example/cb",
        "https://client.example/",
        "https://client.example:8443/cb?x=1",
        "http://127.0.0.1/cb",
        "http://127.0.0.1:33418/",
        "http://localhost/callback",
        "http://[::1]:9/cb",
        "http://127.0.0.1:33418",
        "cursor://anysphere.cursor-mcp/oauth/callback",
        "com.example.app:/cb"
      ]
    ) assert.isUndefined(redirectUriProblem(uri), uri)
    for (
      const uri of [
        "",
        "/cb",
        "client.example/cb",
        "http://client.example/cb",
        "https://client.example/cb#f",
        "https://*.example/cb",
        "https://user@client.example/cb",
        "https://client.example/a/../cb",
        "https://CLIENT.example/cb",
        "https://client.example:443/cb",
        "https://client.example\\@evil.example/cb",
        "https://client.example/ cb",
        "https://client.example/cb\r\nx",
        "https://client.example/\u202e",
        "javascript:alert(1)",
        "JavaScript:alert(1)",
        "data:text/html,x",
        "file:///etc/passwd",
        "http://127.0.0.1.evil.example/cb",
        "http://localhost.evil.example/cb",
        // A client could take these for those of a response.
        "https://client.example/cb?code=x",
        "https://client.example/cb?x=1&state=y",
        "https://client.example/cb?%69ss=https://evil.example",
        "cursor://client/cb?error=x"
      ]
    ) assert.isString(redirectUriProblem(uri), uri)
  })

  it("are allowed character for character, but for the port of a loopback URI that is listed without one", () => {
    const allowed = ["https://client.example/cb", "http://127.0.0.1/cb", "http://localhost:6274/cb", "app:/cb"]
    for (
      const uri of [
        "https://client.example/cb",
        "http://127.0.0.1/cb",
        "http://127.0.0.1:1/cb",
        "http://127.0.0.1:65535/cb",
        "http://localhost:6274/cb",
        "app:/cb"
      ]
    ) assert.isTrue(isAllowedRedirect(allowed, uri), uri)
    for (
      const uri of [
        "https://client.example/cb/",
        "https://client.example/cb?x",
        "https://client.example:444/cb",
        "http://127.0.0.1:1/cb/",
        "http://127.0.0.1:1/CB",
        "http://127.0.0.2:1/cb",
        "http://127.0.0.1:99999/cb",
        "http://localhost/cb",
        "http://localhost:6275/cb",
        "app:/cb2"
      ]
    ) assert.isFalse(isAllowedRedirect(allowed, uri), uri)
  })

  it("allow the root of a loopback host with and without its slash, and no other path without it", () => {
    for (const one of ["http://127.0.0.1", "http://127.0.0.1/"]) {
      for (
        const uri of ["http://127.0.0.1:33418", "http://127.0.0.1:33418/", "http://127.0.0.1", "http://127.0.0.1/"]
      ) {
        assert.isTrue(isAllowedRedirect([one], uri), uri)
      }
      for (
        const uri of [
          "http://127.0.0.1:33418/x",
          "http://127.0.0.1:33418?x",
          "http://localhost:33418",
          "http://127.0.0.1.evil.example/"
        ]
      ) {
        assert.isFalse(isAllowedRedirect([one], uri), uri)
      }
    }
    assert.isTrue(isAllowedRedirect(["http://[::1]:7000"], "http://[::1]:7000/"))
    assert.isFalse(isAllowedRedirect(["http://[::1]:7000"], "http://[::1]:7001/"))
    assert.isFalse(isAllowedRedirect(["https://client.example"], "https://client.example/"))
  })
})
