/** The built gateway as a separate process, which can be killed and started again with the same port and files. */
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Scope from "effect/Scope"
import { mkdtemp, readdir, readFile, readlink, rm } from "node:fs/promises"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { startGatewayProgram } from "../node/support/GatewayProgram.ts"
import { makeRecordingUpstream, type RecordingUpstream } from "./RecordingUpstream.ts"
import { reservePort } from "./reservePort.ts"

type Json = Readonly<Record<string, unknown>>

export interface Place {
  readonly port: number
  readonly origin: string
  /** The URL of the MCP endpoint. */
  readonly resource: string
  /** The redirect URI of the gateway's own client at the provider. */
  readonly callback: string
}

export interface RestartableGateway extends Place {
  readonly upstream: RecordingUpstream
  /** Kills the process, and starts it again with the same settings. */
  readonly restart: Effect.Effect<void>
  /** Everything that the processes have written to standard output. */
  readonly log: () => string
  /** The files that the processes have left in their folders, and those that the current one has open for writing. */
  readonly written: Effect.Effect<ReadonlyArray<string>>
  /** Waits until the current process has written a match. */
  readonly awaitLog: (pattern: RegExp) => Effect.Effect<void>
}

/** The address of a gateway, which the provider must know before the gateway starts. */
export const reserve: Effect.Effect<Place> = Effect.map(reservePort, (port) => {
  const origin = `http://127.0.0.1:${port}`
  return { port, origin, resource: `${origin}/mcp`, callback: `${origin}/oauth/callback` }
})

/** The files that a process has open for writing. Only on Linux. */
const openForWriting = async (pid: number | undefined): Promise<ReadonlyArray<string>> => {
  const found: Array<string> = []
  for (const descriptor of await readdir(`/proc/${pid}/fd`)) {
    // It may have been closed in the meantime.
    const file = await readlink(`/proc/${pid}/fd/${descriptor}`).catch(() => "")
    const information = await readFile(`/proc/${pid}/fdinfo/${descriptor}`, "utf8").catch(() => "")
    const [, flags = "0"] = /^flags:\s*(\d+)/m.exec(information) ?? []
    // The last octal digit is 0 for files that are open only for reading.
    if (file.startsWith("/") && !file.startsWith("/dev/") && !flags.endsWith("0")) found.push(file)
  }
  return found
}

/** The session key that all gateways use. */
const sessionKey = "the-session-key-of-the-suite-with-real-providers"

/** Starts the gateway in front of an MCP server that records its requests; `more` may name another server. */
export const startRestartable = Effect.fnUntraced(function*(
  place: Place,
  provider: Json,
  more: Readonly<Record<string, string>> = {}
): Effect.fn.Return<RestartableGateway, never, Scope.Scope> {
  const upstream = yield* makeRecordingUpstream
  const outer = yield* Scope.Scope
  const folder = yield* Effect.acquireRelease(
    Effect.promise(() => mkdtemp(join(tmpdir(), "gateway-"))),
    (path) => Effect.promise(() => rm(path, { recursive: true, force: true }))
  )
  const logs: Array<() => string> = []
  const run = Effect.gen(function*() {
    const scope = yield* Scope.fork(outer)
    const { awaitOutput, pid, stdout } = yield* Scope.provide(
      startGatewayProgram({
        cwd: folder,
        env: {
          HOME: folder,
          TMPDIR: folder,
          PORT: String(place.port),
          MCP_PUBLIC_URL: place.origin,
          MCP_SERVER_URL: `${upstream.origin}/mcp`,
          MCP_SESSION_KEY: sessionKey,
          MCP_PROVIDERS: JSON.stringify([provider]),
          ...more
        }
      }),
      scope
    )
    logs.push(stdout)
    return { scope, awaitOutput, pid }
  })
  let running = yield* run
  return {
    ...place,
    upstream,
    restart: Effect.gen(function*() {
      yield* Scope.close(running.scope, Exit.void)
      running = yield* run
    }),
    written: Effect.promise(async () => [...await readdir(folder), ...await openForWriting(running.pid)]),
    awaitLog: (pattern) => Effect.suspend(() => Effect.asVoid(running.awaitOutput(pattern))),
    log: () => logs.map((read) => read()).join("")
  }
})
