import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import { makeRecordingUpstream } from "../support/RecordingUpstream.ts"
import { startReloading } from "./support/reloading.ts"

const tokens = (...names: ReadonlyArray<string>) => names.map((name) => `${name}-token:client:${name}:read`).join(";")

describe("SIGHUP", { timeout: 120_000 }, () => {
  it.live("lets the next request take the configuration as it is then, and says what has changed", () =>
    Effect.gen(function*() {
      const upstream = yield* makeRecordingUpstream
      const config = { server_url: upstream.origin, static_tokens: tokens("alice") }
      const { gateway, reload, status } = yield* startReloading(config)
      assert.deepStrictEqual([yield* status("alice-token"), yield* status("bob-token")], [200, 401])
      const { annotations, level, message } = yield* reload({
        ...config,
        static_tokens: tokens("bob"),
        trace_header: "x-id"
      })
      assert.deepStrictEqual([level, message], ["INFO", "configuration reloaded"])
      assert.deepStrictEqual(annotations, { generation: 2, changed: ["MCP_TRACE_HEADER", "provider static"] })
      assert.deepStrictEqual([yield* status("alice-token"), yield* status("bob-token")], [401, 200])
      assert.strictEqual(
        (yield* reload({ ...config, static_tokens: tokens("bob"), trace_header: "x-id" })).message,
        "configuration unchanged"
      )
      yield* gateway.signal("SIGTERM")
      assert.deepInclude(yield* gateway.ended, { code: 0, stderr: "" })
    }))
})
