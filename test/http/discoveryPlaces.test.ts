/** What clients get for the metadata of real providers. */
import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import type { Provider } from "../../src/config/GatewaySettings.ts"
import { TestIssuer } from "../../src/issuer/TestIssuer.ts"
import { introspectionProvider, jwtProvider, userinfoProvider } from "../fixtures/providers.ts"
import { settings } from "../fixtures/settings.ts"
import { serveDocuments } from "../support/documentServer.ts"
import { startGateway } from "../support/gateway.ts"

const names = ["oauth-authorization-server", "openid-configuration"] as const

const gatewayOf = Effect.fnUntraced(function*(...providers: ReadonlyArray<Provider>) {
  const { origin } = yield* startGateway(settings("http://127.0.0.1:1", { providers }))
  return (name: typeof names[number]) =>
    Effect.promise(async () => {
      const response = await fetch(`${origin}/.well-known/${name}`, { redirect: "manual" })
      const { headers, status } = response
      const text = await response.text()
      return {
        status,
        location: headers.get("location"),
        cache: headers.get("cache-control"),
        document: status === 200 ? JSON.parse(text) as unknown : undefined
      }
    })
})

const openId = "/.well-known/openid-configuration"

describe("metadata for clients of opaque token providers", () => {
  for (const make of [introspectionProvider, userinfoProvider]) {
    it.live(`redirects to the document that exists (${make.name})`, () =>
      Effect.gen(function*() {
        const issuer = yield* TestIssuer.make({ algorithms: ["ES256"] })
        // As Hydra: an OpenID document and no other.
        const { asked, origin } = yield* serveDocuments((origin) => ({ [openId]: { issuer: origin } }))
        const ask = yield* gatewayOf(make(issuer, { issuer: origin }))
        for (const name of names) {
          const response = yield* ask(name)
          assert.deepInclude(response, { status: 308, location: origin + openId })
          assert.include(response.cache ?? "", "max-age")
        }
        // Fetched once, for any number of clients.
        const before = asked.length
        for (const name of [...names, ...names, ...names]) yield* ask(name)
        assert.lengthOf(asked, before)
      }))

    it.live(`redirects to the location of the specification while none can be found, and does not cache that (${make.name})`, () =>
      Effect.gen(function*() {
        const issuer = yield* TestIssuer.make({ algorithms: ["ES256"] })
        const { origin, places } = yield* serveDocuments(() => ({}))
        const ask = yield* gatewayOf(make(issuer, { issuer: `${origin}/a` }))
        const expected = {
          "oauth-authorization-server": `${origin}/.well-known/oauth-authorization-server/a`,
          "openid-configuration": `${origin}/a${openId}`
        }
        for (const name of names) {
          assert.deepInclude(yield* ask(name), { status: 308, location: expected[name], cache: "no-store" })
        }
        // A document of another issuer does not count.
        places[`/a${openId}`] = { issuer: origin }
        const another = yield* gatewayOf(make(issuer, { issuer: `${origin}/a` }))
        assert.deepInclude(yield* another("openid-configuration"), { status: 308, cache: "no-store" })
      }))
  }
})

describe("metadata for clients of JWT providers", () => {
  it.live("is served from any location that has it, without nulls, and names PKCE", () =>
    Effect.gen(function*() {
      const issuer = yield* TestIssuer.make({ algorithms: ["ES256"] })
      const { origin } = yield* serveDocuments((origin) => ({
        [openId]: () => new Response("<html>", { headers: { "content-type": "text/html" } }),
        "/.well-known/oauth-authorization-server": {
          issuer: origin,
          authorization_endpoint: `${origin}/authorize`,
          registration_endpoint: null
        }
      }))
      const ask = yield* gatewayOf(jwtProvider(issuer, { issuer: origin, keys: { _tag: "Discovery" } }))
      for (const name of names) {
        const { document, status } = yield* ask(name)
        assert.strictEqual(status, 200)
        assert.deepStrictEqual(document, {
          issuer: origin,
          authorization_endpoint: `${origin}/authorize`,
          code_challenge_methods_supported: ["S256"]
        })
      }
    }))
})
