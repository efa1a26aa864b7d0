/** Clients in Python from their first 401 to a called tool, and through a refresh: the official SDK, and FastMCP. */
import { assert, layer } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import { spawn } from "node:child_process"
import { createInterface } from "node:readline"
import { fileURLToPath } from "node:url"
import { python } from "./programs.ts"
import { sites } from "./sites.ts"
import { signInAt } from "./user.ts"

/** The final output of a script. */
interface Outcome {
  readonly tools: ReadonlyArray<string>
  readonly whoami: Readonly<Record<string, string>>
  readonly echo: string
  readonly refreshed: boolean
}

const scripts = { "the official Python SDK": "sdk.py", "the client of FastMCP": "fastmcp_client.py" }

const { HOME, PATH } = process.env

/** Runs a script at a URL, and returns its result with the URLs that it opened in the user's browser. */
const runScript = (script: string, url: string) =>
  Effect.promise(async (signal) => {
    const program = spawn(await python(), [fileURLToPath(new URL(`python/${script}`, import.meta.url)), url], {
      stdio: ["ignore", "pipe", "pipe"],
      env: { PATH, HOME, FASTMCP_SHOW_CLI_BANNER: "false" },
      signal
    })
    const ended = new Promise<void>((resolve) => program.once("close", () => resolve()))
    let errors = ""
    program.stderr.on("data", (chunk: Buffer) => {
      errors += chunk.toString("utf8")
    })
    const opened: Array<URL> = []
    let outcome: Outcome | undefined
    for await (const line of createInterface(program.stdout)) {
      const said: { readonly open: string } | Outcome = JSON.parse(line)
      if ("open" in said) {
        opened.push(new URL(said.open))
        await signInAt(said.open)
      } else {
        outcome = said
      }
    }
    await ended
    if (outcome === undefined) throw new Error(`${script} ended without a result:\n${errors}`)
    return { opened, ...outcome }
  })

for (const [provider, startSite] of Object.entries(sites)) {
  layer(Layer.empty, { excludeTestServices: true })(`Python at ${provider}`, (it) => {
    for (const [name, script] of Object.entries(scripts)) {
      it.effect(`${name} signs in, lists the tools, calls one and refreshes its token`, () =>
        Effect.gen(function*() {
          const site = yield* startSite
          const { echo, opened, refreshed, tools, whoami } = yield* runScript(script, site.resource)
          const [authorization] = opened
          assert.lengthOf(opened, 1)
          assert.isTrue(authorization?.href.startsWith(`${site.issuer}/`))
          assert.strictEqual(authorization?.searchParams.get("code_challenge_method"), "S256")
          assert.includeMembers([...tools], ["echo", "whoami"])
          assert.strictEqual(whoami["x-auth-user-id"], site.user)
          assert.strictEqual(whoami["x-auth-issuer"], site.tokenIssuer)
          assert.strictEqual(echo, "refreshed")
          assert.isTrue(refreshed)
          assert.isAtLeast(site.refreshes(), 1)
        }))
    }
  })
}
