/** What the facade sends to the provider, and what clients learn of the provider's errors. */
import { assert, describe, it } from "@effect/vitest"
import * as Aead from "effect/crypto/Aead"
import * as Digest from "effect/crypto/Digest"
import * as Mac from "effect/crypto/Mac"
import * as SecureRandom from "effect/crypto/SecureRandom"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Redacted from "effect/Redacted"
import { compactVerify, decodeJwt, decodeProtectedHeader, importSPKI } from "jose"
import { createPublicKey, generateKeyPairSync } from "node:crypto"
import { makeFacade } from "../../src/facade/Facade.ts"
import { makeSealer } from "../../src/facade/Sealer.ts"
import type { JsonObject } from "../../src/remote/JsonObject.ts"
import { ProviderHttp, type ProviderRequest, ProviderRequestFailed } from "../../src/remote/ProviderHttp.ts"
import { ProviderMetadata } from "../../src/remote/ProviderMetadata.ts"
import { settingsOf } from "../config/resolving.ts"

const crypto = Layer.provideMerge(
  Layer.mergeAll(Aead.layerWebCrypto, Mac.layerWebCrypto, Digest.layerWebCrypto),
  SecureRandom.layerWebCrypto
)

const issuer = "https://gateway.example"
const redirectUri = "https://client.example/callback"
const verifier = "v".repeat(43)
// The S256 challenge of the verifier, computed by hand: printf vvv… | openssl dgst -sha256 -binary | basenc --base64url
const challengeOf = (text: string) =>
  Effect.map(
    Effect.flatMap(Digest.Digest, (digest) => digest.digest(Digest.sha256, new TextEncoder().encode(text))),
    (bytes) => Buffer.from(bytes).toString("base64url")
  )

const goodBody = {
  access_token: "provider-token",
  token_type: "bearer",
  expires_in: "3599",
  id_token: "x",
  scope: "a b"
}

interface Provider {
  readonly facade?: Readonly<Record<string, unknown>>
  readonly provider?: Readonly<Record<string, unknown>>
  readonly metadata?: JsonObject
  readonly respond?: () => Effect.Effect<JsonObject, ProviderRequestFailed>
}

/** Exchanges a code at a facade, and returns the response with the request that the provider got. */
const exchange = Effect.fnUntraced(function*(
  { facade = {}, metadata = {}, provider = {}, respond = () => Effect.succeed(goodBody) }: Provider,
  form: Readonly<Record<string, string>> = {}
) {
  const settings = settingsOf({}, {
    server_url: "http://127.0.0.1:9/mcp",
    public_url: issuer,
    session_key: "a".repeat(32),
    required_scopes: "read",
    providers: [{
      issuer: "https://issuer.example",
      audience: "notes",
      ...provider,
      facade: { client_id: "gateway", client_secret: "s3cret", redirect_uris: redirectUri, ...facade }
    }]
  })
  const sent: Array<ProviderRequest> = []
  const handle = yield* makeFacade(settings).pipe(
    Effect.provideService(ProviderHttp, {
      send: (request) => {
        sent.push(request)
        return Effect.map(respond(), (body) => ({ body, cacheControl: undefined }))
      }
    }),
    Effect.provideService(ProviderMetadata, {
      document: () =>
        Effect.succeed({
          issuer: "https://issuer.example",
          authorization_endpoint: "https://issuer.example/authorize?tenant=1",
          token_endpoint: "https://issuer.example/token",
          ...metadata
        }),
      location: () => Effect.never
    })
  )
  const sealer = yield* makeSealer(settings, [issuer, "https://issuer.example"])
  const code = yield* sealer.seal("code", ["gateway"], [
    redirectUri,
    yield* Effect.orDie(challengeOf(verifier)),
    "own-verifier",
    "provider-code"
  ])
  const common = {
    query: "",
    body: new Uint8Array(),
    contentType: "application/x-www-form-urlencoded",
    authorization: undefined,
    cookie: undefined,
    isCrossSite: false,
    language: "en",
    peer: "192.0.2.1"
  } as const
  const body = new URLSearchParams({
    grant_type: "authorization_code",
    client_id: "gateway",
    redirect_uri: redirectUri,
    code_verifier: verifier,
    code,
    ...form
  })
  const response = yield* Effect.result(
    handle({ ...common, endpoint: "token", body: new TextEncoder().encode(body.toString()) })
  )
  const authorize = (parameters: Readonly<Record<string, string>>) =>
    handle({ ...common, endpoint: "authorize", query: new URLSearchParams(parameters).toString() })
  return { response, sent, sealer, authorize }
})

