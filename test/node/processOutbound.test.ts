import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import { listen } from "../../src/issuer/LoopbackServer.ts"
import { startGatewayProgram } from "./support/GatewayProgram.ts"
import { startProgram } from "./support/Program.ts"

const env = {
  MCP_SERVER_URL: "http://127.0.0.1:9/mcp",
  MCP_PROVIDER_TYPE: "userinfo",
  MCP_JWT_ISSUER: "http://idp.invalid",
  MCP_ALLOW_HTTP: "idp.invalid"
}

describe("the program", () => {
  it.live("asks providers through the proxy of its environment, which its log names without credentials", () =>
    Effect.gen(function*() {
      const seen: Array<string> = []
      const proxy = yield* listen((request, response) =>
        Effect.sync(() => {
          seen.push(`${request.url} ${request.headers["proxy-authorization"]}`)
          response.writeHead(401).end("{}")
        })
      )
      const { host } = new URL(proxy.origin)
      const gateway = yield* startGatewayProgram({
        env: {
          ...env,
          MCP_OAUTH_USERINFO_ENDPOINT: "http://idp.invalid/oauth/userinfo",
          http_proxy: `http://user:canary@${host}`
        }
      })
      const rejected = yield* Effect.promise(() =>
        fetch(`${gateway.origin}/mcp`, { headers: { authorization: "Bearer opaque", "x-trace-id": "through-proxy" } })
      )
      assert.strictEqual(rejected.status, 401)
      assert.deepStrictEqual(seen, [`http://idp.invalid/oauth/userinfo Basic ${btoa("user:canary")}`])
      assert.include((yield* gateway.requestLine("through-proxy"))["detail"], "userinfo returned 401")
      const ready = yield* Effect.promise(() => fetch(`${gateway.origin}/readyz`))
      assert.strictEqual(ready.status, 200)
      assert.deepStrictEqual(yield* Effect.promise(() => ready.json()), {
        status: "ready",
        providers: [{ name: "userinfo", ready: true, state: "ready" }]
      })
      const says = gateway.stdout() + gateway.stderr()
      assert.include(says, "permits to ask idp.invalid over http")
      assert.notInclude(says, "canary")
    }))

  it.live("is not ready while its only provider cannot be asked, and says why once", () =>
    Effect.gen(function*() {
      const { origin } = yield* Effect.scoped(listen(() => Effect.void))
      const gateway = yield* startGatewayProgram({ env: { ...env, MCP_JWT_ISSUER: origin } })
      for (let look = 0; look < 3; look++) {
        const reply = yield* Effect.promise(() => fetch(`${gateway.origin}/readyz`))
        assert.strictEqual(reply.status, 503)
        assert.include(yield* Effect.promise(() => reply.text()), "\"state\":\"unavailable\"")
      }
      yield* gateway.awaitOutput(/A provider is unreachable/)
      const told = gateway.log().filter(({ message }) => message === "A provider is unreachable")
      assert.deepStrictEqual(told.map(({ annotations }) => annotations["provider"]), ["userinfo"])
      assert.include(told[0]?.annotations["reason"], `${origin}/oauth/userinfo: Unreachable, ECONNREFUSED`)
    }))

  it.live("does not start with a proxy or a CA file that is of no use", () =>
    Effect.gen(function*() {
      const wrong: ReadonlyArray<readonly [Record<string, string>, string]> = [[
        { http_proxy: "socks5://canary:1" },
        "http_proxy: "
      ], [{ MCP_CA_FILE: "/nowhere" }, "MCP_CA_FILE: "]]
      for (const [more, problem] of wrong) {
        const { code, stderr } = yield* (yield* startProgram({ env: { ...env, PORT: "0", ...more } })).ended
        assert.strictEqual(code, 1)
        assert.include(stderr, problem)
        assert.notInclude(stderr, "canary")
      }
    }))
})
