import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Schema from "effect/Schema"
import { execFileSync, spawn } from "node:child_process"
import { existsSync, readFileSync } from "node:fs"
import * as Https from "node:https"
import { join } from "node:path"
import { env as ownEnvironment } from "node:process"
import { stripVTControlCharacters } from "node:util"
import { Explanation } from "../../src/explain/Explanation.ts"
import { TestIssuer } from "../../src/issuer/TestIssuer.ts"
import { assertNoSecret, audience } from "../explain/support.ts"
import { mainFile } from "./support/builtProgram.ts"
import { runProgram } from "./support/Program.ts"
import { temporaryDirectory, temporaryFile } from "./support/scratch.ts"

const decode = Schema.decodeUnknownSync(Schema.fromJsonString(Explanation))

/** Runs the command with a token on standard input. */
const explain = Effect.fnUntraced(function*(
  args: ReadonlyArray<string>,
  token: string,
  env: Readonly<Record<string, string>> = {}
) {
  const ended = yield* runProgram({ args: ["explain", ...args], input: token, env })
  assertNoSecret([ended.stdout, ended.stderr], token)
  return ended
})

/** An issuer behind TLS, with a certificate of an unknown authority. */
const privateIssuer = Effect.fnUntraced(function*(keys: TestIssuer["Service"]) {
  const path = yield* temporaryDirectory
  const request = "req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -days 2 -subj /CN=localhost"
  const names = ["-addext", "subjectAltName=DNS:localhost", "-keyout", join(path, "key"), "-out", join(path, "cert")]
  execFileSync("openssl", request.split(" ").concat(names), { stdio: "ignore" })
  const documents: Record<string, unknown> = { "/jwks": yield* keys.jwks }
  const server = Https.createServer(
    { key: readFileSync(join(path, "key")), cert: readFileSync(join(path, "cert")) },
    (request, response) => {
      const document = documents[request.url ?? ""]
      response.writeHead(document === undefined ? 404 : 200).end(JSON.stringify(document ?? {}))
    }
  )
  const port = yield* Effect.acquireRelease(
    Effect.callback<number>((resume) => {
      server.listen(0, "127.0.0.1", () => {
        const address = server.address()
        resume(Effect.succeed(typeof address === "object" && address !== null ? address.port : 0))
      })
    }),
    () => Effect.sync(() => server.close().closeAllConnections())
  )
  const issuer = `https://localhost:${port}`
  documents["/.well-known/openid-configuration"] = { issuer, jwks_uri: `${issuer}/jwks` }
  return { issuer, caFile: join(path, "cert") }
})

const script = "/usr/bin/script"

/** Runs the command at a terminal, and pastes a token at the prompt; returns what the terminal shows. */
const atTerminal = Effect.fnUntraced(function*(
  args: string,
  token: string,
  env: Readonly<Record<string, string>> = {}
) {
  const main = yield* mainFile
  return yield* Effect.callback<{ readonly code: number | null; readonly shown: string }>((resume) => {
    const command = `stty cols 100; exec "${process.execPath}" "${main}" explain ${args}`
    const child = spawn(script, ["-qec", command, "/dev/null"], {
      stdio: ["pipe", "pipe", "ignore"],
      env: { PATH: ownEnvironment["PATH"], TERM: "xterm-256color", ...env }
    })
    let shown = ""
    let asked = false
    child.stdout.on("data", (chunk) => {
      shown += chunk
      if (asked || !shown.includes("press Enter")) return
      asked = true
      child.stdin.write(`${token}\r`)
    })
    child.on("close", (code) => resume(Effect.succeed({ code, shown })))
    return Effect.sync(() => child.kill("SIGKILL"))
  })
})

const makeIssuer = TestIssuer.make({ audience, algorithms: ["RS256"] })

