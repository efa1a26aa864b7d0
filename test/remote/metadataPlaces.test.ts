/** The URLs at which a provider's metadata is fetched, and the error if it is at none of them. */
import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as TestClock from "effect/testing/TestClock"
import { type MetadataSource, ProviderMetadata } from "../../src/remote/ProviderMetadata.ts"
import { type Place, serveDocuments } from "../support/documentServer.ts"
import { withProviders } from "../verify/support.ts"

const openId = "/realms/a/.well-known/openid-configuration"
const oauth = "/.well-known/oauth-authorization-server/realms/a"
const openIdInserted = "/.well-known/openid-configuration/realms/a"
const oauthAppended = "/realms/a/.well-known/oauth-authorization-server"
const allPlaces = [openId, oauth, openIdInserted, oauthAppended]

const setUp = Effect.fnUntraced(function*(makePlaces: (issuer: string) => Record<string, Place>) {
  const { asked, origin, places } = yield* serveDocuments((origin) => makePlaces(`${origin}/realms/a`))
  const source: MetadataSource = { issuer: `${origin}/realms/a`, allowedDomains: [] }
  const metadata = yield* ProviderMetadata
  const document = Effect.match(metadata.document(source), {
    onFailure: ({ detail, isAbsent }) => ({ detail, isAbsent: isAbsent === true }),
    onSuccess: (document) => document
  })
  return { asked, document, metadata, origin, places, source }
})

const html = (status: number) => () =>
  new Response("<!doctype html><title>Sign in</title>", { status, headers: { "content-type": "text/html" } })

const ways: ReadonlyArray<readonly [string, () => Response]> = [
  ...[204, 400, 401, 403, 404, 405, 406, 410].map((status) =>
    [`${status}`, () => new Response(status === 204 ? null : "no", { status })] as const
  ),
  ["200 with a page", html(200)],
  ["404 with a page", html(404)],
  ["200 with an array", () => Response.json([])],
  ["200 with an error", () => Response.json({ error: "not_found" })],
  ["200 with null for the issuer", () => Response.json({ issuer: null })],
  ["200 with nothing", () => new Response("")],
  ["a redirect", () => new Response(null, { status: 302, headers: { location: "/login" } })]
]

describe("discovery", () => {
  it.effect("tries one location after the other, regardless of the first responses", () =>
    Effect.forEach(ways, ([way, response]) =>
      withProviders(Effect.gen(function*() {
        for (const [index, place] of allPlaces.entries()) {
          const { asked, document } = yield* setUp((issuer) => ({
            ...Object.fromEntries(allPlaces.map((other) => [other, response])),
            [place]: { issuer, jwks_uri: `${issuer}/jwks`, x: null }
          }))
          assert.property(yield* document, "jwks_uri", way)
          assert.deepStrictEqual(asked, allPlaces.slice(0, index + 1), way)
        }
      })), { discard: true }))

  it.effect("stops at a provider that is down or overloaded", () =>
    Effect.forEach([429, 500, 502, 503, 504], (status) =>
      withProviders(Effect.gen(function*() {
        const { asked, document, origin } = yield* setUp((issuer) => ({
          [openId]: () => new Response("", { status }),
          [oauth]: { issuer }
        }))
        const { detail, isAbsent } = yield* document
        assert.include(detail, `${origin}${openId}: Status ${status}`)
        assert.isFalse(isAbsent)
        assert.deepStrictEqual(asked, [openId])
      })), { discard: true }))

  it.effect("reports the response of each URL, and tries again after 10 seconds", () =>
    withProviders(Effect.gen(function*() {
      const { asked, document, origin, places, source } = yield* setUp(() => ({
        [openId]: html(200),
        [oauth]: html(403)
      }))
      const { detail, isAbsent } = yield* document
      for (const part of [`${openId}: NotJson`, `${oauth}: Status 403`, `${openIdInserted}: Status 404`]) {
        assert.include(detail, origin + part)
      }
      assert.include(detail, `${origin}${oauthAppended}: Status 404`)
      assert.isTrue(isAbsent)
      yield* document
      assert.deepStrictEqual(asked, allPlaces)
      places[oauthAppended] = { issuer: source.issuer }
      yield* TestClock.adjust("10 seconds")
      assert.deepStrictEqual(yield* document, { issuer: source.issuer })
    })))

  it.effect("rejects a document of another issuer, and names both", () =>
    withProviders(Effect.gen(function*() {
      const inside = "http://keycloak:8080/realms/a"
      const { asked, document, source } = yield* setUp(() => ({ [openId]: { issuer: inside, jwks_uri: "x" } }))
      const { detail, isAbsent } = yield* document
      assert.include(detail, `it names the issuer "${inside}", and the configured one is "${source.issuer}"`)
      assert.isFalse(isAbsent)
      assert.deepStrictEqual(asked, allPlaces)
    })))

  it.effect("skips another issuer's document and finds its own in the next location", () =>
    withProviders(Effect.gen(function*() {
      const { document, source } = yield* setUp((issuer) => ({
        [openId]: { issuer: new URL(issuer).origin },
        [oauth]: { issuer }
      }))
      assert.deepStrictEqual(yield* document, { issuer: source.issuer })
    })))

  it.effect("logs nothing of a document but a bounded issuer", () =>
    withProviders(Effect.gen(function*() {
      const { document } = yield* setUp(() =>
        Object.fromEntries(
          allPlaces.map((place) => [place, { issuer: `x\r\n\u2028${"y".repeat(10_000)}`, s: "secret" }])
        )
      )
      const { detail } = yield* document
      assert.isBelow(String(detail).length, 2_000)
      assert.notMatch(String(detail), /[\p{C}\p{Zl}\p{Zp}]|secret/u)
    })))

  it.effect("finds the document, and of two the preferred one", () =>
    withProviders(Effect.gen(function*() {
      const { asked, metadata, origin, source } = yield* setUp((issuer) => ({
        [openId]: { issuer },
        [oauth]: { issuer }
      }))
      assert.strictEqual(yield* metadata.location(source, "openid-configuration"), origin + openId)
      assert.strictEqual(yield* metadata.location(source, "oauth-authorization-server"), origin + oauth)
      yield* metadata.location(source, "openid-configuration")
      yield* metadata.location(source, "oauth-authorization-server")
      assert.deepStrictEqual(asked, [openId, oauth])
    })))
})
