/** Identity assertions (ID-JAG) at the token endpoint of the facade: checked here, exchanged by the provider. */
import { assert, describe, it } from "@effect/vitest"
import * as Aead from "effect/crypto/Aead"
import * as Digest from "effect/crypto/Digest"
import * as Mac from "effect/crypto/Mac"
import * as SecureRandom from "effect/crypto/SecureRandom"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Redacted from "effect/Redacted"
import * as Result from "effect/Result"
import { SignJWT } from "jose"
import { generateKeyPairSync } from "node:crypto"
import type { GatewayError } from "../../src/errors/GatewayError.ts"
import { makeFacade } from "../../src/facade/Facade.ts"
import { facadeMetadata } from "../../src/facade/metadata.ts"
import { facadeProvider } from "../../src/facade/places.ts"
import { JwksCache, KeysUnavailable, UnknownKey } from "../../src/keys/JwksCache.ts"
import type { JwksSource } from "../../src/keys/JwksSource.ts"
import { ProviderHttp, type ProviderRequest, ProviderRequestFailed } from "../../src/remote/ProviderHttp.ts"
import { ProviderMetadata } from "../../src/remote/ProviderMetadata.ts"
import { onlyProblemOf, settingsOf } from "../config/resolving.ts"

const crypto = Layer.provideMerge(
  Layer.mergeAll(Aead.layerWebCrypto, Mac.layerWebCrypto, Digest.layerWebCrypto),
  SecureRandom.layerWebCrypto
)

const issuer = "https://gateway.example"
const idp = "https://idp.example"
const company = "https://company.example"
const profile = "urn:ietf:params:oauth:grant-profile:id-jag"
const grant = "urn:ietf:params:oauth:grant-type:jwt-bearer"

const pairOf = (name: "ES256" | "RS256") =>
  Effect.promise(() =>
    globalThis.crypto.subtle.generateKey(
      name === "ES256"
        ? { name: "ECDSA", namedCurve: "P-256" }
        : {
          name: "RSASSA-PKCS1-v1_5",
          modulusLength: 2048,
          publicExponent: new Uint8Array([1, 0, 1]),
          hash: "SHA-256"
        },
      true,
      ["sign", "verify"]
    )
  )

const opaque = { type: "userinfo", audience: undefined, algorithms: undefined, userinfo_endpoint: `${idp}/me` }

const publicKey = generateKeyPairSync("ec", { namedCurve: "P-256" }).publicKey.export({ type: "spki", format: "pem" })

type Members = Readonly<Record<string, unknown>>

const fileWith = (facade: Members, provider: Members = {}) => ({
  server_url: "http://127.0.0.1:9/mcp",
  public_url: issuer,
  session_key: "a".repeat(32),
  required_scopes: "read",
  providers: [{
    issuer: idp,
    audience: "notes",
    algorithms: "ES256",
    ...provider,
    facade: {
      client_id: "gateway",
      client_secret: "s3cret",
      redirect_uris: "https://client.example/callback",
      ...facade
    }
  }]
})

const settingsWith = (facade: Members, provider: Members = {}) => settingsOf({}, fileWith(facade, provider))

interface Circumstances {
  readonly header?: Readonly<Record<string, unknown>>
  readonly claims?: Readonly<Record<string, unknown>>
  readonly form?: Readonly<Record<string, string>>
  readonly facade?: Readonly<Record<string, unknown>>
  readonly provider?: Readonly<Record<string, unknown>>
  /** Another key than the provider's signs. */
  readonly forged?: boolean
  readonly keys?: "unknown" | "unavailable"
  readonly respond?: () => Effect.Effect<{ readonly [member: string]: unknown }, ProviderRequestFailed>
}

