import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import { readFileSync } from "node:fs"
import { makeSigningKey } from "../../src/issuer/SigningKey.ts"
import { leaks } from "../support/canary.ts"
import { root } from "./support/builtProgram.ts"
import { runProgram, startProgram } from "./support/Program.ts"

const canary = "canary-8c1f2e7a9b3d4f60"

const noProvider = /No authentication providers configured\. Set MCP_JWT_ISSUER .*MCP_STATIC_TOKENS.*MCP_PROVIDERS/

const pem = (body: string) => `-----BEGIN PUBLIC KEY-----\n${body}\n-----END PUBLIC KEY-----\n`

const server = { MCP_SERVER_URL: "http://127.0.0.1:8080/mcp" }

const withKey = (key: string) => ({
  ...server,
  MCP_PROVIDER_TYPE: "oidc",
  MCP_JWT_ISSUER: "https://issuer.example",
  MCP_JWT_AUDIENCE: "https://mcp.example/mcp",
  MCP_JWT_PUBLIC_KEY: key
})

describe("--help and --version", { timeout: 60_000 }, () => {
  it.live("--help says what the program can do", () =>
    Effect.gen(function*() {
      const { code, stderr, stdout } = yield* runProgram({ args: ["--help"] })
      assert.deepStrictEqual([code, stderr], [0, ""])
      for (
        const word of [
          "--config FILE",
          "MCP_CONFIG_FILE",
          "--workers N",
          "MCP_WORKERS",
          "--check",
          "demo",
          "schema",
          "--version"
        ]
      ) {
        assert.include(stdout, word)
      }
    }))

  it.live("--version is the version of package.json", () =>
    Effect.gen(function*() {
      const { version } = JSON.parse(readFileSync(`${root}package.json`, "utf8"))
      const { code, stderr, stdout } = yield* runProgram({ args: ["--version"] })
      assert.deepStrictEqual([code, stderr, stdout.trim()], [0, "", `mcp-authorizer v${version}`])
    }))

  const unknown = [
    [["--frobnicate"], "--frobnicate"],
    [["frobnicate"], "frobnicate"],
    [["--config"], "Missing value for flag --config"]
  ] as const
  for (const [args, text] of unknown) {
    it.live(`rejects ${args.join()}`, () =>
      Effect.gen(function*() {
        const { code, stderr, stdout } = yield* runProgram({ args })
        assert.strictEqual(code, 1)
        assert.include(stderr, text)
        assert.include(stdout, "USAGE")
      }))
  }

  it.live("ends when its output is not read", () =>
    Effect.scoped(Effect.gen(function*() {
      const program = yield* startProgram({ args: ["--help"] })
      yield* program.stopReading
      assert.isTrue((yield* program.ended).signal === null)
    })))
})

