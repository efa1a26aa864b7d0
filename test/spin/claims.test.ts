/** Instances of the component that meet a cold store at the same time: one of them requests the provider for all. */
import { assert, layer } from "@effect/vitest"
import * as Effect from "effect/Effect"
import { TestIssuer } from "../../src/issuer/TestIssuer.ts"
import type { Bucket, Host } from "../../src/spin/Host.ts"
import { makeHandler } from "../../src/spin/SpinGateway.ts"
import { ping } from "../fixtures/messages.ts"
import { makeRecordingUpstream } from "../support/RecordingUpstream.ts"

/** A store with numbers that instances count in; without them, as on hosts that have no `wasi:keyvalue/atomics`. */
const makeStore = (isAtomic: boolean) => {
  const entries = new Map<string, Uint8Array>()
  const numbers = new Map<string, number>()
  const increment = (key: string) => {
    const next = (numbers.get(key) ?? 0) + 1
    numbers.set(key, next)
    return next
  }
  const bucket: Bucket = {
    get: (key) => entries.get(key),
    set: (key, value) => void entries.set(key, value),
    delete: (key) => {
      entries.delete(key)
      numbers.delete(key)
    },
    ...(isAtomic ? { increment } : {})
  }
  return { bucket, entries, numbers }
}

const gateway = Effect.fnUntraced(function*(
  settings: Readonly<Record<string, string>>,
  { isAtomic = true }: { readonly isAtomic?: boolean } = {}
) {
  const upstream = yield* makeRecordingUpstream
  const variables = { mcp_gateway_url: `${upstream.origin}/mcp`, mcp_log_level: "none", ...settings }
  const store = makeStore(isAtomic)
  const host: Host = {
    variables: () => Object.entries(variables),
    fetch: globalThis.fetch,
    openStore: () => store.bucket,
    peerAddress: () => undefined
  }
  /** The status of a request that has an instance of its own. */
  const send = (token: string) =>
    Effect.promise(async () => {
      const headers = { "content-type": "application/json", authorization: `Bearer ${token}` }
      const response = await makeHandler(host)(
        new Request("http://gateway.example/mcp", { method: "POST", body: ping, headers })
      )
      await response.text()
      return response.status
    })
  const together = (tokens: ReadonlyArray<string>) => Effect.forEach(tokens, send, { concurrency: "unbounded" })
  return { send, store, together }
})

const many = <A>(make: (index: number) => A) => Array.from({ length: 20 }, (_, index) => make(index))
const path = (url: string) => new URL(url).pathname

const jwt = (issuer: TestIssuer["Service"]) => ({
  mcp_jwt_issuer: issuer.issuer,
  mcp_jwt_jwks_uri: issuer.jwksUri,
  mcp_jwt_audience: "mcp-api"
})

const introspection = (issuer: TestIssuer["Service"]) => ({
  mcp_provider_type: "introspection",
  mcp_jwt_issuer: issuer.issuer,
  mcp_jwt_audience: "mcp-api",
  mcp_introspection_url: issuer.introspectionEndpoint,
  mcp_client_id: issuer.client.id,
  mcp_client_secret: issuer.client.secret
})

const make = TestIssuer.make({ audience: "mcp-api", keys: "reused" })

layer(TestIssuer.layer({ audience: "mcp-api" }), { excludeTestServices: true })("claims of instances", (it) => {
  it.effect("SPIN-CLAIM-01 MUST fetch the key set once for 20 new tokens at a time, and leave no claim", () =>
    Effect.gen(function*() {
      const issuer = yield* make
      const { store, together } = yield* gateway(jwt(issuer))
      const tokens = yield* Effect.all(many((index) => issuer.sign({ claims: { sub: `user-${index}` } })))
      assert.deepStrictEqual(yield* together(tokens), many(() => 200))
      assert.strictEqual(yield* issuer.hits(path(issuer.jwksUri)), 1)
      assert.isEmpty([...store.numbers])
    }))

  it.effect("SPIN-CLAIM-02 MUST ask once about each of 3 opaque tokens that are used 20 times at a time", () =>
    Effect.gen(function*() {
      const issuer = yield* make
      const { store, together } = yield* gateway(introspection(issuer))
      const tokens = yield* Effect.all([issuer.issueOpaque(), issuer.issueOpaque(), issuer.issueOpaque()])
      const statuses = yield* together(many((index) => tokens[index % 3] ?? ""))
      assert.deepStrictEqual(statuses, many(() => 200))
      assert.strictEqual(yield* issuer.hits(path(issuer.introspectionEndpoint)), 3)
      assert.isEmpty([...store.numbers])
    }))

  it.effect("SPIN-CLAIM-03 MUST wait no longer than the bound for an instance that has ended, and end its claim", () =>
    Effect.gen(function*() {
      const issuer = yield* make
      const { send, store, together } = yield* gateway(jwt(issuer))
      store.bucket.increment?.(`claim:jwks:${issuer.jwksUri}`)
      assert.strictEqual(yield* send(yield* issuer.sign()), 200)
      assert.strictEqual(yield* issuer.hits(path(issuer.jwksUri)), 1)
      assert.isEmpty([...store.numbers])
      store.entries.clear()
      assert.deepStrictEqual(yield* together(yield* Effect.all(many(() => issuer.sign()))), many(() => 200))
      assert.strictEqual(yield* issuer.hits(path(issuer.jwksUri)), 2)
    }))

  it.effect("SPIN-CLAIM-04 MUST verify tokens with a store that cannot count, where each instance requests the provider", () =>
    Effect.gen(function*() {
      const issuer = yield* make
      const { together } = yield* gateway(jwt(issuer), { isAtomic: false })
      assert.deepStrictEqual(yield* together(yield* Effect.all(many(() => issuer.sign()))), many(() => 200))
      assert.isAbove(yield* issuer.hits(path(issuer.jwksUri)), 1)
    }))
})
