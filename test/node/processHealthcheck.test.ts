/** `mcp-authorizer healthcheck`, as a container runs it next to the gateway. */
import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import { execFile } from "node:child_process"
import { writeFile } from "node:fs/promises"
import { createServer } from "node:http"
import { join } from "node:path"
import { freePort } from "../../src/node/freePort.ts"
import { mainFile } from "./support/builtProgram.ts"
import { startGatewayProgram, staticSettings } from "./support/GatewayProgram.ts"
import { temporaryDirectory } from "./support/scratch.ts"

const { PATH } = process.env

/** Runs the command; returns its exit code and its standard error. */
const check = Effect.fnUntraced(function*(variables: Record<string, string>, ...args: ReadonlyArray<string>) {
  const main = yield* mainFile
  return yield* Effect.callback<{ readonly code: number; readonly printed: string }>((resume) => {
    const env = { PATH, ...variables }
    execFile(
      process.execPath,
      [main, "healthcheck", ...args],
      { env },
      (error, _stdout, printed) => resume(Effect.succeed({ code: error === null ? 0 : Number(error.code), printed }))
    )
  })
})

const healthy = { code: 0, printed: "" }

/** A server instead of the gateway, whose responses all have this status. */
const responding = (status: number) =>
  Effect.acquireRelease(
    Effect.callback<{ readonly port: string; readonly close: () => void }>((resume) => {
      const server = createServer((_request, response) => response.writeHead(status).end())
      server.listen(0, "127.0.0.1", () => {
        const address = server.address()
        const port = typeof address === "object" && address !== null ? String(address.port) : ""
        resume(Effect.succeed({ port, close: () => server.close() }))
      })
    }),
    ({ close }) => Effect.sync(close)
  )

describe("mcp-authorizer healthcheck", () => {
  it.live("exits with 0 where the gateway of the same settings is healthy, and with 1 where none listens", () =>
    Effect.gen(function*() {
      const port = String(yield* freePort(0))
      assert.deepStrictEqual(yield* check({ PORT: port }), {
        code: 1,
        printed: `/healthz on port ${port}: ECONNREFUSED\n`
      })
      yield* startGatewayProgram({
        env: { ...staticSettings("http://127.0.0.1:9/mcp"), HOST: "0.0.0.0", PORT: port }
      })
      // The check needs no secret.
      assert.deepStrictEqual(yield* check({ PORT: port, HOST: "0.0.0.0" }), healthy)
      assert.deepStrictEqual(yield* check({ PORT: port, HOST: "0.0.0.0" }, "--ready"), healthy)
    }))

  it.live("exits with 1 where the response is not 200", () =>
    Effect.gen(function*() {
      const { port: failing } = yield* responding(503)
      assert.deepStrictEqual(yield* check({ PORT: failing }, "--ready"), {
        code: 1,
        printed: `/readyz on port ${failing}: status 503\n`
      })
      const { port: good } = yield* responding(200)
      assert.deepStrictEqual(yield* check({ PORT: good }, "--ready"), healthy)
    }))

  it.live("finds the port in the config file, regardless of the rest of the file", () =>
    Effect.gen(function*() {
      const { port } = yield* responding(200)
      const path = join(yield* temporaryDirectory, "gateway.json")
      yield* Effect.promise(() => writeFile(path, JSON.stringify({ port: Number(port), providers: "not yet" })))
      assert.deepStrictEqual(yield* check({}, "--config", path), healthy)
      assert.deepStrictEqual(yield* check({ MCP_CONFIG_FILE: path }), healthy)
      // Half written.
      yield* Effect.promise(() => writeFile(path, "{ \"port\": "))
      assert.deepStrictEqual(yield* check({ MCP_CONFIG_FILE: path, PORT: port }), healthy)
    }))

  it.live("names a malformed port", () =>
    Effect.gen(function*() {
      const found = yield* check({ PORT: "eighty" })
      assert.deepStrictEqual(found, { code: 1, printed: "HOST or PORT is malformed; --check tells more\n" })
    }))
})
