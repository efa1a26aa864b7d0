import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import { createServer } from "node:http"
import { reservePort } from "./reservePort.ts"

const listenOn = (port: number) =>
  Effect.callback<number>((resume) => {
    const server = createServer()
    server.once("error", (error) => resume(Effect.die(error)))
    server.listen(port, "127.0.0.1", () => {
      const address = server.address()
      server.close(() => resume(Effect.succeed(typeof address === "object" ? address?.port ?? 0 : 0)))
    })
  })

describe("ports that tests reserve", () => {
  it.live("differ from each other, can be listened on, and are not assigned by the system", () =>
    Effect.gen(function*() {
      const ports = yield* Effect.all(Array.from({ length: 20 }, () => reservePort), { concurrency: "unbounded" })
      assert.strictEqual(new Set(ports).size, 20)
      for (const port of ports) {
        assert.strictEqual(yield* listenOn(port), port)
        assert.isBelow(port, yield* listenOn(0))
      }
    }))
})