const presentWith = Effect.fnUntraced(function*(
  {
    claims = {},
    facade = { assertions: true },
    forged = false,
    form = {},
    header = {},
    keys,
    provider,
    respond = () =>
      Effect.succeed({ access_token: "provider-token", token_type: "Bearer", refresh_token: "r", expires_in: 60 })
  }: Circumstances
) {
  const [own, other] = yield* Effect.all([pairOf("ES256"), pairOf("ES256")])
  const now = Math.floor((yield* Effect.clockWith((clock) => clock.currentTimeMillis)) / 1000)
  const assertion = yield* Effect.promise(() =>
    new SignJWT({
      iss: idp,
      sub: "user-1",
      aud: issuer,
      client_id: "gateway",
      jti: "j-1",
      iat: now,
      exp: now + 300,
      resource: `${issuer}/mcp`,
      ...claims
    }).setProtectedHeader({ alg: "ES256", kid: "k", typ: "oauth-id-jag+jwt", ...header })
      .sign(forged ? other.privateKey : own.privateKey)
  )
  const sent: Array<ProviderRequest> = []
  const sources: Array<JwksSource> = []
  const found = keys === "unknown"
    ? Effect.fail(new UnknownKey({ detail: "no key" }))
    : keys === "unavailable"
    ? Effect.fail(new KeysUnavailable({ detail: "down" }))
    : Effect.succeed(own.publicKey)
  const handle = yield* makeFacade(settingsWith(facade, provider)).pipe(
    Effect.provideService(
      JwksCache,
      JwksCache.of(
        {
          keyFor: (source: JwksSource) => {
            sources.push(source)
            return found
          },
          prefetch: () => Effect.void,
          phase: () => Effect.die("unused"),
          state: () => Effect.die("unused"),
          warm: () => Effect.void
        } as unknown as JwksCache["Service"]
      )
    ),
    Effect.provideService(ProviderHttp, {
      send: (request) => {
        sent.push(request)
        return Effect.map(respond(), (body) => ({ body, cacheControl: undefined }))
      }
    }),
    Effect.provideService(ProviderMetadata, {
      document: () =>
        Effect.succeed({
          issuer: idp,
          authorization_endpoint: `${idp}/authorize`,
          token_endpoint: `${idp}/token`
        }),
      location: () => Effect.never
    })
  )
  const body = new URLSearchParams({ grant_type: grant, client_id: "gateway", assertion, ...form })
  const response = yield* Effect.result(handle({
    endpoint: "token",
    query: "",
    body: new TextEncoder().encode(body.toString()),
    contentType: "application/x-www-form-urlencoded",
    authorization: undefined,
    cookie: undefined,
    isCrossSite: false,
    language: "en",
    peer: "192.0.2.1"
  }))
  return { assertion, response, sent, sources }
})

/** Presents an assertion, and returns the response with the request that the provider got. */
const present = (circumstances: Circumstances = {}) => Effect.provide(presentWith(circumstances), crypto)

const errorOf = ({ response }: { readonly response: Result.Result<unknown, GatewayError> }) => {
  const error = Result.isFailure(response) ? response.failure : undefined
  return error?._tag === "OAuthRejected" ? [error.error, error.reason, error.detail] : [error?._tag]
}

const rejectedByProvider = () =>
  Effect.fail(
    new ProviderRequestFailed({
      kind: "Status",
      url: `${idp}/token`,
      status: 400,
      rejection: { error: "invalid_grant", scope: [], inactive: false }
    })
  )

const metadataOf = (facade: Readonly<Record<string, unknown>>, provider?: Readonly<Record<string, unknown>>) => {
  const settings = settingsWith(facade, provider)
  const found = facadeProvider(settings)
  return found === undefined ? {} : facadeMetadata(settings, found, "oauth-authorization-server", false)
}

