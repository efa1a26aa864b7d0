import { assert, describe, it, layer } from "@effect/vitest"
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import { takenPort } from "./support/ports.ts"
import { type Program, runProgram, startProgram } from "./support/Program.ts"
import { sh } from "./support/shell.ts"

/** Starts the demo and waits for the end of its banner. */
const startDemo = Effect.fnUntraced(function*(port: number) {
  const program = yield* startProgram({ args: ["demo"], env: { PORT: String(port) } })
  const [text] = yield* program.awaitOutput(/^mcp-authorizer demo\n[^]*\nCtrl-C ends it\.\n/m)
  return { program, text }
})

const mcpUrlOf = (banner: string): string => /MCP endpoint +(\S+)/.exec(banner)?.[1] ?? ""

class Demo extends Context.Service<Demo, {
  readonly program: Program
  readonly mcpUrl: string
  /**
   * Runs the printed command with this title unchanged, after the one that sets the token, with additional arguments;
   * returns its output.
   */
  readonly run: (title: string, then?: string) => Effect.Effect<string>
}>()("mcp-authorizer/test/node/processDemo/Demo") {
  static readonly layer = Layer.effect(
    Demo,
    Effect.gen(function*() {
      const { program, text } = yield* startDemo(0)
      const commands = text.split("\n\n").filter((block) => block.startsWith("# ")).map((block) => {
        const [title = "", ...lines] = block.split("\n")
        return { title: title.slice(2), command: lines.join("\n") }
      })
      const find = (title: string): string =>
        commands.find((command) => command.title.startsWith(title))?.command ??
          assert.fail(`no command called ${title} in ${text}`)
      return Demo.of({
        program,
        mcpUrl: mcpUrlOf(text),
        run: (title, then = "") => sh([find("A token for"), find(title), then].join("\n"))
      })
    })
  )
}

const resultOf = (response: string) => JSON.parse(response).result

const namesOf = (tools: ReadonlyArray<{ readonly name: string }>) => tools.map(({ name }) => name)

layer(Demo.layer, { excludeTestServices: true, timeout: 30_000 })("demo, its printed commands", (it) => {
  it.effect("show the challenge", () =>
    Effect.gen(function*() {
      const { mcpUrl, run } = yield* Demo
      const response = yield* run("Without a token")
      assert.match(response, /^HTTP\/1\.1 401 /)
      assert.include(response, `resource_metadata="${new URL(mcpUrl).origin}/.well-known/oauth-protected-resource"`)
    }))

  it.effect("show what a client discovers", () =>
    Effect.gen(function*() {
      const { mcpUrl, run } = yield* Demo
      // Two documents, one right after the other.
      const [resource, server] = JSON.parse(`[${(yield* run("What a client discovers")).replace("}{", "},{")}]`)
      assert.strictEqual(resource.resource, mcpUrl)
      assert.deepStrictEqual(resource.authorization_servers, [server.issuer])
      assert.strictEqual(server.token_endpoint, `${server.issuer}/oauth2/token`)
    }))

  it.effect("list the tools", () =>
    Effect.gen(function*() {
      const { run } = yield* Demo
      assert.deepStrictEqual(namesOf(resultOf(yield* run("The tools")).tools), ["echo", "add", "whoami"])
    }))

  it.effect("tell who calls, as the MCP server sees it", () =>
    Effect.gen(function*() {
      const { run } = yield* Demo
      const seen = resultOf(yield* run("Who am I")).structuredContent
      assert.strictEqual(seen["x-auth-user-id"], "demo-user")
      assert.strictEqual(seen["x-auth-email"], "demo-user@example.com")
      assert.strictEqual(seen["x-auth-provider"], "development")
    }))

  it.effect("call a tool", () =>
    Effect.gen(function*() {
      const { run } = yield* Demo
      assert.deepStrictEqual(resultOf(yield* run("A call with arguments")).structuredContent, { sum: 5 })
    }))

  it.effect("open a session and use it", () =>
    Effect.gen(function*() {
      const { run } = yield* Demo
      const response = yield* run("The same in MCP 2025-11-25", "printf '\\n%s' \"$SESSION\"")
      const [list = "", session = ""] = response.split(/\n+/)
      assert.deepStrictEqual(namesOf(resultOf(list).tools), ["echo", "add", "whoami"])
      assert.match(session, /^[\x21-\x7e]{16,}$/)
    }))

  it.effect("get a fresh token that is as good", () =>
    Effect.gen(function*() {
      const { mcpUrl, run } = yield* Demo
      const status = `curl -sS -o /dev/null -w '%{http_code}\\n' ${mcpUrl} -H "Authorization: Bearer $TOKEN" ` +
        `-H 'Content-Type: application/json' -H 'Accept: application/json, text/event-stream' ` +
        `-d '{"jsonrpc":"2.0","id":1,"method":"ping"}'`
      const printed = yield* run("A fresh token", `printf '%s\\n' "$TOKEN"\n${status}\nTOKEN=$TOKEN.no\n${status}`)
      const [token = "", good, bad] = printed.split("\n")
      assert.match(token, /^eyJ[\w-]+\.[\w-]+\.[\w-]+$/)
      assert.notInclude((yield* Demo).program.stdout(), token)
      assert.notStrictEqual(good, "401")
      assert.strictEqual(bad, "401")
    }))
})

describe("demo", { timeout: 60_000 }, () => {
  it.live("takes another port when the wanted one is taken, and ends with 0", () =>
    Effect.gen(function*() {
      const port = yield* takenPort
      const { program, text } = yield* startDemo(port)
      const { port: chosen, protocol } = new URL(mcpUrlOf(text))
      assert.strictEqual(protocol, "http:")
      assert.notStrictEqual(chosen, String(port))
      yield* program.signal("SIGTERM")
      const { code, signal, stderr } = yield* program.ended
      assert.deepStrictEqual([code, signal, stderr], [0, null, ""])
    }))

  for (const port of ["http", "70000"]) {
    it.live(`says what is wrong with PORT=${port}`, () =>
      Effect.gen(function*() {
        const { code, stderr, stdout } = yield* runProgram({ args: ["demo"], env: { PORT: port } })
        assert.deepStrictEqual([code, stdout], [1, ""])
        assert.strictEqual(stderr, "PORT: is not a whole number from 0 to 65535. Write digits only.\n")
      }))
  }
})
