import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import { writeFile } from "node:fs/promises"
import { join } from "node:path"
import { startGatewayProgram, staticSettings } from "./support/GatewayProgram.ts"
import { closedPort } from "./support/ports.ts"
import { startProgram } from "./support/Program.ts"
import { temporaryDirectory } from "./support/scratch.ts"

const ask = (origin: string, traceId: string) =>
  Effect.tryPromise((signal) =>
    fetch(`${origin}/nothing`, { signal, headers: { "x-trace-id": traceId } }).then(({ status }) => status)
  )

const traceIds = Array.from({ length: 200 }, (_, index) => `trace-${index}`)

describe("writing the log", { timeout: 60_000 }, () => {
  it.live("loses no entry of a response sent before SIGTERM", () =>
    Effect.gen(function*() {
      const gateway = yield* startGatewayProgram({ env: staticSettings("http://127.0.0.1:9") })
      yield* Effect.forEach(traceIds, (id) => ask(gateway.origin, id), { concurrency: 50 })
      yield* gateway.signal("SIGTERM")
      const { code } = yield* gateway.ended
      assert.strictEqual(code, 0)
      const logged = new Set(gateway.log().map(({ annotations }) => annotations["trace_id"]))
      assert.deepStrictEqual(traceIds.filter((id) => !logged.has(id)), [])
    }))

  it.live("keeps the lines of workers apart on the pipe that they share", () =>
    Effect.gen(function*() {
      const gateway = yield* startGatewayProgram({
        args: ["--workers", "2"],
        env: staticSettings("http://127.0.0.1:9")
      })
      yield* Effect.forEach(traceIds, (id) => ask(gateway.origin, id), { concurrency: 50 })
      yield* gateway.signal("SIGTERM")
      yield* gateway.ended
      // `log` dies if a line is incomplete.
      const logged = gateway.log().map(({ annotations }) => annotations["trace_id"])
      assert.sameMembers(logged.filter((id) => id !== undefined), traceIds)
    }))

  it.live("that fails because the disk is full is said on standard error, and costs no request", () =>
    Effect.gen(function*() {
      const port = yield* closedPort
      const program = yield* startProgram({
        node: "/bin/sh",
        nodeArgs: ["-c", "exec \"$0\" \"$@\" > /dev/full", process.execPath],
        env: { ...staticSettings("http://127.0.0.1:9"), PORT: String(port) }
      })
      const origin = `http://127.0.0.1:${port}`
      const early = Effect.flatMap(program.ended, ({ stderr }) => Effect.die(new Error(`it ended: ${stderr}`)))
      yield* Effect.race(Effect.eventually(Effect.delay(ask(origin, "first"), "50 millis")), early)
      const statuses = yield* Effect.forEach(traceIds, (id) => ask(origin, id), { concurrency: 50 })
      assert.deepStrictEqual([...new Set(statuses)], [404])
      yield* program.signal("SIGTERM")
      const { code, stderr } = yield* program.ended
      assert.strictEqual(code, 0)
      assert.strictEqual(stderr, "The log cannot be written (ENOSPC). The gateway continues without it.\n")
    }))

  it.live("waits for a reader that pauses, without holding up requests", () =>
    Effect.gen(function*() {
      const port = yield* closedPort
      const goOn = join(yield* temporaryDirectory, "go-on")
      // Reads nothing until it is resumed: a pipe holds 64 KiB, and these lines are longer.
      const program = yield* startProgram({
        node: "/bin/bash",
        nodeArgs: [
          "-c",
          "exec \"$0\" \"$@\" > >(until [ -e \"$GO_ON\" ] || [ ! -d \"${GO_ON%/*}\" ]; do sleep 0.1; done; exec cat)",
          process.execPath
        ],
        env: { ...staticSettings("http://127.0.0.1:9"), PORT: String(port), GO_ON: goOn }
      })
      const origin = `http://127.0.0.1:${port}`
      yield* Effect.eventually(Effect.delay(ask(origin, "first"), "50 millis"))
      const many = Array.from({ length: 600 }, (_, index) => `paused-${index}`)
      const statuses = yield* Effect.forEach(many, (id) => ask(origin, id), { concurrency: 50 })
      assert.deepStrictEqual([...new Set(statuses)], [404])
      // Entries are written in the order of their responses, so that this one is the last.
      assert.strictEqual(yield* ask(origin, "finished"), 404)
      assert.strictEqual(program.stdout(), "")
      yield* Effect.promise(() => writeFile(goOn, ""))
      yield* program.awaitOutput(/"finished"/)
      const logged = program.stdout()
      assert.deepStrictEqual(many.filter((id) => !logged.includes(`"${id}"`)), [])
    }))
})
