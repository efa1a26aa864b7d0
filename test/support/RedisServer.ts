/** A Redis server on loopback that ends with its scope. */
import * as Effect from "effect/Effect"
import type * as Scope from "effect/Scope"
import { type ChildProcess, spawn } from "node:child_process"
import { once } from "node:events"
import { createConnection } from "node:net"
import { env } from "node:process"
import { reservePort } from "./reservePort.ts"

export interface RedisServer {
  readonly port: number
  /** `redis://127.0.0.1:<port>`. */
  readonly url: string
  /** Sends a command over a separate connection, and returns the raw reply. */
  readonly command: (...words: ReadonlyArray<string>) => Effect.Effect<string>
  /** Ends the process as a crash would. */
  readonly kill: Effect.Effect<void>
  /** Starts it again on the same port, empty. */
  readonly start: Effect.Effect<void>
  /** Makes it unresponsive until `resume`; its connections stay open. */
  readonly stall: Effect.Effect<void>
  readonly resume: Effect.Effect<void>
}

const launch = async (port: number, options: ReadonlyArray<string>): Promise<ChildProcess> => {
  const server = spawn(
    "redis-server",
    ["--port", String(port), "--bind", "127.0.0.1", "--save", "", "--appendonly", "no", "--dir", "/tmp", ...options],
    { stdio: ["ignore", "pipe", "inherit"], env: { PATH: env["PATH"] } }
  )
  let said = ""
  await new Promise<void>((resolve, reject) => {
    server.once(
      "error",
      (cause) => reject(new Error("redis-server cannot be started: apt-get install redis-server", { cause }))
    )
    server.once("exit", (code) => reject(new Error(`redis-server has ended with ${code}: ${said}`)))
    server.stdout.on("data", (chunk: Buffer) => {
      said += chunk.toString()
      if (said.includes("Ready to accept connections")) resolve()
    })
  })
  return server
}

const exchange = (port: number, words: ReadonlyArray<string>) =>
  new Promise<string>((resolve, reject) => {
    const socket = createConnection({ host: "127.0.0.1", port })
    socket.once("error", reject)
    socket.once("data", (chunk: Buffer) => {
      socket.destroy()
      resolve(chunk.toString())
    })
    socket.write(
      words.map((word) => `$${Buffer.byteLength(word)}\r\n${word}\r\n`).join("").replace(/^/, `*${words.length}\r\n`)
    )
  })

/**
 * Starts a Redis server on a port of the system's choice.
 *
 * @param options further arguments of its command line
 */
export const startRedis = Effect.fnUntraced(function*(
  options: ReadonlyArray<string> = []
): Effect.fn.Return<RedisServer, never, Scope.Scope> {
  const port = yield* reservePort
  let server: ChildProcess | undefined
  const start = Effect.promise(async () => {
    server = await launch(port, options)
  })
  const kill = Effect.promise(async () => {
    const running = server
    server = undefined
    if (running === undefined || running.exitCode !== null || running.signalCode !== null) return
    const ended = once(running, "exit")
    running.kill("SIGKILL")
    await ended
  })
  yield* Effect.acquireRelease(start, () => kill)
  return {
    port,
    url: `redis://127.0.0.1:${port}`,
    command: (...words) => Effect.promise(() => exchange(port, words)),
    kill,
    start,
    stall: Effect.sync(() => server?.kill("SIGSTOP")),
    resume: Effect.sync(() => server?.kill("SIGCONT"))
  }
})
