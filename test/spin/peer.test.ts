/**
 * The forwarding fields that the component trusts: those of peers in `MCP_TRUSTED_PROXIES`, whose addresses Spin
 * reports.
 */
import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import type { Host } from "../../src/spin/Host.ts"
import { spinClientAddress } from "../../src/spin/peerAddress.ts"
import { makeHandler } from "../../src/spin/SpinGateway.ts"
import { ping } from "../fixtures/messages.ts"
import { makeRecordingUpstream } from "../support/RecordingUpstream.ts"

const told = (...values: ReadonlyArray<string>) =>
  spinClientAddress(new Headers(values.map((value) => ["spin-client-addr", value] as [string, string])))

const makeStore = () => {
  const entries = new Map<string, Uint8Array>()
  return {
    get: (key: string) => entries.get(key),
    set: (key: string, value: Uint8Array) => void entries.set(key, value),
    delete: (key: string) => void entries.delete(key)
  }
}

/** A component on a host that reports the peer as Spin does, or that does not. */
const gateway = Effect.fnUntraced(
  function*(trusted: Readonly<Record<string, string>>, peerAddress: Host["peerAddress"] = spinClientAddress) {
    const upstream = yield* makeRecordingUpstream
    const variables = {
      mcp_server_url: `${upstream.origin}/mcp`,
      mcp_static_tokens: "dev-token:dev-client:dev-user:read",
      mcp_provider_type: "static",
      mcp_log_level: "none",
      ...trusted
    }
    const store = makeStore()
    const host: Host = {
      variables: () => Object.entries(variables),
      fetch: globalThis.fetch,
      openStore: () => store,
      peerAddress
    }
    const send = (fields: ReadonlyArray<readonly [string, string]>, token?: string) =>
      Effect.promise(() =>
        makeHandler(host)(
          new Request("http://gateway.example/mcp", {
            method: "POST",
            body: ping,
            headers: [
              ["content-type", "application/json"],
              ["content-length", String(ping.length)],
              ["x-forwarded-host", "mcp.example.com"],
              ["x-forwarded-proto", "https"],
              ["x-forwarded-for", "203.0.113.7"],
              ...token === undefined ? [] : [["authorization", `Bearer ${token}`]] as Array<[string, string]>,
              ...fields.map(([name, value]): [string, string] => [name, value])
            ]
          })
        )
      )
    /** The origin that the gateway names as its own. */
    const origin = Effect.fnUntraced(function*(fields: ReadonlyArray<readonly [string, string]>) {
      const response = yield* send(fields)
      assert.strictEqual(response.status, 401)
      const [, metadata = ""] = /resource_metadata="([^"]+)"/.exec(response.headers.get("www-authenticate") ?? "") ?? []
      return new URL(metadata).origin
    })
    return { origin, send, upstream }
  }
)

const peer = (address: string) => ["spin-client-addr", address] as const
const own = "https://gateway.example"
const behindProxy = "https://mcp.example.com"

describe("the peer on Spin", () => {
  it("is the last value of spin-client-addr, which Spin adds after what a client sent", () => {
    assert.strictEqual(told("203.0.113.7:1234"), "203.0.113.7")
    assert.strictEqual(told("10.0.0.1:1", "203.0.113.7:1234"), "203.0.113.7")
    assert.strictEqual(told("10.0.0.1:1, 10.0.0.2:2", "[2001:db8::1]:443"), "2001:db8::1")
    assert.strictEqual(told("0.0.0.0:0"), "0.0.0.0")
    for (const values of [[], [""], ["10.0.0.1"], ["10.0.0.1:1", ""], ["10.0.0.1:1", "unknown"], ["10.0.0.1:1,"]]) {
      assert.isUndefined(told(...values), JSON.stringify(values))
    }
  })

  it.effect("decides whether forwarding fields are trusted, regardless of what a client claims about itself", () =>
    Effect.gen(function*() {
      const { origin } = yield* gateway({ mcp_trusted_proxies: "10.0.0.0/8" })
      assert.strictEqual(yield* origin([peer("10.1.2.3:4000")]), behindProxy)
      assert.strictEqual(yield* origin([peer("203.0.113.7:4000"), peer("10.1.2.3:4000")]), behindProxy)
      // The client's own field comes first, then Spin's.
      assert.strictEqual(yield* origin([peer("10.1.2.3:4000"), peer("203.0.113.7:4000")]), own)
      assert.strictEqual(yield* origin([peer("10.1.2.3:4000, 10.1.2.3:4000"), peer("203.0.113.7:4000")]), own)
      assert.strictEqual(yield* origin([peer("203.0.113.7:4000")]), own)
      assert.strictEqual(yield* origin([]), own)
    }).pipe(Effect.scoped))

  it.effect("is not believed unless the operator trusts proxies, as on Node", () =>
    Effect.gen(function*() {
      for (const trusted of [{}, { mcp_trusted_proxies: "none" }]) {
        const { origin } = yield* gateway(trusted)
        for (const address of ["127.0.0.1:1", "10.1.2.3:4000"]) {
          assert.strictEqual(yield* origin([peer(address)]), own, address)
        }
      }
      const all = yield* gateway({ mcp_trusted_proxies: "all" })
      assert.strictEqual(yield* all.origin([peer("203.0.113.7:4000")]), behindProxy)
    }).pipe(Effect.scoped))

  it.effect("is not taken from a client's field on a host that does not tell it", () =>
    Effect.gen(function*() {
      const { origin } = yield* gateway({ mcp_trusted_proxies: "10.0.0.0/8" }, () => undefined)
      assert.strictEqual(yield* origin([peer("10.1.2.3:4000")]), own)
    }).pipe(Effect.scoped))

  it.effect("counts for a token that is verified and for one that is known", () =>
    Effect.gen(function*() {
      const { send, upstream } = yield* gateway({ mcp_trusted_proxies: "10.0.0.0/8" })
      const forwardedFor = Effect.fnUntraced(function*(address: string) {
        const response = yield* send([peer("10.9.9.9:1"), peer(address)], "dev-token")
        assert.strictEqual(response.status, 200)
        const received = upstream.requests().at(-1) ?? assert.fail("nothing was forwarded")
        assert.deepStrictEqual(received.headers("spin-client-addr"), [])
        return received.headers("x-forwarded-for")
      })
      for (const _ of ["verified", "known"]) {
        assert.deepStrictEqual(yield* forwardedFor("10.1.2.3:4000"), ["203.0.113.7"])
        assert.deepStrictEqual(yield* forwardedFor("203.0.113.9:4000"), [])
      }
    }).pipe(Effect.scoped))
})