const fieldsOf = (request: ProviderRequest | undefined): Readonly<Record<string, string>> =>
  Object.fromEntries(
    (request?.form ?? []).map(([name, value]) => [name, typeof value === "string" ? value : Redacted.value(value)])
  )

const basic = `Basic ${Buffer.from("gateway:s3cret").toString("base64")}`

const grant = {
  grant_type: "authorization_code",
  code: "provider-code",
  redirect_uri: `${issuer}/oauth/callback`,
  code_verifier: "own-verifier"
}

describe("token requests to the provider", () => {
  it.effect("authenticate as settings or metadata say", () =>
    Effect.gen(function*() {
      const both = ["client_secret_basic", "client_secret_post"]
      const rows: ReadonlyArray<readonly [Provider, Readonly<Record<string, string>>, string | undefined]> = [
        [{}, {}, basic],
        [{ metadata: { token_endpoint_auth_methods_supported: both } }, {}, basic],
        [
          { metadata: { token_endpoint_auth_methods_supported: ["client_secret_post"] } },
          { client_id: "gateway", client_secret: "s3cret" },
          undefined
        ],
        [{ facade: { client_auth: "post" } }, { client_id: "gateway", client_secret: "s3cret" }, undefined],
        [{ facade: { client_auth: "none", client_secret: undefined } }, { client_id: "gateway" }, undefined]
      ]
      for (const [provider, own, authorization] of rows) {
        const { response, sent: [request] } = yield* exchange(provider)
        assert.strictEqual(response._tag, "Success")
        assert.strictEqual(request?.url, "https://issuer.example/token")
        assert.deepStrictEqual(fieldsOf(request), { ...grant, ...own })
        assert.strictEqual(request?.authorization && Redacted.value(request.authorization), authorization)
      }
    }).pipe(Effect.provide(crypto)))

  it.effect("authenticate with an assertion that the client's key signs", () =>
    Effect.gen(function*() {
      const pair = generateKeyPairSync("rsa", { modulusLength: 2048 })
      const pem = pair.privateKey.export({ type: "pkcs8", format: "pem" }).toString()
      const { sent: [request] } = yield* exchange({
        facade: {
          client_secret: undefined,
          client_key: pem,
          client_key_algorithm: "PS256",
          client_key_id: "key-1",
          client_certificate_thumbprint: "dGh1bWI"
        }
      })
      const { client_assertion: assertion = "", ...fields } = fieldsOf(request)
      assert.deepStrictEqual(fields, {
        ...grant,
        client_id: "gateway",
        client_assertion_type: "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"
      })
      assert.deepStrictEqual(decodeProtectedHeader(assertion), {
        alg: "PS256",
        typ: "JWT",
        kid: "key-1",
        "x5t#S256": "dGh1bWI"
      })
      const spki = createPublicKey(pair.privateKey).export({ type: "spki", format: "pem" }).toString()
      // The clock of the test is at 0, where `jwtVerify` would find the assertion expired.
      yield* Effect.promise(async () => compactVerify(assertion, await importSPKI(spki, "PS256")))
      const { exp, iat, jti, ...claims } = decodeJwt(assertion)
      assert.deepStrictEqual(claims, {
        iss: "gateway",
        sub: "gateway",
        aud: "https://issuer.example/token",
        nbf: 0
      })
      assert.strictEqual((exp ?? 0) - (iat ?? 0), 60)
      assert.isAtLeast(jti?.length ?? 0, 20)
    }).pipe(Effect.provide(crypto)))

  it.effect("are not made with a key that its algorithm cannot use", () =>
    Effect.gen(function*() {
      const { privateKey } = generateKeyPairSync("ec", { namedCurve: "P-256" })
      const { response, sent } = yield* exchange({
        facade: {
          client_secret: undefined,
          client_key: privateKey.export({ type: "pkcs8", format: "pem" }).toString(),
          client_key_algorithm: "RS256"
        }
      })
      assert.lengthOf(sent, 0)
      const failure = response._tag === "Failure" ? response.failure : undefined
      assert.strictEqual(
        failure?._tag === "ProviderUnavailable" ? failure.detail : "",
        "client_key cannot be used with RS256"
      )
    }).pipe(Effect.provide(crypto)))

  it.effect("have what the operator adds, and a resource only where that is wanted", () =>
    Effect.gen(function*() {
      const parameters = { client_id: "gateway", redirect_uri: redirectUri, response_type: "code" }
      const pkce = { code_challenge: "h".repeat(43), code_challenge_method: "S256", resource: `${issuer}/mcp` }
      const rows: ReadonlyArray<readonly [Provider, Readonly<Record<string, string>>]> = [
        [{}, { scope: "read" }],
        [{ facade: { resource: "keep" } }, { scope: "read", resource: `${issuer}/mcp` }],
        [{ facade: { resource: "urn:notes", scopes: "offline_access" } }, {
          scope: "read offline_access",
          resource: "urn:notes"
        }],
        [{ facade: { authorize_parameters: { audience: "{resource}" } } }, {
          scope: "read",
          audience: `${issuer}/mcp`
        }],
        [{ facade: { authorize_parameters: { audience: "notes", prompt: "select_account" } } }, {
          scope: "read",
          audience: "notes",
          prompt: "select_account"
        }],
        [{ provider: { scopes_requested: { read: "api://notes/read" } } }, { scope: "api://notes/read" }]
      ]
      for (const [provider, expected] of rows) {
        const trusted = { trusted_clients: redirectUri, token_parameters: { x: "y of {resource}" } }
        const { authorize, sent: [request] } = yield* exchange({
          ...provider,
          facade: { ...provider.facade, ...trusted }
        })
        for (const scope of ["read", "api://notes/read", "read Mail.Read", "Mail.Read openid", ""]) {
          const response = yield* authorize({ ...parameters, ...pkce, scope, state: "s" })
          const location = new URL(response._tag === "Redirect" ? response.location : "about:blank")
          assert.strictEqual(location.origin + location.pathname, "https://issuer.example/authorize")
          const { code_challenge: challenge, state, ...rest } = Object.fromEntries(location.searchParams)
          assert.deepStrictEqual(rest, {
            tenant: "1",
            response_type: "code",
            client_id: "gateway",
            redirect_uri: `${issuer}/oauth/callback`,
            code_challenge_method: "S256",
            ...expected
          }, scope)
          assert.notStrictEqual(challenge, pkce.code_challenge)
          assert.isAtLeast(state?.length ?? 0, 100)
        }
        const { resource, x } = fieldsOf(request)
        assert.strictEqual(resource, expected["resource"])
        assert.strictEqual(x, `y of ${issuer}/mcp`)
      }
    }).pipe(Effect.provide(crypto)))

  it.effect("without PKCE where the provider has none", () =>
    Effect.gen(function*() {
      const { authorize } = yield* exchange({ facade: { pkce: false, trusted_clients: redirectUri } })
      const response = yield* authorize({
        client_id: "gateway",
        redirect_uri: redirectUri,
        response_type: "code",
        code_challenge: "h".repeat(43),
        code_challenge_method: "S256"
      })
      const location = response._tag === "Redirect" ? response.location : ""
      assert.notInclude(location, "code_challenge")
    }).pipe(Effect.provide(crypto)))

  it.effect("go to endpoints of the settings where the metadata are of no use, and to no unprotected one", () =>
    Effect.gen(function*() {
      const own = { authorize_endpoint: "https://github.example/a", token_endpoint: "https://github.example/t" }
      assert.strictEqual((yield* exchange({ facade: own })).sent[0]?.url, own.token_endpoint)
      for (
        const endpoint of [
          "http://issuer.example/token",
          "https://user:x@issuer.example/token",
          "not a URL",
          undefined,
          7
        ]
      ) {
        const { response, sent } = yield* exchange({ metadata: { token_endpoint: endpoint } })
        assert.lengthOf(sent, 0)
        assert.strictEqual(response._tag === "Failure" ? response.failure._tag : "", "ProviderUnavailable")
      }
      const confined = yield* exchange({
        provider: { hosts: "issuer.example" },
        metadata: { token_endpoint: "https://evil.example/token" }
      })
      assert.lengthOf(confined.sent, 0)
    }).pipe(Effect.provide(crypto)))
})

