/** Sessions belong to their caller in every product, and in replicas of all of them that have the same key. */
import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Logger from "effect/Logger"
import * as Redacted from "effect/Redacted"
import { makeFetchMiddleware } from "mcp-authorizer"
import { listen } from "../../src/issuer/LoopbackServer.ts"
import { TestIssuer } from "../../src/issuer/TestIssuer.ts"
import { initializeOf, toolsList } from "../fixtures/messages.ts"
import { modernFields, modernMessage } from "../fixtures/modernMessages.ts"
import { jwtProvider } from "../fixtures/providers.ts"
import { settings } from "../fixtures/settings.ts"
import { startEffectGateway } from "../support/effectGateway.ts"
import { startGateway } from "../support/gateway.ts"
import { makeRecordingUpstream } from "../support/RecordingUpstream.ts"
import * as responses from "../support/upstreamResponses.ts"

const field = "mcp-session-id"
const audience = "https://mcp.example.com/mcp"
const first = "the-first-key-0000000000000000000000"
const second = "the-second-key-000000000000000000000"

/** A running product in front of an MCP server that begins the session `own`. */
interface Product {
  readonly name: string
  readonly url: string
  /** The ids that the MCP server has seen, one for each request that reached it. */
  readonly seen: () => ReadonlyArray<string | undefined>
}

type Issuers = ReadonlyArray<TestIssuer["Service"]>

const beginning = responses.respond({ headers: { "content-type": "application/json", [field]: "own" }, body: "{}" })

const providersOf = (issuers: Issuers) => issuers.map((issuer, at) => jwtProvider(issuer, { name: `issuer-${at}` }))

const gatewayOf = (name: string, start: typeof startEffectGateway) => (issuers: Issuers, keys: ReadonlyArray<string>) =>
  Effect.gen(function*() {
    const upstream = yield* makeRecordingUpstream
    yield* upstream.respondWith(beginning)
    const started = yield* start(settings(`${upstream.origin}/mcp`, {
      bindSessions: true,
      providers: providersOf(issuers),
      sessionKeys: keys.map((key) => Redacted.make(key))
    }))
    return {
      name,
      url: `${started}/mcp`,
      seen: () => upstream.requests().map(({ headers }) => headers(field)[0])
    } satisfies Product
  })

/** A server that embeds the gateway, on a socket of its own. */
const embedded = (issuers: Issuers, keys: ReadonlyArray<string>) =>
  Effect.gen(function*() {
    const seen: Array<string | undefined> = []
    const { dispose, protect } = makeFetchMiddleware({
      providers: issuers.map(({ issuer, jwksUri }, at) => ({
        name: `issuer-${at}`,
        issuer,
        jwks_uri: jwksUri,
        audience
      })),
      public_url: "https://mcp.example.com",
      session_key: keys
    }, { logger: Logger.layer([]) })
    yield* Effect.addFinalizer(() => Effect.promise(dispose))
    const handle = protect((request) => {
      seen.push(request.headers.get(field) ?? undefined)
      return Promise.resolve(Response.json({}, { headers: { [field]: "own" } }))
    })
    const { origin } = yield* listen((incoming, response) =>
      Effect.gen(function*() {
        const chunks = yield* Effect.promise(() => incoming.toArray())
        const headers = Object.entries(incoming.headers).flatMap(([name, value]): ReadonlyArray<[string, string]> =>
          typeof value === "string" ? [[name, value]] : []
        )
        const { method = "GET" } = incoming
        const reply = yield* Effect.promise(() =>
          handle(
            new Request("https://mcp.example.com/mcp", {
              method,
              headers,
              body: method === "POST" ? Buffer.concat(chunks) : null
            })
          )
        )
        response.writeHead(reply.status, Object.fromEntries(reply.headers)).end(
          yield* Effect.promise(() => reply.text())
        )
      })
    )
    return { name: "embedded", url: `${origin}/mcp`, seen: () => seen } satisfies Product
  })

const products = [
  gatewayOf("Node", (given) => Effect.map(startGateway(given), ({ origin }) => origin)),
  gatewayOf("HttpApp", startEffectGateway),
  embedded
]

const ask = (
  { url }: Product,
  bearer: string,
  method: string,
  fields: Record<string, string>,
  body = toolsList
) =>
  Effect.promise(async () => {
    const response = await fetch(url, {
      method,
      headers: { authorization: `Bearer ${bearer}`, "content-type": "application/json", ...fields },
      body: method === "POST" ? body : null
    })
    await response.text()
    return response
  })

const begin = Effect.fnUntraced(function*(product: Product, bearer: string) {
  const { headers, status } = yield* ask(product, bearer, "POST", {}, initializeOf("2025-11-25"))
  assert.strictEqual(status, 200, product.name)
  return headers.get(field) ?? assert.fail("no session")
})

