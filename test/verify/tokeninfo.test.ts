/** Opaque tokens of providers that describe them in a form of their own. */
import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as TestClock from "effect/testing/TestClock"
import type { InvalidTokenReason } from "../../src/errors/GatewayError.ts"
import type { Identity } from "../../src/identity/Identity.ts"
import type { TokeninfoProvider } from "../../src/providers/tokeninfo.ts"
import { tokeninfoProvider } from "../fixtures/providers.ts"
import { serveWebHandler } from "../support/serve.ts"
import { assertRejected, skew, start, verifierOf, withProviders } from "./support.ts"

interface Description {
  readonly status?: number
  readonly headers?: Readonly<Record<string, string>>
  readonly body: unknown
}

interface Received {
  readonly method: string
  readonly authorization: string | null
  readonly agent: string | null
  readonly form: string
}

/** A provider that describes each of these tokens, and rejects all others with 401. */
const setUp = Effect.fnUntraced(function*(
  descriptions: Readonly<Record<string, Description>>,
  changes: Partial<TokeninfoProvider>
) {
  yield* TestClock.setTime(start * 1000)
  const received: Array<Received> = []
  const origin = yield* serveWebHandler(async (request) => {
    const form = await request.text()
    const authorization = request.headers.get("authorization")
    received.push({ method: request.method, authorization, agent: request.headers.get("user-agent"), form })
    const token = authorization?.replace("Bearer ", "") ?? ""
    const { body, headers = {}, status = 200 } = descriptions[token] ??
      { status: 401, body: { error: "invalid_token" } }
    return Response.json(body, { status, headers })
  })
  const verify = yield* verifierOf(tokeninfoProvider(`${origin}/tokeninfo`, changes))
  return { received, verify }
})

type Cases = Readonly<Record<string, readonly [Description, Partial<Identity> | InvalidTokenReason]>>

const check = Effect.fnUntraced(function*(changes: Partial<TokeninfoProvider>, cases: Cases) {
  const descriptions = Object.fromEntries(Object.entries(cases).map(([token, [description]]) => [token, description]))
  const { received, verify } = yield* setUp(descriptions, changes)
  for (const [token, [, expected]] of Object.entries(cases)) {
    if (typeof expected === "string") yield* assertRejected(verify, token, expected)
    else assert.deepInclude(yield* verify(token), expected, token)
  }
  yield* assertRejected(verify, "unknown-token", "Inactive")
  return received
})

const google = {
  aud: "app.apps.googleusercontent.com",
  azp: "app.apps.googleusercontent.com",
  sub: "110169484474386276334",
  scope: "openid https://www.googleapis.com/auth/userinfo.email",
  exp: String(start + 3000),
  expires_in: "3000",
  email: "ann@example.com",
  email_verified: "true",
  access_type: "online"
}