describe("--check", { timeout: 60_000 }, () => {
  it.live("prints good settings as JSON without secrets, and warnings apart from them", () =>
    Effect.gen(function*() {
      const { code, stderr, stdout } = yield* runProgram({
        args: ["--check"],
        env: {
          HOST: "0.0.0.0",
          MCP_SERVER_URL: "http://127.0.0.1:8080/mcp",
          MCP_PROVIDERS: JSON.stringify([
            { type: "static", tokens: `${canary}-static:client:user:mcp:read` },
            {
              type: "introspection",
              issuer: "https://issuer.example",
              introspection_endpoint: "https://issuer.example/introspect",
              client_id: "gateway",
              client_secret: `${canary}-secret`
            }
          ])
        }
      })
      assert.strictEqual(code, 0)
      const shown = JSON.parse(stdout)
      assert.strictEqual(shown.server_url, "http://127.0.0.1:8080/mcp")
      assert.strictEqual(shown.host, "0.0.0.0")
      assert.deepStrictEqual(shown.providers.map(({ type }: { type: string }) => type), ["static", "introspection"])
      assert.strictEqual(shown.providers[0].tokens[0].subject, "user")
      const warned = stderr.trim().split("\n")
      for (const line of warned) assert.match(line, /^warning: /)
      assert.include(stderr, "static tokens are for development")
      assert.include(stderr, "no audience is configured")
      assert.isEmpty(leaks([stdout, stderr], `${canary}-static`))
      assert.isEmpty(leaks([stdout, stderr], `${canary}-secret`))
    }))

  it.live("lists the servers with their resources, where there are several", () =>
    Effect.gen(function*() {
      const { code, stderr, stdout } = yield* runProgram({
        args: ["--check"],
        env: {
          HOST: "0.0.0.0",
          MCP_PUBLIC_URL: "https://mcp.example.com",
          MCP_JWT_ISSUER: "https://issuer.example",
          MCP_SERVERS: JSON.stringify([
            { name: "notes", path: "/notes/mcp", url: "http://127.0.0.1:8081/mcp" },
            { name: "files", host: "files.example.com", url: "http://127.0.0.1:8082/mcp", max_waiting: 7 }
          ])
        }
      })
      assert.deepStrictEqual([code, stderr], [0, ""])
      const { server_url, servers } = JSON.parse(stdout)
      assert.isNull(server_url)
      assert.deepStrictEqual(servers, [
        {
          name: "notes",
          host: null,
          resource: "https://mcp.example.com/notes/mcp",
          providers: ["oidc"],
          url: "http://127.0.0.1:8081/mcp",
          path: "/notes/mcp"
        },
        {
          name: "files",
          host: "files.example.com",
          resource: "https://files.example.com/mcp",
          providers: ["oidc"],
          url: "http://127.0.0.1:8082/mcp",
          public_url: "https://files.example.com",
          path: "/mcp",
          max_waiting: 7
        }
      ])
    }))

  it.live("CFG-01 rejects two servers at one place, and says how to correct it", () =>
    Effect.gen(function*() {
      const entry = { path: "/mcp", url: "http://127.0.0.1:8081/mcp" }
      const { code, stderr, stdout } = yield* runProgram({
        args: ["--check"],
        env: {
          MCP_PUBLIC_URL: "https://mcp.example.com",
          MCP_JWT_ISSUER: "https://issuer.example",
          MCP_SERVERS: JSON.stringify([{ name: "a", ...entry }, { name: "b", ...entry }])
        }
      })
      assert.deepStrictEqual([code, stdout], [1, ""])
      assert.match(
        stderr,
        /MCP_SERVERS\[1\]\.path: .*MCP_SERVERS\[0\]\. Give one of them another path, or a host of its own\./
      )
    }))

  it.live("prints nothing but the settings if there are no warnings", () =>
    Effect.gen(function*() {
      const { code, stderr, stdout } = yield* runProgram({
        args: ["--check"],
        env: { ...server, AUTHKIT_DOMAIN: "tenant.authkit.app", MCP_JWT_AUDIENCE: "https://mcp.example/mcp" }
      })
      assert.deepStrictEqual([code, stderr], [0, ""])
      assert.strictEqual(JSON.parse(stdout).providers[0].jwks_uri, "https://tenant.authkit.app/oauth2/jwks")
    }))

  it.live("warns about certificates that are not verified, and about nothing else", () =>
    Effect.gen(function*() {
      const env = { ...server, AUTHKIT_DOMAIN: "tenant.authkit.app", MCP_JWT_AUDIENCE: "a" }
      const warned = yield* runProgram({ args: ["--check"], env: { ...env, NODE_TLS_REJECT_UNAUTHORIZED: "0" } })
      assert.strictEqual(warned.code, 0)
      assert.match(warned.stderr, /^warning: NODE_TLS_REJECT_UNAUTHORIZED=0 .*$/m)
      const silent = yield* runProgram({ args: ["--check"], env: { ...env, NODE_TLS_REJECT_UNAUTHORIZED: "1" } })
      assert.deepStrictEqual([silent.code, silent.stderr], [0, ""])
    }))

  it.live("CFG reports all problems at once, each with a fix, and no value", () =>
    Effect.gen(function*() {
      const ended = yield* runProgram({
        args: ["--check"],
        env: {
          MCP_JWT_ISSUR: "https://issuer.example",
          MCP_PROVIDER_TYPE: "introspection",
          MCP_JWT_ISSUER: "https://issuer.example",
          MCP_INTROSPECTION_URL: `http://issuer.example/${canary}`,
          MCP_CLIENT_ID: "gateway",
          MCP_CLIENT_SECRET: `${canary}\u0007`,
          MCP_STATIC_TOKENS: `${canary}:only-a-client`,
          MCP_JWT_PUBLIC_KEY: `-----BEGIN PRIVATE KEY-----\n${canary}\n-----END PRIVATE KEY-----`,
          PORT: "http",
          MCP_LOG_LEVEL: "loud"
        }
      })
      assert.deepStrictEqual([ended.code, ended.stdout], [1, ""])
      const [headline = "", ...problems] = ended.stderr.trim().split("\n")
      assert.strictEqual(headline, `Invalid configuration, ${problems.length} problems:`)
      for (const line of problems) assert.match(line, /^ {2}[A-Z_]+( \(given as [^)]+\))?: [^.]+\. \S.*[.?]$/)
      const named = problems.map((line) => /[A-Z_]+/.exec(line)?.[0])
      for (
        const name of [
          "MCP_JWT_ISSUR",
          "MCP_INTROSPECTION_URL",
          "MCP_CLIENT_SECRET",
          "MCP_STATIC_TOKENS",
          "MCP_JWT_PUBLIC_KEY",
          "PORT",
          "MCP_LOG_LEVEL"
        ]
      ) assert.include(named, name)
      assert.include(ended.stderr, "Did you mean MCP_JWT_ISSUER?")
      assert.isEmpty(leaks([ended.stderr], canary))
    }))

  for (const args of [["--check"], []]) {
    const way = args.length === 0 ? "at start" : "under --check"

    it.live(`does not run without the MCP server's URL, ${way}`, () =>
      Effect.gen(function*() {
        const env = { AUTHKIT_DOMAIN: "tenant.authkit.app", MCP_JWT_AUDIENCE: "https://mcp.example/mcp" }
        const { code, stderr, stdout } = yield* runProgram({ args, env })
        assert.deepStrictEqual([code, stdout], [1, ""])
        assert.include(stderr, "  MCP_SERVER_URL: is missing. Set it to the URL of your MCP server")
      }))

    it.live(`rejects its own address as the MCP server's, ${way}`, () =>
      Effect.gen(function*() {
        const env = { MCP_STATIC_TOKENS: "t:c:s:", MCP_SERVER_URL: "http://localhost:3000/mcp" }
        const { code, stderr } = yield* runProgram({ args, env })
        assert.strictEqual(code, 1)
        assert.include(stderr, "  MCP_SERVER_URL: is the address on which the gateway itself listens")
      }))

    it.live(`does not run without a provider, ${way}`, () =>
      Effect.gen(function*() {
        const { code, stderr, stdout } = yield* runProgram({ args })
        assert.deepStrictEqual([code, stdout], [1, ""])
        assert.match(stderr, noProvider)
      }))

    it.live(`rejects a public key that is PEM but not a key, ${way}`, () =>
      Effect.gen(function*() {
        const { code, stderr, stdout } = yield* runProgram({ args, env: withKey(pem("QUJD".repeat(30))) })
        assert.deepStrictEqual([code, stdout], [1, ""])
        assert.match(stderr, /MCP_JWT_PUBLIC_KEY: .*not a PEM \(SPKI\) key for RS256\. Give one PEM public key/)
        assert.notInclude(stderr, "QUJD")
      }))
  }

  it.live("rejects a public key that is too weak, and accepts a strong one", () =>
    Effect.gen(function*() {
      const weak = yield* makeSigningKey({ algorithm: "RS256", kid: "weak", modulusLength: 1024 })
      const rejected = yield* runProgram({ args: ["--check"], env: withKey(weak.publicPem) })
      assert.strictEqual(rejected.code, 1)
      assert.match(rejected.stderr, /MCP_JWT_PUBLIC_KEY: .*an RSA key of fewer than 2048 bits\./)

      const good = yield* makeSigningKey({ algorithm: "RS256", kid: "good" })
      const taken = yield* runProgram({
        args: ["--check"],
        env: withKey(good.publicPem.replaceAll("\n", "\\n"))
      })
      assert.deepStrictEqual([taken.code, taken.stderr], [0, ""])
      assert.strictEqual(JSON.parse(taken.stdout).providers[0].public_key, "(PEM)")
    }))
})