const status = (code: number, error?: string) => () =>
  Effect.fail(
    new ProviderRequestFailed({
      kind: "Status",
      url: "https://issuer.example/token",
      status: code,
      rejection: { error, scope: [], inactive: false }
    })
  )

describe("token responses of the provider", () => {
  it.effect("reach the client without what is not for it", () =>
    Effect.gen(function*() {
      const { response, sealer } = yield* exchange({
        respond: () => Effect.succeed({ ...goodBody, refresh_token: "provider-refresh", ext_expires_in: 9 })
      })
      const body = response._tag === "Success" && response.success._tag === "Json" ? response.success.body : {}
      const { refresh_token: refresh, ...rest } = body
      assert.deepStrictEqual(rest, {
        access_token: "provider-token",
        token_type: "Bearer",
        expires_in: 3599,
        scope: "a b"
      })
      assert.notInclude(String(refresh), "provider-refresh")
      assert.deepStrictEqual(yield* sealer.open("refresh", ["gateway"], String(refresh)), ["provider-refresh"])
      assert.isUndefined(yield* sealer.open("refresh", ["another"], String(refresh)))
    }).pipe(Effect.provide(crypto)))

  it.effect("separate scopes by spaces, also where the provider writes commas", () =>
    Effect.gen(function*() {
      for (
        const [scope, expected] of [["a,b", "a b"], ["a, b", "a b"], ["a b", "a b"], ["a", "a"], [
          "",
          undefined
        ]] as const
      ) {
        const { response } = yield* exchange({ respond: () => Effect.succeed({ ...goodBody, scope }) })
        const body = response._tag === "Success" && response.success._tag === "Json" ? response.success.body : {}
        assert.strictEqual(body["scope"], expected)
      }
    }).pipe(Effect.provide(crypto)))

  const rows: ReadonlyArray<readonly [string, () => Effect.Effect<JsonObject, ProviderRequestFailed>, string]> = [
    ["a spent code", status(400, "invalid_grant"), "invalid_grant"],
    ["an error that is not registered, as interaction_required", status(400), "invalid_grant"],
    ["a scope", status(400, "invalid_scope"), "invalid_scope"],
    ["the gateway's secret", status(401, "invalid_client"), "ProviderUnavailable"],
    ["the gateway's client", status(400, "unauthorized_client"), "ProviderUnavailable"],
    ["the gateway without a reason", status(403), "ProviderUnavailable"],
    ["too many requests", status(429), "ProviderUnavailable"],
    ["its own fault", status(500), "ProviderUnavailable"],
    ["its own fault with another status", status(400, "temporarily_unavailable"), "ProviderUnavailable"],
    ["a code with status 200", () => Effect.succeed({ error: "bad_verification_code" }), "invalid_grant"],
    [
      "the gateway's secret with status 200",
      () => Effect.succeed({ error: "incorrect_client_credentials" }),
      "ProviderUnavailable"
    ],
    ["nothing, but without a token", () => Effect.succeed({ token_type: "Bearer" }), "ProviderUnavailable"],
    [
      "nothing, but with a token of another type",
      () => Effect.succeed({ access_token: "t", token_type: "DPoP" }),
      "ProviderUnavailable"
    ]
  ]

  for (const [what, respond, expected] of rows) {
    it.effect(`that reject ${what} are ${expected} for the client`, () =>
      Effect.gen(function*() {
        const { response } = yield* exchange({ respond })
        const failure = response._tag === "Failure" ? response.failure : undefined
        assert.strictEqual(failure?._tag === "OAuthRejected" ? failure.error : failure?._tag, expected)
      }).pipe(Effect.provide(crypto)))
  }
})
