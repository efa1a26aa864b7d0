/** The component under `wasmtime serve`, over real connections. */
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import { execFile, spawn } from "node:child_process"
import { once } from "node:events"
import { mkdtemp, rm } from "node:fs/promises"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { promisify } from "node:util"
import { root } from "../../node/support/builtProgram.ts"
import { reservePort } from "../../support/reservePort.ts"
import { RealHost } from "../support/clients.suite.ts"

const run = promisify(execFile)

const program = "wasmtime"

/** Compiled once: wasmtime would do it at each start, for as long as all tests take. */
const compiled = Effect.acquireRelease(
  Effect.promise(async () => {
    const directory = await mkdtemp(join(tmpdir(), "mcp-authorizer-wasmtime-"))
    const component = join(directory, "component.wasm")
    await run(process.execPath, [join(root, "src", "build", "spin", "build.mjs"), "--wasmtime", component])
    const code = join(directory, "component.cwasm")
    await run(program, ["compile", "-o", code, component])
    return { directory, code }
  }),
  ({ directory }) => Effect.promise(() => rm(directory, { recursive: true }))
)

/** Starts a process of wasmtime for each gateway. */
export const layerWasmtime: Layer.Layer<RealHost> = Layer.effect(
  RealHost,
  Effect.map(compiled, ({ code }) =>
    RealHost.of({
      start: (variables) =>
        Effect.map(
          Effect.acquireRelease(
            Effect.promise(async () => {
              const port = await Effect.runPromise(reservePort)
              const given = Object.entries(variables).flatMap((
                [name, value]
              ) => ["-S", `config-var=${name}=${value}`])
              const child = spawn(program, [
                "serve",
                "--allow-precompiled",
                "--addr",
                `127.0.0.1:${port}`,
                "-S",
                "cli,config,keyvalue",
                ...given,
                code
              ])
              const log: Array<string> = []
              for (const output of [child.stdout, child.stderr]) {
                output.setEncoding("utf8")
                output.on("data", (text: string) => log.push(text))
              }
              while (!log.join("").includes("Serving HTTP")) {
                const [event] = await Promise.race([once(child.stderr, "data"), once(child, "exit")])
                if (typeof event !== "string") throw new Error(`wasmtime ended: ${log.join("")}`)
              }
              return { child, origin: `http://127.0.0.1:${port}`, logged: () => log.join("") }
            }),
            ({ child }) =>
              Effect.promise(async () => {
                child.kill("SIGKILL")
                await once(child, "exit")
              })
          ),
          ({ logged, origin }) => ({ logged, origin })
        )
    }))
)
