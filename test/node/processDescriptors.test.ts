import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Schedule from "effect/Schedule"
import { chmodSync } from "node:fs"
import { request } from "node:http"
import { connect, type Socket } from "node:net"
import { makeRecordingUpstream } from "../support/RecordingUpstream.ts"
import { startGatewayProgram, staticSettings } from "./support/GatewayProgram.ts"
import { temporaryFile } from "./support/scratch.ts"

const descriptors = 256

/** A Node that may open few files and sockets. */
const poorNode = Effect.map(
  temporaryFile("node", `#!/bin/sh\nulimit -n ${descriptors}\nexec '${process.execPath}' "$@"\n`),
  (path) => {
    chmodSync(path, 0o755)
    return path
  }
)

/** An idle connection; whether it is ever accepted is the server's affair. */
const idleConnection = (port: number, localAddress = "127.0.0.1") =>
  Effect.acquireRelease(
    Effect.sync((): Socket => connect({ port, host: "127.0.0.1", localAddress }).on("error", () => undefined)),
    (socket) => Effect.sync(() => socket.destroy())
  )

/** Makes a call on a connection of its own; returns the status. */
const call = (origin: string) =>
  Effect.callback<number>((resume) => {
    const body = "{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"tools/list\"}"
    const headers = { authorization: "Bearer dev-token", "content-type": "application/json" }
    const sent = request(`${origin}/mcp`, { method: "POST", headers, agent: false }, (response) => {
      response.resume()
      resume(Effect.succeed(response.statusCode ?? 0))
    })
    sent.once("error", () => resume(Effect.succeed(0)))
    sent.end(body)
  })

describe("a process with few file descriptors", () => {
  it.live(
    "DOS-07 survives more connections than it may have, and responds when they are gone",
    () =>
      Effect.gen(function*() {
        const upstream = yield* makeRecordingUpstream
        const gateway = yield* startGatewayProgram({ node: yield* poorNode, env: staticSettings(upstream.origin) })
        const port = Number(new URL(gateway.origin).port)
        const ask = Effect.tryPromise({
          try: (signal) =>
            fetch(`${gateway.origin}/mcp`, {
              method: "POST",
              headers: { authorization: "Bearer dev-token", "content-type": "application/json" },
              body: "{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"tools/list\"}",
              signal
            }).then(({ status }) => status),
          catch: () => "NoResponse" as const
        })
        assert.strictEqual(yield* ask, 200)
        yield* Effect.scoped(Effect.gen(function*() {
          for (let i = 0; i < 2 * descriptors; i++) yield* idleConnection(port)
          yield* Effect.sleep("500 millis")
        }))
        const responded = yield* ask.pipe(
          Effect.timeout("2 seconds"),
          Effect.retry({ schedule: Schedule.spaced("100 millis"), times: 40 })
        )
        assert.strictEqual(responded, 200)
        assert.isFalse(gateway.hasEnded())
      }),
    60_000
  )

  it.live(
    "DOS-08 responds to others while one peer opens more connections than there may be",
    () =>
      Effect.gen(function*() {
        const upstream = yield* makeRecordingUpstream
        const gateway = yield* startGatewayProgram({ node: yield* poorNode, env: staticSettings(upstream.origin) })
        const port = Number(new URL(gateway.origin).port)
        for (let i = 0; i < 2 * descriptors; i++) yield* idleConnection(port, "127.0.0.2")
        for (let i = 0; i < 20; i++) {
          yield* idleConnection(port, "127.0.0.2")
          assert.strictEqual(yield* call(gateway.origin), 200)
        }
      }),
    60_000
  )
})
