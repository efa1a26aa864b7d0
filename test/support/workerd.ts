/** Workers on `workerd`, the runtime of Cloudflare Workers, on a loopback port of the system's choice. */
import * as Effect from "effect/Effect"
import { build } from "esbuild"
import { spawn } from "node:child_process"
import { once } from "node:events"
import { mkdtemp, rm, writeFile } from "node:fs/promises"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { createInterface } from "node:readline"
import type { Readable } from "node:stream"
import { fileURLToPath } from "node:url"
import workerd from "workerd"

const root = fileURLToPath(new URL("../..", import.meta.url))

/** The worker of an example, whose clocks a test can advance. */
const entry = (worker: string) => `
import worker from ${JSON.stringify(worker)}
let ahead = 0
const [wall, steady] = [Date.now, performance.now.bind(performance)]
Date.now = () => wall() + ahead
performance.now = () => steady() + ahead
export default {
  fetch(request, ...rest) {
    const { pathname, search } = new URL(request.url)
    if (pathname !== "/ahead") return worker.fetch(request, ...rest)
    ahead += Number(search.slice(1))
    return new Response()
  }
}`

const configuration = (variables: Readonly<Record<string, string>>) => `
using Workerd = import "/workerd/workerd.capnp";
const config :Workerd.Config = (
  services = [
    (name = "main", worker = (
      modules = [(name = "worker.js", esModule = embed "worker.js")],
      compatibilityDate = "2026-11-01",
      bindings = [${
  Object.entries(variables).map(([name, text]) => `(name = "${name}", text = "${text}")`).join(", ")
}],
      globalOutbound = "loopback"
    )),
    (name = "loopback", network = (allow = ["local", "private"]))
  ],
  sockets = [(name = "http", address = "127.0.0.1:0", http = (), service = "main")]
);`

const start = async (example: string, variables: Readonly<Record<string, string>>) => {
  const folder = await mkdtemp(join(tmpdir(), "worker-"))
  await build({
    stdin: { contents: entry(join(root, "test/examples", example)), resolveDir: root },
    outfile: join(folder, "worker.js"),
    bundle: true,
    format: "esm",
    platform: "browser",
    conditions: ["workerd", "worker"],
    alias: { "mcp-authorizer": join(root, "src/index.ts") },
    logLevel: "warning"
  })
  await writeFile(join(folder, "config.capnp"), configuration(variables))
  const child = spawn(workerd, ["serve", join(folder, "config.capnp"), "--control-fd=3"], {
    stdio: ["ignore", "ignore", "ignore", "pipe"]
  })
  const control = child.stdio[3]
  if (control === null || control === undefined) throw new Error("workerd has no control channel")
  // Of a pipe that is read only.
  const [line] = await Promise.race([
    once(createInterface(control as Readable), "line"),
    once(child, "exit").then(([code]) => Promise.reject(new Error(`workerd ended with ${code}`)))
  ])
  const { port } = JSON.parse(String(line))
  return {
    origin: `http://127.0.0.1:${port}`,
    stop: async () => {
      const exit = once(child, "exit")
      child.kill()
      await exit
      await rm(folder, { recursive: true })
    }
  }
}

/** Runs an example as a worker; it stops with the scope. */
export const serveWorker = Effect.fnUntraced(function*(example: string, variables: Readonly<Record<string, string>>) {
  const { origin } = yield* Effect.acquireRelease(
    Effect.promise(() => start(example, variables)),
    ({ stop }) => Effect.promise(stop)
  )
  return {
    origin,
    /** Sets the clocks of the worker ahead. */
    pass: (seconds: number) => Effect.promise(() => fetch(`${origin}/ahead?${seconds * 1000}`))
  }
})
