import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import { change, goodToken, type Mistake, serveWith } from "../doctor/support/HealthyServer.ts"
import { jwt } from "../doctor/support/mistakes.ts"
import { leaks } from "../support/canary.ts"
import { serveWebHandler } from "../support/serve.ts"
import { closedPort } from "./support/ports.ts"
import { runProgram } from "./support/Program.ts"
import { temporaryFile } from "./support/scratch.ts"

const doctor = (args: ReadonlyArray<string>, env: Readonly<Record<string, string>> = {}) =>
  runProgram({ args: ["doctor", ...args], env })

const otherResource: Mistake = ({ path }, well) =>
  path.startsWith("/.well-known/oauth-protected-resource")
    ? change(well, { resource: "https://internal.example/mcp" })
    : undefined

describe.concurrent("mcp-authorizer doctor", { timeout: 180_000 }, () => {
  it.live("begins with the first break and its fix, marks it on the way, and exits 1", () =>
    Effect.gen(function*() {
      const { url } = yield* serveWith(otherResource)
      const { code, stderr, stdout } = yield* doctor([url.href])
      assert.strictEqual(code, 1)
      assert.strictEqual(stderr, "")
      const lines = stdout.trim().split("\n")
      assert.strictEqual(lines[0], url.href)
      assert.include(lines[2], "The metadata are for another resource")
      assert.include(lines[3], "https://internal.example/mcp")
      assert.match(lines[4] ?? "", /^ +Fails +all clients$/)
      assert.match(lines[5] ?? "", /^ +Fix +Set resource to the URL that clients use/)
      assert.match(
        stdout,
        /✗ Protected resource metadata[^✓✗]*\n +\^ clients stop here\n +✓ Authorization server metadata/
      )
      assert.match(stdout, /✗ Claude +fails at: Protected resource metadata/)
      // No colours and no progress where no one watches.
      assert.notInclude(stdout, "\u001b")
    }))

  it.live("exits 0 if there are no errors, in colour if that is forced", () =>
    Effect.gen(function*() {
      const { url } = yield* serveWith()
      const { code, stdout } = yield* doctor([url.href], { FORCE_COLOR: "1" })
      assert.strictEqual(code, 0)
      assert.include(stdout, "\u001b[32m")
      assert.include(stdout, "Clients can connect")
    }))

  it.live("exits 2 for a server that is not there", () =>
    Effect.gen(function*() {
      const port = yield* closedPort
      const { code, stdout } = yield* doctor([`http://127.0.0.1:${port}/mcp`])
      assert.strictEqual(code, 2)
      assert.include(stdout, "ECONNREFUSED")
    }))

  it.live("prints one JSON object for a URL", () =>
    Effect.gen(function*() {
      const { url } = yield* serveWith(otherResource)
      const { code, stderr, stdout } = yield* doctor([url.href, "--json"])
      assert.strictEqual(code, 1)
      assert.strictEqual(stderr, "")
      const report = JSON.parse(stdout)
      assert.strictEqual(report.url, url.href)
      assert.strictEqual(report.verdict, "broken")
      const step = report.steps.find(({ id }: { id: string }) => id === "resource")
      assert.hasAllKeys(step.findings[0], [
        "code",
        "level",
        "title",
        "why",
        "clients",
        "specification",
        "fix",
        "found",
        "at"
      ])
    }))

  it.live("shows nothing of the token, even if the server repeats it in each field and body", () =>
    Effect.gen(function*() {
      const token = jwt(
        { iss: "https://idp.example", aud: "x", sub: "secret-subject-7f3a" },
        "canary-7fa3e1d09b42c865aaaa"
      )
      const { url } = yield* serveWith(({ headers }, well) => {
        const sent = headers.authorization ?? ""
        return {
          ...change(well, { error_description: sent, message: sent }),
          headers: {
            ...well.headers,
            "x-echo": sent,
            "www-authenticate": `Bearer error_description="${sent}"`,
            location: `/${sent}`
          }
        }
      })
      const file = yield* temporaryFile("token", `${token}\n`)
      for (const flags of [[], ["--json"]]) {
        const { stderr, stdout } = yield* doctor([url.href, "--token-file", file, ...flags])
        assert.isEmpty(leaks([stdout, stderr], token))
        assert.notInclude(stdout, "secret-subject-7f3a")
      }
    }))

  it.live("examines the servers of the configuration at their public URLs, and what they need, without a URL", () =>
    Effect.gen(function*() {
      const { log, origin } = yield* serveWith()
      const upstream = yield* serveWith()
      const env = { MCP_PUBLIC_URL: origin, MCP_STATIC_TOKENS: `${goodToken}:c:s:` }
      const { code, stdout } = yield* doctor(["--json"], { ...env, MCP_SERVER_URL: upstream.url.href })
      assert.strictEqual(code, 0)
      const [report] = JSON.parse(stdout)
      assert.strictEqual(report.url, `${origin}/mcp`)
      assert.strictEqual(report.steps[0].id, "configuration")
      assert.include(stdout, "responds with 401")
      assert.isAbove(log.length, 5)

      const port = yield* closedPort
      const broken = yield* doctor([], { ...env, MCP_SERVER_URL: `http://127.0.0.1:${port}/mcp` })
      assert.strictEqual(broken.code, 1)
      assert.match(
        broken.stdout,
        /✗ Something that the gateway needs does not work\. \(step 1: Configuration\)\n.*MCP server/
      )
      assert.include(broken.stdout, "ECONNREFUSED")
    }))

  it.live("uses the token of a file", () =>
    Effect.gen(function*() {
      const { url } = yield* serveWith()
      const file = yield* temporaryFile("token", `Bearer ${goodToken}\n`)
      const { code, stdout } = yield* doctor([url.href, "--token-file", file, "--listen", "1"])
      assert.strictEqual(code, 0)
      assert.match(stdout, /✓ Token +accepted, opaque/)
      assert.match(stdout, /✓ Messages and session +2025-11-25, with a session, tools: 1/)
    }))

  it.live.each(
    [
      [["ftp://mcp.example/mcp"], /not an http or https URL/],
      [["https://mcp.example/mcp", "--token-file", "/nowhere/token"], /--token-file: cannot be read \(ENOENT\)/],
      [["https://mcp.example/mcp", "--call", "x", "--arguments", "[1]"], /--arguments: is not a JSON object/],
      [["https://mcp.example/mcp", "--arguments", "{}"], /--arguments goes with --call/]
    ] as const
  )("exits 2 for the unusable arguments %s", ([args, expected]) =>
    Effect.gen(function*() {
      const { code, stderr, stdout } = yield* doctor(args)
      assert.strictEqual(code, 2)
      assert.match(stderr, expected)
      assert.strictEqual(stdout, "")
    }))

  it.live("writes nothing of a server's control characters to the terminal", () =>
    Effect.gen(function*() {
      const origin = yield* serveWebHandler(async () =>
        new Response("{\"issuer\":\"\\u001b[2J\"}", {
          status: 401,
          headers: { "www-authenticate": "Bearer error=\"\u009b2J\", resource_metadata=\"http://127.0.0.1/\u00851\"" }
        })
      )
      const { stdout } = yield* doctor([`${origin}/mcp`])
      assert.notMatch(stdout.replaceAll("\n", ""), /\p{Cc}/u)
    }))
})
