/** The facade on Spin, where each request has an instance of its own: nothing can be kept between the steps of a sign-in. */
import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import type { Host } from "../../src/spin/Host.ts"
import { makeHandler } from "../../src/spin/SpinGateway.ts"
import { Browser, post, SignIn } from "../facade/Browser.ts"
import { providerEntry, sessionKey } from "../facade/facadeFixture.ts"
import { makeStandInProvider, standInClient } from "../support/StandInProvider.ts"

const origin = "https://mcp.example.com"

describe("the facade on Spin", () => {
  it.live("signs a client in, refreshes its token, and binds the browser by a __Host- cookie", () =>
    Effect.gen(function*() {
      const provider = yield* makeStandInProvider("cognito", `${origin}/oauth/callback`)
      const variables = {
        mcp_server_url: "http://127.0.0.1:9/mcp",
        mcp_public_url: origin,
        mcp_session_key: sessionKey,
        mcp_providers: JSON.stringify([providerEntry("cognito", provider.issuer)]),
        mcp_log_level: "none"
      }
      const entries = new Map<string, Uint8Array>()
      const host: Host = {
        variables: () => Object.entries(variables),
        fetch: globalThis.fetch,
        peerAddress: () => undefined,
        openStore: () => ({
          get: (key) => entries.get(key),
          set: (key, value) => void entries.set(key, value),
          delete: (key) => void entries.delete(key)
        })
      }
      const fetch = (url: string, init: RequestInit) =>
        url.startsWith(origin) ? makeHandler(host)(new Request(url, init)) : globalThis.fetch(url, init)
      const browser = new Browser(fetch)
      const client = new SignIn(origin, standInClient.id)

      const page = yield* browser.visit(client.url())
      assert.strictEqual(page.status, 200)
      assert.match(page.headers.getSetCookie()[0] ?? "", /^__Host-mcp-authorizer=[^;]{43}; Path=\/; .*; Secure$/)
      const onward = yield* browser.decide(page.text, "allow")
      const callback = yield* browser.follow(onward, `${origin}/oauth/callback?`)
      assert.strictEqual((yield* new Browser(fetch).visit(callback)).status, 400)
      const { location } = yield* browser.visit(callback)
      const code = new URL(location ?? "about:blank").searchParams.get("code") ?? ""
      const first = yield* post(`${origin}/token`, client.form(code), {}, fetch)
      assert.strictEqual(first.status, 200)
      const second = yield* post(
        `${origin}/token`,
        { grant_type: "refresh_token", client_id: client.clientId, refresh_token: first.body["refresh_token"] ?? "" },
        {},
        fetch
      )
      assert.strictEqual(second.status, 200)
      // Documents of the provider may be shared; of a sign-in there is nothing.
      assert.isEmpty([...entries.keys()].filter((key) => !key.startsWith("metadata:") && !key.startsWith("jwks:")))
    }).pipe(Effect.scoped))
})
