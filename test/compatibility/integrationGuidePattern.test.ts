import { assert, layer } from "@effect/vitest"
import * as ConfigProvider from "effect/ConfigProvider"
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as HttpServer from "effect/http/HttpServer"
import * as Layer from "effect/Layer"
import * as Logger from "effect/Logger"
import * as NetAddress from "effect/net/NetAddress"
import { createHash, randomBytes } from "node:crypto"
import { GatewayConfig } from "../../src/config/GatewayConfig.ts"
import { TestIssuer } from "../../src/issuer/TestIssuer.ts"
import { ApiKeys, Gateway, Verifier } from "../examples/apiKeysBesideOauth.ts"
import * as LibsqlClient from "../examples/LibsqlClient.ts"
import { Users } from "../examples/usersInSql.ts"
import { assertRejected } from "../support/assertRejected.ts"
import { bearer, type Replacement, startReplacement, type Variables } from "./predecessor.ts"

const userinfo = "/oauth/userinfo"

const apiKey = `wcd_${randomBytes(24).toString("base64url")}`

const apiKeys = ConfigProvider.layer(ConfigProvider.fromUnknown({
  USERS: ":memory:",
  API_KEYS: JSON.stringify({
    [createHash("sha256").update(apiKey).digest("hex")]: { userId: "user-of-the-key", scopes: ["mcp:read"] }
  })
}))

const variables = (authKitUrl: string, mcpServer: string): Variables => ({
  MCP_PROVIDER_TYPE: "userinfo",
  MCP_JWT_ISSUER: authKitUrl,
  MCP_TOKEN_PREFIX: "mat_",
  MCP_GATEWAY_URL: mcpServer
})

/** The example program's verifier in a gateway. */
class Program extends Context.Service<Program, {
  readonly authKit: TestIssuer["Service"]
  readonly system: Replacement
}>()("mcp-authorizer/test/compatibility/integrationGuidePattern.test/Program") {
  static readonly layer = Layer.effect(
    Program,
    Effect.gen(function*() {
      const authKit = yield* TestIssuer.make()
      const verifier = Verifier.pipe(
        Layer.provide([ApiKeys.layer, Users.layer]),
        Layer.provide([apiKeys, LibsqlClient.layer(":memory:")]),
        Layer.orDie
      )
      const system = yield* startReplacement((mcpServer) => variables(authKit.issuer, mcpServer), apiKey, verifier)
      return { authKit, system }
    })
  )
}

/** The user as whom a token's request reaches the server behind. */
const userOf = (authorization: string) =>
  Effect.gen(function*() {
    const { system } = yield* Program
    const request = yield* system.forwarded({ authorization })
    assert.deepStrictEqual(request.headers("x-auth-provider"), ["userinfo"])
    return request.headers("x-auth-user-id").join()
  })

const login = (email: string | undefined, subject = `usr_${email}`) =>
  Effect.flatMap(
    Program,
    ({ authKit }) => Effect.map(authKit.issueOpaque({ prefix: "mat_", subject, email, name: "Name" }), bearer)
  )

