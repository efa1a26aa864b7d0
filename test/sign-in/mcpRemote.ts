/** `mcp-remote`, as a client that only starts local servers runs it. */
import { Client } from "@modelcontextprotocol/sdk/client/index.js"
import { StdioClientTransport } from "@modelcontextprotocol/sdk/client/stdio.js"
import * as Effect from "effect/Effect"
import { mkdtemp, rm } from "node:fs/promises"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { createInterface } from "node:readline"
import { PassThrough } from "node:stream"
import { fetchMcpRemote } from "./programs.ts"
import type { Program } from "./signsIn.ts"
import { accessTokenLife, signInAt, type Site } from "./Site.ts"

/** A folder for what the program remembers, and for nothing else. */
const temporaryFolder = Effect.acquireRelease(
  Effect.promise(() => mkdtemp(join(tmpdir(), "mcp-remote-"))),
  (path) => Effect.promise(() => rm(path, { recursive: true, force: true }))
)

/** A client whose server is the program; URLs that the program names are opened. */
const connect = Effect.fnUntraced(function*(site: Site) {
  const home = yield* temporaryFolder
  const program = yield* Effect.promise(fetchMcpRemote)
  const opened: Array<URL> = []
  const client = new Client({ name: "local", version: "1.0.0" })
  const transport = new StdioClientTransport({
    command: process.execPath,
    args: [program, site.gateway.resource],
    // Without a display, the program only prints what it would open.
    env: { PATH: "/nowhere", HOME: home, MCP_REMOTE_CONFIG_DIR: home },
    stderr: "pipe"
  })
  const lines: Array<string> = []
  const { stderr } = transport
  if (!(stderr instanceof PassThrough)) return yield* Effect.die("no standard error")
  const run = Effect.runPromiseWith(yield* Effect.context<never>())
  createInterface(stderr).on("line", (line) => {
    lines.push(line)
    const url = /^https?:\/\/\S+$/.exec(line.trim())?.[0]
    if (url === undefined || !url.includes("code_challenge=")) return
    opened.push(new URL(url))
    void run(signInAt(url, site))
  })
  yield* Effect.acquireRelease(
    Effect.promise(() =>
      client.connect(transport, { timeout: 120_000 }).catch((error: unknown) => {
        throw new Error(lines.join("\n"), { cause: error })
      })
    ),
    () => Effect.promise(() => client.close())
  )
  const call = (name: string, args: Record<string, unknown> = {}) =>
    Effect.promise(async () => {
      const { content } = await client.callTool({ name, arguments: args }, undefined, { timeout: 120_000 })
      const [first] = Array.isArray(content) ? content : []
      return String(first?.text)
    })
  return { call, client, opened }
})

/** See `Program`. */
export const mcpRemote: Program = Effect.fnUntraced(function*(site) {
  const { call, client, opened } = yield* connect(site)
  const { tools } = yield* Effect.promise(() => client.listTools())
  const whoami = JSON.parse(yield* call("whoami"))
  yield* site.gateway.restart
  yield* Effect.sleep(`${accessTokenLife + 1} seconds`)
  const echo = yield* call("echo", { message: "refreshed" })
  return { opened, tools: tools.map(({ name }) => name), whoami, echo }
})