describe("tokeninfo", () => {
  it.effect("describes who, for which client, with which scopes, and until when", () =>
    withProviders(Effect.gen(function*() {
      const received = yield* check({
        allowedClients: ["app.apps.googleusercontent.com"],
        tokeninfoParameter: "access_token"
      }, {
        good: [{ body: google }, {
          subject: "110169484474386276334",
          principal: "user",
          clientId: "app.apps.googleusercontent.com",
          scopes: ["openid", "https://www.googleapis.com/auth/userinfo.email"],
          email: "ann@example.com",
          emailVerified: true,
          expiresAt: start + 3000
        }],
        "of-another-app": [{ body: { ...google, aud: "evil", azp: "evil" } }, "InvalidAudience"],
        "of-two-apps": [{ body: { ...google, client_id: "evil" } }, "InvalidAudience"],
        expired: [{ body: { ...google, exp: String(start - skew) } }, "Expired"],
        "without-an-end": [{ body: { ...google, exp: "soon" } }, "ValidationFailed"],
        // Without the scope openid, the description names no user: the client must not take the user's place.
        "without-a-user": [{ body: { ...google, sub: undefined, email: undefined } }, "MissingClaim"],
        "with-an-error": [{ body: { error: "invalid_token" } }, "Inactive"],
        "with-status-400": [{ status: 400, body: { error_description: "Invalid Value" } }, "Inactive"]
      })
      assert.deepStrictEqual(received[0], {
        method: "POST",
        authorization: "Bearer good",
        agent: "mcp-authorizer",
        form: "access_token=good"
      })
    })))

  it.effect("may name the audience, which is checked", () =>
    withProviders(check({ audience: ["app.apps.googleusercontent.com"] }, {
      good: [{ body: google }, { subject: "110169484474386276334" }],
      other: [{ body: { ...google, aud: "evil" } }, "InvalidAudience"],
      none: [{ body: { ...google, aud: undefined, azp: undefined } }, "MissingClaim"]
    })))

  it.effect("may name the client and the scopes in fields of the response", () =>
    withProviders(Effect.gen(function*() {
      const body = { id: 583231, login: "octocat", type: "User", name: "The Octocat", email: null }
      const headers = { "x-oauth-scopes": "repo, user:email", "x-oauth-client-id": "Iv1.app" }
      const received = yield* check({
        subjectClaims: ["id"],
        clientClaims: ["x-oauth-client-id"],
        scopeClaims: ["x-oauth-scopes"],
        allowedClients: ["Iv1.app"]
      }, {
        good: [{ body, headers }, { subject: "583231", clientId: "Iv1.app", scopes: ["repo", "user:email"] }],
        "without-scopes": [{ body, headers: { ...headers, "x-oauth-scopes": "" } }, { scopes: [] }],
        "of-another-app": [{ body, headers: { ...headers, "x-oauth-client-id": "Iv1.evil" } }, "InvalidAudience"],
        "a-personal-token": [{ body, headers: { "x-oauth-scopes": "repo" } }, "MissingClaim"],
        // The body is the user's profile: it cannot stand in for a field.
        "in-the-body": [
          { body: { ...body, "x-oauth-client-id": "Iv1.app", "x-oauth-scopes": "repo" } },
          "MissingClaim"
        ],
        "without-an-id": [{ body: { ...body, id: undefined }, headers }, "MissingClaim"],
        "an-id-in-text": [{ body: { ...body, id: "" }, headers }, "MissingClaim"]
      })
      assert.deepInclude(received[0], { method: "GET", authorization: "Bearer good", form: "" })
    })))

  it.effect("may count the seconds that are left", () =>
    withProviders(check({
      subjectClaims: ["resource_owner_id"],
      clientClaims: ["application.uid"],
      allowedClients: ["app-uid"]
    }, {
      good: [
        { body: { resource_owner_id: 7, scope: ["read_api"], expires_in: 7200, application: { uid: "app-uid" } } },
        { subject: "7", clientId: "app-uid", scopes: ["read_api"], expiresAt: start + 7200 }
      ],
      over: [
        { body: { resource_owner_id: 7, scope: [], expires_in: -100, application: { uid: "app-uid" } } },
        "Expired"
      ],
      other: [
        { body: { resource_owner_id: 7, scope: [], expires_in: 7200, application: { uid: "evil" } } },
        "InvalidAudience"
      ],
      personal: [
        { body: { resource_owner_id: 7, scope: ["api"], expires_in: null, application: null } },
        "MissingClaim"
      ]
    })))

  it.effect("is unavailable where the provider is, which rejects no token", () =>
    withProviders(Effect.gen(function*() {
      const { verify } = yield* setUp({
        down: { status: 503, body: {} },
        "rate-limited": { status: 403, headers: { "retry-after": "60" }, body: {} },
        odd: { body: ["no object"] }
      }, {})
      for (const token of ["down", "rate-limited", "odd"]) {
        const error = yield* Effect.flip(verify(token))
        assert.strictEqual(error._tag, "ProviderUnavailable", token)
      }
    })))
})