layer(Program.layer, { excludeTestServices: true })("Integration Guide, the full auth check pattern", (it) => {
  it.effect("Integration Guide \"API key path\": wcd_ keys are looked up here, and AuthKit is not asked", () =>
    Effect.gen(function*() {
      const { authKit, system } = yield* Program
      const before = (yield* authKit.requests()).length
      const request = yield* system.forwarded({ authorization: bearer(apiKey) })
      assert.deepStrictEqual(request.headers("x-auth-user-id"), ["user-of-the-key"])
      assert.deepStrictEqual(request.headers("x-auth-provider"), ["api-keys"])
      assert.deepStrictEqual(request.headers("x-auth-scopes"), ["mcp:read"])
      for (const wrong of [`${apiKey}x`, apiKey.slice(0, -1), "wcd_"]) {
        const authorization = bearer(wrong)
        const response = yield* assertRejected(system, { authorization }, { status: 401, error: "invalid_token" })
        assert.strictEqual(JSON.parse(response.text).error_description, "Token not found")
      }
      assert.lengthOf(yield* authKit.requests(), before)
    }))

  it.effect("Integration Guide \"OAuth path (AuthKit)\": mat_ tokens go to userinfo", () =>
    Effect.gen(function*() {
      const { authKit, system } = yield* Program
      const before = yield* authKit.hits(userinfo)
      assert.match(yield* userOf(yield* login("oauth@example.com")), /^[0-9a-f-]{36}$/)
      assert.strictEqual((yield* authKit.hits(userinfo)) - before, 1)
      const unknown = { authorization: "Bearer mat_0123456789abcdefghij" }
      yield* assertRejected(system, unknown, { status: 401, error: "invalid_token" })
    }))

  it.effect("Integration Guide \"return null\": anything else is rejected without a request", () =>
    Effect.gen(function*() {
      const { authKit, system } = yield* Program
      const before = (yield* authKit.requests()).length
      for (const token of ["sak_0123456789abcdef", `x${apiKey}`, apiKey.toUpperCase()]) {
        const authorization = bearer(token)
        const response = yield* assertRejected(system, { authorization }, { status: 401, error: "invalid_token" })
        assert.strictEqual(JSON.parse(response.text).error_description, "Invalid token format")
      }
      assert.lengthOf(yield* authKit.requests(), before)
    }))

  it.effect("Integration Guide, Step 5 \"Map Users\": \"find-or-create them in your database\", by e-mail", () =>
    Effect.gen(function*() {
      const ada = yield* userOf(yield* login("ada@example.com"))
      assert.strictEqual(yield* userOf(yield* login("ada@example.com")), ada)
      assert.notStrictEqual(yield* userOf(yield* login("bob@example.com")), ada)
    }))

  it.effect("Integration Guide, Step 5 \"for the first time\": twenty first times at once make one user", () =>
    Effect.gen(function*() {
      const { system } = yield* Program
      yield* system.reset
      const tokens = yield* Effect.all(Array.from({ length: 20 }, () => login("eve@example.com")))
      const exchanges = yield* Effect.forEach(tokens, (authorization) => system.send({ authorization }), {
        concurrency: "unbounded"
      })
      assert.deepStrictEqual([...new Set(exchanges.map(({ responses: [response] }) => response?.status))], [200])
      const users = system.upstream.requests().map((request) => request.headers("x-auth-user-id").join())
      assert.lengthOf(users, 20)
      assert.strictEqual(new Set(users).size, 1)
    }))

  it.effect("Integration Guide, Step 5: who has no e-mail address cannot be mapped and is rejected", () =>
    Effect.gen(function*() {
      const { system } = yield* Program
      const authorization = yield* login(undefined)
      const response = yield* assertRejected(system, { authorization }, { status: 401, error: "invalid_token" })
      assert.strictEqual(JSON.parse(response.text).error_description, "Missing required claim")
    }))

  it.effect("the example program as it stands: listens, takes keys, rejects the rest", () =>
    Effect.gen(function*() {
      const { authKit, system } = yield* Program
      const settings = { ...variables(authKit.issuer, `${system.upstream.origin}/mcp`), PORT: "0" }
      const context = yield* Layer.build(Gateway.pipe(
        Layer.provide([GatewayConfig.layerVariables(settings), apiKeys, Logger.layer([])])
      ))
      const mcp = `${NetAddress.formatUrlUnsafe(Context.get(context, HttpServer.HttpServer).address)}/mcp`
      const status = (token: string) =>
        Effect.promise(async () => {
          const { status } = await fetch(mcp, {
            method: "POST",
            headers: { authorization: bearer(token), "content-type": "application/json" },
            body: `{"jsonrpc":"2.0","method":"tools/list","id":1}`
          })
          return status
        })
      assert.strictEqual(yield* status(apiKey), 200)
      assert.strictEqual(yield* status("wcd_unknown"), 401)
      assert.strictEqual(yield* status(yield* authKit.issueOpaque({ prefix: "mat_", email: "ada@example.com" })), 200)
    }))
})
