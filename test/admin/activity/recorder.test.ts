import { assert, describe, it } from "@effect/vitest"
import { binOf } from "../../../src/admin/activity/durations.ts"
import { keptDecisions, makeRecorder, mergeDecisions } from "../../../src/admin/activity/Recorder.ts"
import type { AuditEntry } from "../../../src/audit/AuditEntry.ts"
import {
  type GatewayError,
  InvalidToken,
  MissingCredential,
  NotFound,
  ProviderUnavailable,
  UpstreamUnavailable
} from "../../../src/errors/GatewayError.ts"
import type { Exchange } from "../../../src/http/Exchange.ts"
import type { ObservedExchange } from "../../../src/http/ExchangeObserver.ts"
import { mcpRoute, routes, unknownRoute } from "../../../src/http/routes.ts"
import type { Identity } from "../../../src/identity/Identity.ts"

interface Given {
  readonly error?: GatewayError
  readonly provider?: string
  readonly status?: number | undefined
  readonly wasSent?: boolean
  readonly method?: string
  readonly authorization?: string
  readonly row?: typeof mcpRoute | typeof unknownRoute
}

const observed = (given: Given = {}, endedAt = 1_000, durationMillis = 40): ObservedExchange => {
  const { authorization, error, method = "POST", provider, row = mcpRoute, wasSent = error === undefined } = given
  const exchange = {
    request: { method, headers: {} },
    authorization,
    route: { row },
    error,
    identity: provider === undefined ? undefined : { provider },
    wasSent,
    status: "status" in given ? given.status : error === undefined ? 200 : 401
  }
  // A recorder reads nothing else of it.
  return { exchange: exchange as unknown as Exchange & { identity: Identity }, server: "wiki", durationMillis, endedAt }
}

const invalid = (detail: string) => new InvalidToken({ reason: "Expired", provider: "okta", detail })
const down = new UpstreamUnavailable({ detail: "ECONNREFUSED" })

describe("what is noted for the status page", () => {
  it("counts passed, rejected and failed requests of each server, and durations of what was sent", () => {
    const recorder = makeRecorder()
    recorder.observe(observed({ provider: "okta" }, 10))
    recorder.observe(observed({ provider: "okta", status: 404 }, 20))
    recorder.observe(observed({ provider: "okta", status: 500 }, 30))
    recorder.observe(observed({ error: new MissingCredential() }, 40))
    recorder.observe(observed({ error: down, wasSent: true, status: 502, provider: "okta" }, 50))
    const { servers } = recorder.activity()
    const { durations = [], ...wiki } = servers["wiki"] ?? {}
    assert.deepStrictEqual(wiki, {
      passed: 2,
      rejected: 1,
      failed: 2,
      lastResponseAt: 30,
      lastError: { at: 50, error: "UpstreamUnavailable", detail: "ECONNREFUSED" }
    })
    assert.strictEqual(durations[binOf(40)], 3)
    assert.strictEqual(durations.reduce((sum, count) => sum + count, 0), 3)
  })

  it("event streams that clients hold open say nothing about durations, nor does a client that leaves", () => {
    const recorder = makeRecorder()
    recorder.observe(observed({ method: "GET" }, 10, 900_000))
    recorder.observe(observed({ status: undefined, wasSent: true }))
    const { durations = [] } = recorder.activity().servers["wiki"] ?? {}
    assert.strictEqual(durations.reduce((sum, count) => sum + count, 0), 0)
  })

  it("notes what each provider accepted and rejected, and why it could not be asked", () => {
    const recorder = makeRecorder()
    recorder.observe(observed({ provider: "okta" }, 10))
    recorder.observe(observed({ error: invalid("exp is past") }, 20))
    recorder.observe(observed({
      error: new ProviderUnavailable({ provider: "okta", detail: "timeout", retryAfter: 5 }),
      status: 503
    }, 30))
    assert.deepStrictEqual(recorder.activity().providers["okta"], {
      accepted: 1,
      rejected: 1,
      lastAcceptedAt: 10,
      lastError: { at: 30, error: "ProviderUnavailable", detail: "timeout" }
    })
  })

  it("notes the latest of each reason, with its server and provider", () => {
    const recorder = makeRecorder()
    recorder.observe(observed({ error: invalid("first") }, 10))
    recorder.observe(observed({ error: invalid("second") }, 20))
    assert.deepStrictEqual(recorder.activity().rejections, {
      "InvalidToken.Expired": {
        count: 2,
        last: { at: 20, error: "InvalidToken", detail: "second", server: "wiki", provider: "okta" }
      }
    })
  })

  it("notes neither probes nor documents, but paths that do not exist", () => {
    const recorder = makeRecorder()
    const probe = routes.find(({ isProbe }) => isProbe === true)
    // A row of the table, with any access.
    recorder.observe(observed({ row: probe as typeof unknownRoute }))
    assert.deepStrictEqual(recorder.activity().servers, {})
    recorder.observe(observed({ row: unknownRoute, error: new NotFound(), status: 404 }))
    assert.strictEqual(recorder.activity().rejections["NotFound"]?.count, 1)
  })

  it("keeps no token, in any form in which a detail quotes it", () => {
    const recorder = makeRecorder()
    const opaque = "opaque-secret-0123456789"
    const jwt = "eyJhbGciOiJSUzI1NiJ9.eyJzdWIiOiJhIn0.c2lnbmF0dXJl"
    recorder.observe(observed({ error: invalid(`quotes ${opaque} and ${jwt}`), authorization: `Bearer ${opaque}` }))
    const text = JSON.stringify(recorder.activity())
    for (const secret of [opaque, jwt, "c2lnbmF0dXJl"]) assert.notInclude(text, secret)
    assert.include(text, "quotes (the credential) and (a token)")
  })

  it("keeps a long detail short, and does not change what was read before", () => {
    const recorder = makeRecorder()
    recorder.observe(observed({ error: invalid("x".repeat(100_000)) }))
    const before = recorder.activity()
    assert.isBelow(JSON.stringify(before).length, 3_000)
    const copy = structuredClone(before)
    recorder.observe(observed({ error: invalid("y"), provider: "okta" }))
    assert.deepStrictEqual(before, copy)
  })
})

const entry = (index: number): AuditEntry => ({
  time: `2026-11-30T14:${String(10 + Math.floor(index / 60)).padStart(2, "0")}:${
    String(index % 60).padStart(2, "0")
  }.000Z`,
  trace_id: String(index),
  http_method: "POST",
  decision: "allowed",
  duration_ms: 1
})

describe("the latest decisions", () => {
  it("are the last ones, the newest first, however many there were", () => {
    const recorder = makeRecorder()
    assert.deepStrictEqual(recorder.decisions(), [])
    for (let index = 0; index < 3; index++) recorder.write(entry(index))
    assert.deepStrictEqual(recorder.decisions().map(({ trace_id }) => trace_id), ["2", "1", "0"])
    for (let index = 3; index < 450; index++) recorder.write(entry(index))
    const kept = recorder.decisions()
    assert.lengthOf(kept, keptDecisions)
    assert.deepStrictEqual([kept[0]?.trace_id, kept.at(-1)?.trace_id], ["449", "250"])
  })

  it("of several processes are merged by time", () => {
    const merged = mergeDecisions([[entry(9), entry(4)], [entry(7), entry(2)], []])
    assert.deepStrictEqual(merged.map(({ trace_id }) => trace_id), ["9", "7", "4", "2"])
    const many = Array.from({ length: 150 }, (_, index) => entry(index)).toReversed()
    assert.lengthOf(mergeDecisions([many, many]), keptDecisions)
  })
})
