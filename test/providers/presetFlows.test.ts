/** The whole way of a client, from its first 401 to a called tool and through a refresh, with presets and their facades. */
import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import { parseChallenge } from "../../src/testing/parseChallenge.ts"
import { settingsOf } from "../config/resolving.ts"
import { Browser, post, redirectUri, SignIn } from "../facade/Browser.ts"
import { sessionKey } from "../facade/facadeFixture.ts"
import { toolCall } from "../fixtures/messages.ts"
import { startGateway } from "../support/gateway.ts"
import { makeRecordingUpstream } from "../support/RecordingUpstream.ts"
import { reservePort } from "../support/reservePort.ts"
import { entraAudience, makeStandInProvider, standInClient, standInUser } from "../support/StandInProvider.ts"

const facade = {
  client_id: standInClient.id,
  client_secret: standInClient.secret,
  redirect_uris: [redirectUri]
}

/** What an operator writes; only the issuer is that of the stand-in. */
const cases = {
  entra: {
    provider: { preset: "entra", audience: [entraAudience, "api://notes"] },
    scope: "mcp.read",
    requested: "api://notes/mcp.read"
  },
  cognito: { provider: { preset: "cognito" }, scope: "notes/read", requested: "notes/read" }
} as const

describe("a client of a provider without registration", () => {
  for (const kind of ["entra", "cognito"] as const) {
    it.live(`signs in with nothing but the preset and a client: ${kind}`, () =>
      Effect.gen(function*() {
        const { provider: entry, requested, scope } = cases[kind]
        const port = yield* reservePort
        const origin = `http://127.0.0.1:${port}`
        const upstream = yield* makeRecordingUpstream
        const provider = yield* makeStandInProvider(kind, `${origin}/oauth/callback`)
        yield* startGateway(settingsOf({}, {
          server_url: `${upstream.origin}/mcp`,
          public_url: origin,
          port,
          session_key: sessionKey,
          required_scopes: scope,
          providers: [{ ...entry, issuer: provider.issuer, facade }]
        }))
        const call = (token?: string) =>
          Effect.promise(() =>
            fetch(`${origin}/mcp`, {
              method: "POST",
              headers: {
                "content-type": "application/json",
                ...(token === undefined ? {} : { authorization: `Bearer ${token}` })
              },
              body: toolCall("hello")
            })
          )
        const unauthenticated = yield* call()
        assert.strictEqual(unauthenticated.status, 401)
        const { parameters } = parseChallenge(unauthenticated.headers.get("www-authenticate") ?? "")
        assert.strictEqual(parameters.get("scope"), requested)

        const client = new SignIn(origin, standInClient.id)
        const code = (yield* client.callback(new Browser())).get("code") ?? ""
        const asked = provider.authorizations[0]?.get("scope")?.split(" ") ?? []
        assert.includeMembers(asked, kind === "entra" ? [requested, "offline_access"] : [requested])
        const { body, status } = yield* post(`${origin}/token`, client.form(code))
        assert.strictEqual(status, 200, JSON.stringify(body))
        assert.strictEqual((yield* call(body["access_token"])).status, 200)
        const [sent] = upstream.requests()
        assert.deepStrictEqual(sent?.headers("x-auth-user-id"), [standInUser])
        assert.include(sent?.headers("x-auth-scopes").join().split(" ") ?? [], scope)
        const refreshed = yield* post(`${origin}/token`, {
          grant_type: "refresh_token",
          client_id: client.clientId,
          refresh_token: body["refresh_token"] ?? ""
        })
        assert.strictEqual(refreshed.status, 200, JSON.stringify(refreshed.body))
        assert.strictEqual((yield* call(refreshed.body["access_token"])).status, 200)
        assert.strictEqual((yield* call(`${body["access_token"]}x`)).status, 401)
      }).pipe(Effect.scoped))
  }
})