describe("explain", { timeout: 60_000 }, () => {
  it.live("explains a token of standard input by an issuer alone, and exits with its verdict", () =>
    Effect.gen(function*() {
      const issuer = yield* makeIssuer
      const only = ["--issuer", issuer.issuer, "--audience", audience]
      const good = yield* explain(only, `${yield* issuer.sign()}\n`)
      assert.deepStrictEqual([good.code, good.stderr], [0, ""])
      assert.match(good.stdout, /^Accepted: the caller is the user "user-1"\n/)
      assert.match(good.stdout, /^✓ signature +it is valid$/m)
      assert.match(good.stdout, /^ {2}x-auth-user-id +user-1$/m)
      // Not a terminal.
      assert.notInclude(good.stdout, "\u001b")

      const wrong = yield* explain(only, yield* issuer.sign({ claims: { aud: "account" } }))
      assert.deepStrictEqual([wrong.code, wrong.stderr], [1, ""])
      assert.match(wrong.stdout, /^Rejected by the rule about audience: /)
      assert.match(wrong.stdout, /^✗ audience +found +"account"\n +expected +"https:\/\/mcp\.example\/mcp"\n +fix +\S/m)
      assert.notInclude(wrong.stdout, "The MCP server would see")

      const free = yield* explain(["--issuer", issuer.issuer], yield* issuer.sign())
      assert.strictEqual(free.code, 0)
      assert.match(free.stdout, /No audience is configured.*Set MCP_JWT_AUDIENCE/)
    }))

  it.live("prints JSON, and reads a file", () =>
    Effect.gen(function*() {
      const issuer = yield* makeIssuer
      const token = yield* issuer.sign({ claims: { scope: "mcp:read" } })
      const file = yield* temporaryFile("token", `${token}\n`)
      const only = ["--issuer", issuer.issuer, "--audience", audience, "--json"]
      for (const args of [["--token-file", file], ["--token-file", "-"], []]) {
        const { code, stdout } = yield* explain([...only, ...args], token)
        assert.strictEqual(code, 0)
        const explanation = decode(stdout)
        assert.strictEqual(explanation.outcome.decision, "accepted")
        assert.strictEqual(explanation.upstream?.headers["x-auth-scopes"], "mcp:read")
      }
    }))

  it.live("explains by the configuration of the gateway, for one of its servers", () =>
    Effect.gen(function*() {
      const issuer = yield* makeIssuer
      const config = yield* temporaryFile(
        "config.json",
        JSON.stringify({
          public_url: "https://mcp.example",
          providers: [{ type: "oidc", name: "main", issuer: issuer.issuer, audience: "auto" }],
          servers: [
            {
              name: "notes",
              path: "/notes",
              url: "http://127.0.0.1:9/mcp",
              rules: [{ tools: ["delete_*"], scopes: ["notes:delete"] }]
            },
            { name: "files", path: "/files", url: "http://127.0.0.1:9/mcp" }
          ]
        })
      )
      const token = yield* issuer.sign({ claims: { aud: "https://mcp.example/notes", scope: "notes:read" } })
      const unnamed = yield* explain(["--config", config], token)
      assert.strictEqual(unnamed.code, 2)
      assert.match(unnamed.stderr, /--server: choose notes, files\./)
      const unknown = yield* explain(["--config", config, "--server", "nots"], token)
      assert.strictEqual(unknown.code, 2)
      assert.match(unknown.stderr, /there is no server nots; choose notes, files\./)

      const notes = yield* explain(["--server", "notes"], token, { MCP_CONFIG_FILE: config })
      assert.strictEqual(notes.code, 0)
      assert.match(notes.stdout, /^For the MCP server notes\.$/m)
      assert.match(notes.stdout, /^– rules +not asked: name a method or a tool$/m)
      const deleting = yield* explain(["--config", config, "--server", "notes", "--tool", "delete_all"], token)
      assert.strictEqual(deleting.code, 1)
      assert.match(deleting.stdout, /^✗ rules +found +"notes:read"; missing: "notes:delete"$/m)
      const files = yield* explain(["--config", config, "--server", "files"], token)
      assert.strictEqual(files.code, 1)
      assert.match(files.stdout, /^Rejected by the rule about audience: aud is "https:\/\/mcp\.example\/notes"/)
    }))

  it.live("names the authority file where the provider has a private certificate, and accepts it with one", () =>
    Effect.gen(function*() {
      const keys = yield* makeIssuer
      const { caFile, issuer } = yield* privateIssuer(keys)
      const token = yield* keys.sign({ claims: { iss: issuer } })
      const only = ["--issuer", issuer, "--audience", audience]
      const untrusted = yield* explain(only, token)
      assert.strictEqual(untrusted.code, 2)
      assert.match(untrusted.stdout, /^Cannot tell, because of key: .*DEPTH_ZERO_SELF_SIGNED_CERT/)
      assert.match(untrusted.stdout, /^ +fix +Set MCP_CA_FILE to a PEM file with the certificate of the authority/m)
      const trusted = yield* explain(only, token, { MCP_CA_FILE: caFile })
      assert.strictEqual(trusted.code, 0, trusted.stdout)
    }))

  it.live("exits with 2 where it cannot tell: wrong use, wrong settings, no token", () =>
    Effect.gen(function*() {
      const use = yield* explain(["--jsn"], "token")
      assert.strictEqual(use.code, 2)
      const audienceAlone = yield* explain(["--audience", "x"], "token")
      assert.deepStrictEqual([audienceAlone.code, audienceAlone.stderr], [2, "--audience goes with --issuer.\n"])
      const issuer = yield* explain(["--issuer", "not a url"], "token")
      assert.strictEqual(issuer.code, 2)
      assert.match(issuer.stderr, /MCP_JWT_ISSUER/)
      const unset = yield* explain([], "token")
      assert.strictEqual(unset.code, 2)
      assert.match(unset.stderr, /No authentication providers configured/)
      const file = yield* explain(["--issuer", "https://issuer.example", "--token-file", "/nowhere"], "")
      assert.deepStrictEqual([file.code, file.stderr], [2, "--token-file: cannot be read (ENOENT).\n"])
      const args = yield* explain(["--issuer", "https://issuer.example", "--arguments", "{"], "")
      assert.strictEqual(args.code, 2)
      assert.match(args.stderr, /^--arguments: is not JSON/)
    }))

  it.live.skipIf(!existsSync(script))(
    "asks for a token at a terminal without showing it, however long it is",
    () =>
      Effect.gen(function*() {
        const issuer = yield* makeIssuer
        const only = `--issuer ${issuer.issuer} --audience ${audience}`
        const groups = Array.from({ length: 400 }, (_, index) => `group-${index}`)
        const token = yield* issuer.sign({ claims: { groups } })
        // A terminal would cut a line there.
        assert.isAbove(token.length, 4_096)
        const { code, shown } = yield* atTerminal(only, token)
        assert.strictEqual(code, 0, shown)
        assert.include(shown, "\u001b[32mAccepted\u001b[0m")
        assertNoSecret([shown], token)
        assert.notInclude(shown, token.slice(0, 60))
        for (const line of shown.split(/\r?\n/u)) {
          assert.isAtMost(stripVTControlCharacters(line).length, 101, line)
        }
        const plain = yield* atTerminal(only, "opaque-token", { NO_COLOR: "1" })
        assert.strictEqual(plain.code, 1)
        assert.match(plain.shown, /\nRejected by the rule about provider/)
        assert.notInclude(plain.shown, "\u001b[")
      })
  )

  it.live("--help names each flag", () =>
    Effect.gen(function*() {
      const { code, stdout } = yield* runProgram({ args: ["explain", "--help"] })
      assert.strictEqual(code, 0)
      for (
        const flag of ["token-file", "server", "json", "issuer", "audience", "method", "tool", "arguments", "config"]
      ) {
        assert.include(stdout, `--${flag}`)
      }
    }))
})
