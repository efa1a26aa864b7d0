import { assert, describe, it } from "@effect/vitest"
import type { GatewaySettings } from "../../src/config/GatewaySettings.ts"
import { authorizationServer } from "../../src/discovery/authorizationServer.ts"
import { protectedResource } from "../../src/discovery/protectedResource.ts"
import type { JwtProvider } from "../../src/providers/jwt.ts"
import type { UserinfoProvider } from "../../src/providers/userinfo.ts"
import { metadataUrl } from "../../src/remote/issuerUrl.ts"
import { shownMetadata } from "../../src/remote/shownMetadata.ts"
import { jwtProvider, userinfoProvider } from "../fixtures/providers.ts"
import { settings } from "../fixtures/settings.ts"

const oidc = (issuer: string, changes: Partial<JwtProvider> = {}): JwtProvider =>
  jwtProvider({ issuer, jwksUri: "https://issuer.example/jwks" }, { name: issuer, algorithms: ["RS256"], ...changes })

const userinfo = (issuer: string): UserinfoProvider =>
  userinfoProvider({ issuer, userinfoEndpoint: `${issuer}/oauth/userinfo` }, { name: issuer })

const having = (...providers: GatewaySettings["providers"]) => settings("http://127.0.0.1:1", { providers })

describe("authorization server metadata", () => {
  it("Integration Guide: sends clients of opaque tokens to the provider's own documents, where their standards put them", () => {
    const root = "https://idp.example"
    const realm = `${root}/realms/a`
    for (const name of ["oauth-authorization-server", "openid-configuration"] as const) {
      const response = authorizationServer(having(userinfo(realm)), name)
      assert.strictEqual(response._tag === "Redirect" && response.source.issuer, realm)
    }
    assert.strictEqual(
      metadataUrl(root, "oauth-authorization-server"),
      `${root}/.well-known/oauth-authorization-server`
    )
    assert.strictEqual(metadataUrl(root, "openid-configuration"), `${root}/.well-known/openid-configuration`)
    assert.strictEqual(
      metadataUrl(realm, "oauth-authorization-server"),
      `${root}/.well-known/oauth-authorization-server/realms/a`
    )
    assert.strictEqual(metadataUrl(realm, "openid-configuration"), `${realm}/.well-known/openid-configuration`)
  })

  it("skips an issuer that is a name, which no client can reach", () => {
    const both = having(oidc("my-issuer"), oidc("https://issuer.example"))
    assert.deepStrictEqual(protectedResource(both, "https://h").authorization_servers, ["https://issuer.example"])
    const response = authorizationServer(both, "oauth-authorization-server")
    assert.strictEqual(response._tag === "Fetch" && response.source.issuer, "https://issuer.example")
    assert.strictEqual(authorizationServer(having(oidc("my-issuer")), "openid-configuration")._tag, "NotSupported")
  })

  it("writes a document from the settings, and names PKCE, without which clients give up", () => {
    const endpoints = { authorize: "https://i.example/a", token: "https://i.example/t", userinfo: undefined }
    const response = authorizationServer(having(oidc("https://i.example", { endpoints })), "openid-configuration")
    assert.strictEqual(response._tag, "Document")
    if (response._tag !== "Document") return
    assert.deepInclude(response.document, {
      issuer: "https://i.example",
      authorization_endpoint: "https://i.example/a",
      token_endpoint: "https://i.example/t",
      jwks_uri: "https://issuer.example/jwks",
      code_challenge_methods_supported: ["S256"],
      subject_types_supported: ["public"]
    })
  })

  it("serves a provider's document without nulls, and names PKCE where the provider does not", () => {
    const said = { issuer: "https://i.example", code_challenge_methods_supported: ["plain", "S256"], x: { a: null } }
    assert.deepStrictEqual(shownMetadata(said, "https://i.example"), said)
    for (const silent of [{}, { code_challenge_methods_supported: null }, { code_challenge_methods_supported: [] }]) {
      assert.deepStrictEqual(
        shownMetadata({ issuer: "https://i.example", jwks_uri: null, ...silent }, "https://i.example"),
        {
          issuer: "https://i.example",
          code_challenge_methods_supported: ["S256"]
        }
      )
    }
    // A provider that the operator knows to have no PKCE.
    assert.notProperty(shownMetadata({}, "https://i.example", false), "code_challenge_methods_supported")
    // A provider that names its methods without S256 has no PKCE.
    const plain = { code_challenge_methods_supported: ["plain"] }
    assert.deepStrictEqual(shownMetadata(plain, "https://i.example"), plain)
  })
})
