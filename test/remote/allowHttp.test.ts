import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as HttpClient from "effect/http/HttpClient"
import * as HttpClientResponse from "effect/http/HttpClientResponse"
import * as Layer from "effect/Layer"
import * as KeyValueStore from "effect/persistence/KeyValueStore"
import { JwksCache, type JwksSource } from "../../src/keys/JwksCache.ts"
import { ProviderHttp } from "../../src/remote/ProviderHttp.ts"
import { ProviderMetadata } from "../../src/remote/ProviderMetadata.ts"

const issuer = "https://issuer.example/realms/mcp"
const discovery = `${issuer}/.well-known/openid-configuration`

/** A provider that publishes its keys at `jwksUri`; returns the requested URLs, and why keys are unavailable. */
const publishing = Effect.fnUntraced(function*(jwksUri: string, source: JwksSource) {
  const asked: Array<string> = []
  const client = HttpClient.make((request, url) => {
    asked.push(url.href)
    const body = url.href === discovery ? { issuer, jwks_uri: jwksUri } : { keys: [] }
    return Effect.succeed(HttpClientResponse.fromWeb(request, Response.json(body)))
  })
  const detail = yield* Effect.gen(function*() {
    const { keyFor } = yield* JwksCache
    return (yield* Effect.flip(keyFor(source, { alg: "RS256", kid: "a" }))).detail
  }).pipe(
    Effect.scoped,
    Effect.provide(JwksCache.layer.pipe(
      Layer.provide(ProviderMetadata.layer),
      Layer.provide(ProviderHttp.layer),
      Layer.provide([KeyValueStore.layerMemory, Layer.succeed(HttpClient.HttpClient, client)])
    ))
  )
  return { asked, detail }
})

const discovered = (allowHttp: ReadonlyArray<string>): JwksSource => ({
  _tag: "Discovery",
  issuer,
  allowedDomains: [],
  allowHttp
})

describe("keys over http", () => {
  const inside = "http://keycloak:8080/realms/mcp/certs"

  it.effect("are fetched from a host that the operator or an https document names", () =>
    Effect.gen(function*() {
      const configured: JwksSource = { _tag: "Jwks", uri: inside, allowedDomains: [], allowHttp: ["keycloak"] }
      assert.deepStrictEqual((yield* publishing(inside, configured)).asked, [inside])
      assert.deepStrictEqual((yield* publishing(inside, discovered(["keycloak"]))).asked, [discovery, inside])
    }))

  it.effect("are not fetched from other hosts, nor from this machine on the word of an https document", () =>
    Effect.gen(function*() {
      const configured: JwksSource = { _tag: "Jwks", uri: inside, allowedDomains: [], allowHttp: ["mcp.lan"] }
      assert.deepStrictEqual((yield* publishing(inside, configured)).asked, [])
      for (
        const uri of [inside, "http://127.0.0.1:9/certs", "http://localhost/certs", "http://mcp.lan.evil.example/"]
      ) {
        const { asked, detail } = yield* publishing(uri, discovered(["mcp.lan"]))
        assert.deepStrictEqual(asked, [discovery], uri)
        assert.include(detail, "not https")
      }
      assert.deepStrictEqual((yield* publishing("http://127.0.0.1:9/certs", discovered(["127.0.0.1"]))).asked, [
        discovery,
        "http://127.0.0.1:9/certs"
      ])
    }))
})
