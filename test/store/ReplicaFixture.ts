/** Gateways that share a store, with one provider of opaque tokens and one of JWTs. */
import { assert } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Redacted from "effect/Redacted"
import type { GatewaySettings } from "../../src/config/GatewaySettings.ts"
import { TestIssuer } from "../../src/issuer/TestIssuer.ts"
import { eventually } from "../fixtures/eventually.ts"
import { introspectionProvider, jwtProvider } from "../fixtures/providers.ts"
import { settings } from "../fixtures/settings.ts"
import { GatewayFixture } from "../support/GatewayFixture.ts"
import type { RedisServer } from "../support/RedisServer.ts"

export const introspection = "/oauth2/introspection"

export const sessionKey = Redacted.make("the key of all replicas ---------")

/** Starts the provider of several replicas. */
export const makeIssuer = TestIssuer.make({ audience: "mcp-api" })

/** Starts one replica, which has no other store than that of the URL. */
export const startReplica = Effect.fnUntraced(function*(
  issuer: TestIssuer["Service"],
  storeUrl: string | undefined,
  overrides: Partial<GatewaySettings> = {}
) {
  const fixture = yield* GatewayFixture.over(({ origin }) =>
    Effect.succeed({
      settings: settings(`${origin}/internal`, {
        providers: [jwtProvider(issuer), introspectionProvider(issuer)],
        sessionKeys: [sessionKey],
        storeUrl,
        // Slow machines are not what is tested.
        storeTimeoutMillis: 2_000,
        ...overrides
      }),
      token: ""
    })
  )
  const exchange = (token: string) =>
    Effect.map(
      fixture.send({ authorization: `Bearer ${token}` }),
      ({ responses: [response] }) => response ?? assert.fail("no response")
    )
  return {
    /** Sends a request with this token, and returns the status. */
    status: (token: string) => Effect.map(exchange(token), ({ status }) => status),
    /** The caller that the MCP server sees. */
    caller: Effect.fnUntraced(function*(token: string) {
      const { headers } = yield* fixture.forwarded({ authorization: `Bearer ${token}` })
      return ["x-auth-user-id", "x-auth-issuer", "x-auth-scopes", "x-auth-email", "x-auth-provider"].map(headers)
    }),
    said: (text: string) => fixture.logs.entries().filter((entry) => entry.includes(text)).length,
    logs: fixture.logs
  }
})

/** Waits until the store has `count` connections of gateways. */
export const connected = (redis: RedisServer, count: number) =>
  eventually(
    Effect.map(redis.command("CLIENT", "LIST"), (list) =>
      list.split("\n").filter((line) => /cmd=(?!client)/.test(line)).length >= count)
  )

/** The names of the entries in the store. */
export const namesIn = (redis: RedisServer) =>
  Effect.map(redis.command("KEYS", "*"), (reply) => reply.match(/mcp-authorizer:[\w:.-]+/g) ?? [])

/** Waits until the store has an entry of this kind. */
export const storedName = (redis: RedisServer, kind: string) => {
  let found: string | undefined
  return Effect.map(
    eventually(Effect.map(namesIn(redis), (names) => {
      found = names.find((name) => name.startsWith(`mcp-authorizer:${kind}:`))
      return found !== undefined
    })),
    () => found ?? assert.fail("no such entry")
  )
}