describe("an identity assertion", () => {
  it.effect("is exchanged by the provider, with the gateway's own client, and without a refresh token", () =>
    Effect.gen(function*() {
      const { assertion, response, sent } = yield* present({ form: { scope: "read unknown" } })
      assert.deepStrictEqual(Result.getOrThrow(response), {
        _tag: "Json",
        body: { access_token: "provider-token", token_type: "Bearer", expires_in: 60 }
      })
      const [request] = sent
      const form = Object.fromEntries(
        (request?.form ?? []).map(([name, value]) => [name, Redacted.isRedacted(value) ? Redacted.value(value) : value])
      )
      assert.deepInclude(form, { grant_type: grant, assertion, scope: "read" })
      assert.strictEqual(request?.url, `${idp}/token`)
      assert.isDefined(request?.authorization)
    }))

  it.effect("may name several resources, its audience as a list of one, and no resource", () =>
    Effect.gen(function*() {
      for (
        const claims of [
          { resource: ["https://other.example", `${issuer}/mcp/`] },
          { aud: [issuer] },
          // RFC 7523, section 3: the provider, or its token endpoint.
          { aud: idp },
          { aud: `${idp}/` },
          { aud: `${idp}/token` },
          { resource: undefined }
        ]
      ) assert.isTrue(Result.isSuccess((yield* present({ claims })).response), JSON.stringify(claims))
    }))

  const rejected: ReadonlyArray<readonly [string, Circumstances, RegExp]> = [
    ["of another type", { header: { typ: "at+jwt" } }, /typ/],
    ["without a type", { header: { typ: undefined } }, /typ/],
    ["that another key has signed", { forged: true }, /signature/],
    ["whose key the provider does not have", { keys: "unknown" }, /no key/],
    ["of another issuer", { claims: { iss: "https://evil.example" } }, /iss/],
    ["without an issuer", { claims: { iss: undefined } }, /iss/],
    ["for another audience", { claims: { aud: "https://other.example" } }, /aud/],
    ["for the MCP server in place of its authorization server", { claims: { aud: `${issuer}/mcp` } }, /aud/],
    ["for several audiences", { claims: { aud: [issuer, "https://other.example"] } }, /aud/],
    ["for the gateway and the provider", { claims: { aud: [issuer, idp] } }, /aud/],
    ["for another endpoint of the provider", { claims: { aud: `${idp}/authorize` } }, /aud/],
    [
      "of the provider in place of its issuer",
      { facade: { assertions: true, assertion_issuer: company } },
      /iss is not https:\/\/company.example/
    ],
    ["without an audience", { claims: { aud: undefined } }, /aud/],
    ["of another client", { claims: { client_id: "other" } }, /client_id/],
    ["without a client", { claims: { client_id: undefined } }, /client_id/],
    ["for another server", { claims: { resource: `${issuer}/other` } }, /resource/],
    ["without a subject", { claims: { sub: undefined } }, /sub/],
    ["without an id", { claims: { jti: undefined } }, /jti/],
    ["without a time", { claims: { iat: undefined } }, /iat/],
    ["that has expired", { claims: { iat: -1_000, exp: -600 } }, /exp/],
    ["that never expires", { claims: { exp: undefined } }, /exp/],
    ["that is not valid yet", { claims: { nbf: 4_000_000_000 } }, /nbf/],
    ["that is no JWT", { form: { assertion: "a.b" } }, /three parts/],
    ["that is too long", { form: { assertion: "a".repeat(8_193) } }, /more than 8192/]
  ]
  for (const [what, circumstances, detail] of rejected) {
    it.effect(`${what} is rejected, and the provider does not see it`, () =>
      Effect.gen(function*() {
        const presented = yield* present(circumstances)
        const [error, reason, text] = errorOf(presented)
        assert.deepStrictEqual([error, reason], ["invalid_grant", "Assertion"])
        assert.match(text ?? "", detail)
        assert.notInclude(text ?? "", presented.assertion)
        assert.deepStrictEqual(presented.sent, [])
      }))
  }

  it.effect("of a company's identity provider is verified with that one's keys, and exchanged by the provider", () =>
    Effect.gen(function*() {
      const { response, sent, sources } = yield* present({
        facade: { assertions: true, assertion_issuer: company, scopes: ["offline_access", "extra"] },
        claims: { iss: company, aud: idp }
      })
      assert.isTrue(Result.isSuccess(response))
      const [source] = sources
      assert.deepInclude(source, { _tag: "Discovery", issuer: company, allowedDomains: [] })
      // An assertion yields no refresh token, so none is requested.
      assert.deepInclude(Object.fromEntries(sent[0]?.form ?? []), { grant_type: grant, scope: "read extra" })
    }))

  it.effect("of an unknown client, or with credentials of the client, is rejected", () =>
    Effect.gen(function*() {
      assert.deepStrictEqual(
        errorOf(yield* present({ form: { client_id: "other" }, claims: { client_id: "other" } })).slice(0, 2),
        ["invalid_client", "UnknownClient"]
      )
      assert.deepStrictEqual(errorOf(yield* present({ form: { client_secret: "s" } })).slice(0, 2), [
        "invalid_client",
        "ClientCredentials"
      ])
    }))

  it.effect("whose keys cannot be fetched is not the client's fault", () =>
    Effect.gen(function*() {
      assert.deepStrictEqual(errorOf(yield* present({ keys: "unavailable" })), ["ProviderUnavailable"])
    }))

  it.effect("that the provider does not accept is an invalid grant", () =>
    Effect.gen(function*() {
      for (const [aud, isAdvised] of [[issuer, true], [idp, false]] as const) {
        const [error, reason, detail] = errorOf(yield* present({ respond: rejectedByProvider, claims: { aud } }))
        assert.deepStrictEqual([error, reason], ["invalid_grant", "Assertion"])
        assert.strictEqual(detail?.includes("the provider has to know as a name of its own"), isAdvised)
      }
    }))

  it.effect("is not supported unless the provider exchanges it, and the metadata say so", () =>
    Effect.gen(function*() {
      const presented = yield* present({ facade: {} })
      assert.deepStrictEqual(errorOf(presented).slice(0, 2), ["unsupported_grant_type", "NoAssertions"])
      assert.deepStrictEqual(presented.sent, [])
      const without = metadataOf({})
      assert.notProperty(without, "authorization_grant_profiles_supported")
      assert.deepStrictEqual(without["grant_types_supported"], ["authorization_code", "refresh_token"])
      for (const provider of [undefined, opaque]) {
        const metadata = metadataOf({ assertions: true, assertion_issuer: company }, provider)
        assert.deepStrictEqual(metadata["authorization_grant_profiles_supported"], [profile])
        assert.include(metadata["grant_types_supported"], grant)
      }
    }))

  it("cannot be exchanged by a provider whose keys are unknown, about which the gateway warns at start", () => {
    const withKey = { jwks_uri: undefined, public_key: publicKey }
    for (const provider of [opaque, withKey]) {
      const problem = onlyProblemOf({}, fileWith({ assertions: true }, provider))
      assert.strictEqual(problem.setting, "MCP_PROVIDERS[0].facade.assertions")
      assert.include(problem.problem, "publishes no key set")
      assert.include(problem.fix, "facade.assertion_issuer")
      settingsWith({ assertions: true, assertion_issuer: company }, provider)
    }
    const unused = onlyProblemOf({}, fileWith({ assertion_issuer: company }))
    assert.strictEqual(unused.setting, "MCP_PROVIDERS[0].facade.assertion_issuer")
    assert.include(unused.problem, "is unused unless")
  })
})