/** Two issuers, and tokens of callers that differ in one respect. */
const callers = Effect.gen(function*() {
  const issuer = yield* TestIssuer.make({ audience })
  const other = yield* TestIssuer.make({ audience })
  const claims = { sub: "alice", client_id: "app" }
  return {
    issuers: [issuer, other],
    alice: yield* issuer.sign({ claims: { ...claims, jti: "1" } }),
    refreshed: yield* issuer.sign({ claims: { ...claims, jti: "2", scope: "more", email: "alice@example.com" } }),
    strangers: {
      "another subject": yield* issuer.sign({ claims: { ...claims, sub: "mallory" } }),
      "another client": yield* issuer.sign({ claims: { ...claims, client_id: "other" } }),
      "no client": yield* issuer.sign({ claims: { ...claims, client_id: undefined } }),
      "another issuer": yield* other.sign({ claims })
    }
  }
})

const uses: ReadonlyArray<readonly [method: string, fields: Record<string, string>]> = [
  ["POST", {}],
  ["POST", { "mcp-protocol-version": "2025-11-25" }],
  ["GET", { accept: "text/event-stream" }],
  ["GET", { accept: "text/event-stream", "last-event-id": "stream-1/7" }],
  ["DELETE", {}]
]

describe("sessions of every product", () => {
  it.live("MCP-07 MCP-08 SE-5 go on at replicas of any product with the same key, for their caller alone", () =>
    Effect.gen(function*() {
      const { alice, issuers, refreshed, strangers } = yield* callers
      const running = yield* Effect.forEach(products, (start) => start(issuers, [first]))
      for (const one of running) {
        const session = yield* begin(one, alice)
        assert.notInclude(["own", ""], session)
        for (const another of running) {
          const where = `${one.name} to ${another.name}`
          for (const [method, fields] of uses) {
            const before = another.seen().length
            const { headers, status } = yield* ask(another, refreshed, method, { ...fields, [field]: session })
            assert.deepStrictEqual([status, headers.get(field)], [200, session], where)
            assert.deepStrictEqual(another.seen().slice(before), ["own"], where)
          }
          const before = another.seen().length
          for (const [who, bearer] of Object.entries(strangers)) {
            for (const [method, fields] of uses) {
              const { status } = yield* ask(another, bearer, method, { ...fields, [field]: session })
              assert.strictEqual(status, 404, `${where}, ${who}, ${method}`)
            }
          }
          assert.strictEqual((yield* ask(another, "no token", "POST", { [field]: session })).status, 401)
          assert.strictEqual((yield* ask(another, alice, "POST", { [field]: "own" })).status, 404)
          assert.lengthOf(another.seen(), before, where)
        }
      }
    }).pipe(Effect.scoped))

  it.live("MCP-07 outlive a change of the key in two steps: the first seals, both open", () =>
    Effect.gen(function*() {
      const { alice, issuers } = yield* callers
      for (const start of products) {
        const [old, both, fresh] = yield* Effect.forEach(
          [[first], [second, first], [second]],
          (keys) => start(issuers, keys)
        )
        if (old === undefined || both === undefined || fresh === undefined) return assert.fail("not started")
        const begun = yield* begin(old, alice)
        const renewed = yield* begin(both, alice)
        const status = (product: Product, session: string) =>
          Effect.map(ask(product, alice, "POST", { [field]: session }), (response) => response.status)
        assert.deepStrictEqual(
          yield* Effect.all([status(both, begun), status(both, renewed), status(fresh, renewed)]),
          [200, 200, 200],
          old.name
        )
        assert.deepStrictEqual(yield* Effect.all([status(fresh, begun), status(old, renewed)]), [404, 404], old.name)
      }
    }).pipe(Effect.scoped))

  it.live("SE-6 are unknown to a request of MCP 2026-07-28, whosoever they are", () =>
    Effect.gen(function*() {
      const { alice, issuers, strangers } = yield* callers
      const modern = Object.fromEntries(modernFields("tools/list").map((line) => line.split(": ") as [string, string]))
      for (const start of products) {
        const product = yield* start(issuers, [first])
        const session = yield* begin(product, alice)
        for (
          const [bearer, id] of [[alice, session], [strangers["another subject"], session], [alice, "own"]] as const
        ) {
          const { status } = yield* ask(
            product,
            bearer,
            "POST",
            { ...modern, [field]: id },
            modernMessage("tools/list")
          )
          assert.deepStrictEqual([status, product.seen().at(-1)], [200, undefined], product.name)
        }
      }
    }).pipe(Effect.scoped))
})
