import { assert, layer } from "@effect/vitest"
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import { Pool } from "undici"
import { TestIssuer } from "../../src/issuer/TestIssuer.ts"
import { message } from "../fixtures/messages.ts"
import { jwtProvider, staticProvider, staticToken } from "../fixtures/providers.ts"
import { GatewayFixture } from "../support/GatewayFixture.ts"
import type { UpstreamHandler } from "../support/RecordedRequest.ts"

const users = 100
const requestsEach = 20
const session = "one-session-for-all"

/** Repeats caller and message in every response, in the three forms of responses, and out of order. */
const makeEcho = (): UpstreamHandler => {
  let count = 0
  return Effect.fnUntraced(function*(request, response) {
    const number = count++
    const sent = JSON.parse(Buffer.from(yield* request.body).toString())
    const reply = JSON.stringify({
      jsonrpc: "2.0",
      id: sent.id,
      result: {
        user: request.headers("x-auth-user-id"),
        context: sent.params._authContext,
        nonce: sent.params.nonce,
        serverInfo: { name: "echo", version: "1" }
      }
    })
    yield* Effect.sleep((number * 7919) % 11)
    const isStream = number % 3 === 0
    response.writeHead(200, {
      "content-type": isStream ? "text/event-stream" : "application/json",
      "mcp-session-id": session,
      ...(number % 3 === 1 ? { "content-length": Buffer.byteLength(reply) } : {})
    })
    const body = isStream ? `event: message\ndata: ${reply}\n\n` : reply
    response.write(body.slice(0, 40))
    yield* Effect.sleep(number % 2)
    response.end(body.slice(40))
  })
}

/** A gateway, its callers' tokens by subject, and one pool of connections that all of them share. */
class Crowd extends Context.Service<Crowd, {
  readonly fixture: GatewayFixture["Service"]
  readonly tokens: ReadonlyMap<string, string>
  readonly pool: Pool
}>()("mcp-authorizer/test/attacks/isolation.test/Crowd") {
  static readonly layer = Layer.effect(
    Crowd,
    Effect.gen(function*() {
      const issuer = yield* TestIssuer.make({ algorithms: ["ES256"] })
      const tokens = new Map<string, string>()
      const known = Array.from({ length: users / 2 }, (_, index) => `static-${index}`)
      for (const subject of known) tokens.set(subject, `token-of-${subject}`)
      for (let index = 0; index < users / 2; index++) {
        tokens.set(`jwt-${index}`, yield* issuer.sign({ claims: { sub: `jwt-${index}` } }))
      }
      const providers = [
        jwtProvider(issuer),
        staticProvider(known.map((subject) => staticToken(`token-of-${subject}`, { subject })))
      ]
      const fixture = yield* GatewayFixture.make({ providers })
      const pool = yield* Effect.acquireRelease(
        Effect.sync(() => new Pool(fixture.gateway.origin, { connections: 32 })),
        (pool) => Effect.promise(() => pool.destroy())
      )
      yield* fixture.upstream.respondWith(makeEcho())
      return { fixture, tokens, pool }
    })
  )
}

const ask = Effect.fnUntraced(function*(subject: string, nonce: string, method: string) {
  const { pool, tokens } = yield* Crowd
  const reply = yield* Effect.promise(async () => {
    const { body, statusCode } = await pool.request({
      method: "POST",
      path: "/mcp",
      headers: {
        authorization: `Bearer ${tokens.get(subject)}`,
        "content-type": "application/json",
        "mcp-session-id": session
      },
      body: JSON.stringify({ jsonrpc: "2.0", id: 1, method, params: { nonce } })
    })
    return { status: statusCode, text: await body.text() }
  })
  assert.strictEqual(reply.status, 200, reply.text)
  return JSON.parse(reply.text.replace(/^event: message\ndata: /, "")).result
})

layer(Crowd.layer, { excludeTestServices: true })("isolation", (it) => {
  it.effect(
    "FWD-15 no caller gets another's response or identity, with one id, one session and shared connections",
    () =>
      Effect.gen(function*() {
        const { tokens } = yield* Crowd
        const subjects = Array.from(tokens.keys())
        const turns = Array.from(
          { length: requestsEach },
          (_, turn) => subjects.map((subject) => ({ subject, nonce: `${subject}/${turn}`, turn }))
        ).flat()
        const completed = new Set<string>()
        yield* Effect.forEach(turns, ({ nonce, subject, turn }) =>
          Effect.gen(function*() {
            const isInitialize = turn % 5 === 0
            const result = yield* ask(subject, nonce, isInitialize ? "initialize" : "tools/call")
            assert.deepStrictEqual(result.user, [subject])
            assert.strictEqual(result.nonce, nonce)
            assert.strictEqual(result.context?.authenticated_user, isInitialize ? subject : undefined)
            assert.strictEqual(result.serverInfo.authInfo?.authenticated_user, isInitialize ? subject : undefined)
            completed.add(nonce)
          }), { concurrency: 64, discard: true })
        assert.strictEqual(completed.size, users * requestsEach)
      }),
    60_000
  )

  it.effect("FWD-15 an identity belongs to the request, not to the connection", () =>
    Effect.gen(function*() {
      const { fixture, tokens } = yield* Crowd
      const one = yield* Effect.acquireRelease(
        Effect.sync(() => new Pool(fixture.gateway.origin, { connections: 1 })),
        (pool) => Effect.promise(() => pool.destroy())
      )
      const status = (authorization: string | undefined) =>
        Effect.promise(async () => {
          const { body, statusCode } = await one.request({
            method: "POST",
            path: "/mcp",
            headers: {
              "content-type": "application/json",
              "mcp-session-id": session,
              ...(authorization === undefined ? {} : { authorization })
            },
            body: message("tools/list", "{}")
          })
          return [statusCode, /"user":\["([^"]*)"\]/.exec(await body.text())?.[1]] as const
        })
      const bearer = (subject: string) => `Bearer ${tokens.get(subject)}`
      assert.deepStrictEqual(yield* status(bearer("jwt-1")), [200, "jwt-1"])
      assert.deepStrictEqual(yield* status(undefined), [401, undefined])
      assert.deepStrictEqual(yield* status(bearer("static-1")), [200, "static-1"])
      assert.deepStrictEqual(yield* status("Bearer wrong"), [401, undefined])
      assert.deepStrictEqual(yield* status(bearer("jwt-2")), [200, "jwt-2"])
    }))
})
