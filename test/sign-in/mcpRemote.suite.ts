/** `mcp-remote`, as a client that only starts local servers runs it: from the first 401 to a called tool, and through a refresh. */
import { assert, layer } from "@effect/vitest"
import { Client } from "@modelcontextprotocol/sdk/client/index.js"
import { StdioClientTransport } from "@modelcontextprotocol/sdk/client/stdio.js"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import { mkdtemp, rm } from "node:fs/promises"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { createInterface } from "node:readline"
import { PassThrough } from "node:stream"
import { mcpRemote } from "./programs.ts"
import { accessTokenLife, sites } from "./sites.ts"
import { signInAt } from "./user.ts"

/** A folder for what the program remembers, and for nothing else. */
const temporaryFolder = Effect.acquireRelease(
  Effect.promise(() => mkdtemp(join(tmpdir(), "mcp-remote-"))),
  (path) => Effect.promise(() => rm(path, { recursive: true, force: true }))
)

/** A client whose server is the program; URLs that the program names are opened. */
const connect = Effect.fnUntraced(function*(url: string) {
  const home = yield* temporaryFolder
  const program = yield* Effect.promise(mcpRemote)
  const opened: Array<URL> = []
  const client = new Client({ name: "local", version: "1.0.0" })
  const transport = new StdioClientTransport({
    command: process.execPath,
    args: [program, url],
    // Without a display, the program only prints what it would open.
    env: { PATH: "/nowhere", HOME: home, MCP_REMOTE_CONFIG_DIR: home },
    stderr: "pipe"
  })
  const lines: Array<string> = []
  const { stderr } = transport
  if (!(stderr instanceof PassThrough)) return yield* Effect.die("no standard error")
  createInterface(stderr).on("line", (line) => {
    lines.push(line)
    const url = /^https?:\/\/\S+$/.exec(line.trim())?.[0]
    if (url === undefined || !url.includes("code_challenge=")) return
    opened.push(new URL(url))
    void signInAt(url)
  })
  yield* Effect.acquireRelease(
    Effect.promise(() =>
      client.connect(transport, { timeout: 60_000 }).catch((error: unknown) => {
        throw new Error(lines.join("\n"), { cause: error })
      })
    ),
    () => Effect.promise(() => client.close())
  )
  const call = (name: string, args: Record<string, unknown> = {}) =>
    Effect.promise(async () => {
      const { content } = await client.callTool({ name, arguments: args })
      const [first] = Array.isArray(content) ? content : []
      return String(first?.text)
    })
  return { call, client, opened }
})

layer(Layer.empty, { excludeTestServices: true })("mcp-remote", (it) => {
  for (const [provider, startSite] of Object.entries(sites)) {
    it.effect(`signs in at ${provider}, lists the tools, calls one and refreshes its token`, () =>
      Effect.gen(function*() {
        const site = yield* startSite
        const { call, client, opened } = yield* connect(site.resource)
        assert.lengthOf(opened, 1)
        assert.isTrue(opened[0]?.href.startsWith(`${site.issuer}/`))
        const { tools } = yield* Effect.promise(() => client.listTools())
        assert.includeMembers(tools.map(({ name }) => name), ["echo", "whoami"])
        const seen = JSON.parse(yield* call("whoami"))
        assert.strictEqual(seen["x-auth-user-id"], site.user)
        assert.strictEqual(seen["x-auth-issuer"], site.tokenIssuer)
        yield* Effect.sleep(`${accessTokenLife + 1} seconds`)
        assert.strictEqual(yield* call("echo", { message: "refreshed" }), "refreshed")
        assert.isAtLeast(site.refreshes(), 1)
        assert.lengthOf(opened, 1)
      }))
  }
})
