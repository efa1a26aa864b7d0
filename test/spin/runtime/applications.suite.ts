/** What a user of Spin types: the shipped manifests, the template, and each way to get the component, in Spin itself. */
import { assert, layer } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import { createHash } from "node:crypto"
import { copyFile, mkdir, mkdtemp, readdir, readFile, rm, writeFile } from "node:fs/promises"
import { createServer } from "node:http"
import { tmpdir } from "node:os"
import { dirname, join } from "node:path"
import { fileURLToPath } from "node:url"
import { buildComponent } from "../../../src/build/spin/buildComponent.mjs"
import { makeArtifact, pushArtifact } from "../../../src/build/spin/ociArtifact.mjs"
import { TestIssuer } from "../../../src/issuer/TestIssuer.ts"
import { ping } from "../../fixtures/messages.ts"
import { makeRecordingUpstream } from "../../support/RecordingUpstream.ts"
import { reservePort } from "../../support/reservePort.ts"
import { builtWasm } from "../support/builtComponent.ts"
import { makeRegistry } from "../support/registry.ts"
import { spin, up } from "./spin.mjs"

const source = (path: string) => fileURLToPath(new URL(`../../../src/spin/${path}`, import.meta.url))

const temporary = Effect.acquireRelease(
  Effect.promise(() => mkdtemp(join(tmpdir(), "mcp-authorizer-applications-"))),
  (directory) => Effect.promise(() => rm(directory, { recursive: true, force: true }))
)

/** Writes a file, and the directories that lead to it. */
const write = async (path: string, text: string): Promise<void> => {
  await mkdir(dirname(path), { recursive: true })
  await writeFile(path, text)
}

/** A checkout in which the component is built, with the manifests as they are shipped. */
const checkout = Effect.gen(function*() {
  const [directory, component] = yield* Effect.all([temporary, builtWasm])
  yield* Effect.promise(async () => {
    await mkdir(join(directory, "dist"))
    await copyFile(component, join(directory, "dist", "mcp-authorizer.wasm"))
    for (const name of ["spin.toml", "chained.toml"]) {
      await write(join(directory, "src", "spin", name), await readFile(source(name), "utf8"))
    }
  })
  return directory
})

interface Application {
  readonly args: ReadonlyArray<string>
  readonly cwd: string
  readonly variables?: Readonly<Record<string, string>>
  readonly env?: Readonly<Record<string, string>>
  readonly port?: number
}

/** Runs an application until the scope closes, or until it is stopped. */
const runApplication = Effect.fnUntraced(function*({ port, ...application }: Application) {
  const log: Array<string> = []
  const chosen = port ?? (yield* reservePort)
  const running = yield* Effect.acquireRelease(
    Effect.promise(() => up({ ...application, port: chosen, onOutput: (text) => log.push(text) })),
    ({ stop }) => Effect.promise(stop)
  )
  return { origin: running.origin, port: chosen, logged: () => log.join(""), stop: Effect.promise(running.stop) }
})

interface Sent {
  readonly status: number
  readonly challenge: string
  readonly text: string
}

const send = (
  origin: string,
  { body = ping, headers = {}, target = "/mcp", token }: {
    readonly token?: string
    readonly target?: string
    readonly body?: string
    readonly headers?: Readonly<Record<string, string>>
  } = {}
): Effect.Effect<Sent> =>
  Effect.promise(async () => {
    const response = await fetch(`${origin}${target}`, {
      method: "POST",
      body,
      headers: {
        "content-type": "application/json",
        ...(token === undefined ? {} : { authorization: `Bearer ${token}` }),
        ...headers
      }
    })
    return {
      status: response.status,
      challenge: response.headers.get("www-authenticate") ?? "",
      text: await response.text()
    }
  })

const development = {
  mcp_provider_type: "static",
  mcp_static_tokens: "dev-token:dev-client:dev-user:read"
}

const jwksPath = (issuer: TestIssuer["Service"]) => new URL(issuer.jwksUri).pathname

layer(Layer.empty, { excludeTestServices: true, timeout: "10 minutes" })("applications in Spin", (it) => {
  it.effect("SPIN-APP-01 MUST serve with the shipped manifest and three variables, and keep keys beyond a restart", () =>
    Effect.gen(function*() {
      const directory = yield* checkout
      const issuer = yield* TestIssuer.make({ audience: "notes", keys: "reused" })
      const upstream = yield* makeRecordingUpstream
      const application: Application = {
        args: ["-f", "src/spin/spin.toml"],
        cwd: directory,
        variables: {
          mcp_server_url: `${upstream.origin}/mcp`,
          mcp_jwt_issuer: issuer.issuer,
          mcp_jwt_audience: "notes"
        }
      }
      const first = yield* runApplication(application)
      const rejected = yield* send(first.origin)
      assert.strictEqual(rejected.status, 401)
      assert.include(rejected.challenge, `${first.origin}/.well-known/oauth-protected-resource`)
      const tokens = yield* Effect.forEach(
        Array.from({ length: 20 }),
        (_, index) => issuer.sign({ claims: { sub: `user-${index}` } })
      )
      const statuses = yield* Effect.forEach(
        tokens,
        (token) => Effect.map(send(first.origin, { token }), ({ status }) => status),
        { concurrency: "unbounded" }
      )
      assert.deepStrictEqual(statuses, tokens.map(() => 200), first.logged())
      assert.strictEqual(yield* issuer.hits(jwksPath(issuer)), 1)
      assert.lengthOf(upstream.requests(), tokens.length)
      yield* first.stop

      const second = yield* runApplication({ ...application, port: first.port })
      const token = yield* issuer.sign({ claims: { sub: "later" } })
      assert.strictEqual((yield* send(second.origin, { token })).status, 200)
      assert.strictEqual(yield* issuer.hits(jwksPath(issuer)), 1)
      // What the repository and the template exclude from version control.
      assert.include(yield* Effect.promise(() => readdir(join(directory, "src", "spin"))), ".spin")
    }))

  it.effect("SPIN-APP-02 MUST keep a chained MCP server from clients, and tell it nothing that a client claims of Spin's own", () =>
    Effect.gen(function*() {
      const directory = yield* checkout
      yield* Effect.promise(() =>
        buildComponent(
          fileURLToPath(new URL("mcpServer.js", import.meta.url)),
          join(directory, "dist", "server.wasm")
        )
      )
      const path = join(directory, "src", "spin", "chained.toml")
      const manifest = yield* Effect.promise(() => readFile(path, "utf8"))
      const foreign = `source = { registry = "ghcr.io", package = "fastertools:ftl-mcp-gateway", version = "0.0.3" }`
      assert.include(manifest, foreign)
      yield* Effect.promise(() => writeFile(path, manifest.replace(foreign, `source = "../../dist/server.wasm"`)))
      const { logged, origin } = yield* runApplication({
        args: ["-f", path],
        cwd: directory,
        variables: development
      })
      assert.strictEqual((yield* send(origin)).status, 401)
      const spoofed = {
        "spin-path-info": "/admin",
        "spin-full-url": "http://evil.example/admin",
        "spin-client-addr": "10.0.0.1:1"
      }
      const { status, text } = yield* send(origin, { token: "dev-token", headers: spoofed })
      assert.strictEqual(status, 200, logged())
      const received: { readonly target: string; readonly fields: ReadonlyArray<readonly [string, string]> } =
        JSON.parse(text).result
      assert.strictEqual(received.target, "/mcp-internal")
      const fields = new Map(received.fields)
      assert.strictEqual(fields.get("x-auth-user-id"), "dev-user")
      assert.strictEqual(fields.get("spin-path-info"), "/mcp-internal")
      assert.notInclude(JSON.stringify(received.fields), "evil.example")
      assert.notInclude(JSON.stringify(received.fields), "10.0.0.1")
      for (const host of [undefined, "ftl-mcp-gateway.spin.internal"]) {
        const headers = host === undefined ? {} : { host }
        const { status: direct } = yield* send(origin, { target: "/mcp-internal", token: "dev-token", headers })
        assert.strictEqual(direct, 404, host)
      }
    }))

  it.effect("SPIN-APP-03 MUST make an application, and protect one, by the template", () =>
    Effect.gen(function*() {
      const directory = yield* temporary
      const component = yield* builtWasm
      const upstream = yield* makeRecordingUpstream
      const options = { cwd: directory, env: { SPIN_DATA_DIR: join(directory, "data") } }
      const run = (...args: ReadonlyArray<string>) => Effect.promise(() => spin(args, options))
      const values = [
        "issuer=https://issuer.example.com",
        `server-url=${upstream.origin}/mcp`,
        "public-url=https://mcp.example.com",
        `wasm=${component}`
      ].flatMap((value) => ["--value", value])
      yield* run("templates", "install", "--dir", source("."))
      yield* run("new", "-t", "mcp-authorizer", "guard", "--accept-defaults", ...values)
      const made = join(directory, "guard")
      assert.include(yield* Effect.promise(() => readFile(join(made, ".gitignore"), "utf8")), ".spin/")
      const application = yield* runApplication({ args: [], cwd: made, variables: development })
      const rejected = yield* send(application.origin)
      assert.strictEqual(rejected.status, 401)
      assert.include(rejected.challenge, "https://mcp.example.com/.well-known/oauth-protected-resource")
      assert.strictEqual((yield* send(application.origin, { token: "dev-token" })).status, 200)
      yield* application.stop

      const existing = join(directory, "notes", "spin.toml")
      yield* Effect.promise(async () => {
        await buildComponent(
          fileURLToPath(new URL("mcpServer.js", import.meta.url)),
          join(directory, "notes", "notes.wasm")
        )
        await writeFile(
          existing,
          `spin_manifest_version = 2

[application]
name = "notes"
version = "0.1.0"

[[trigger.http]]
route = { private = true }
component = "notes"

[component.notes]
source = "notes.wasm"
`
        )
      })
      const inside = { ...options, cwd: join(directory, "notes") }
      const chained = values.map((value) =>
        value.startsWith("server-url=") ? "server-url=http://notes.spin.internal/mcp" : value
      )
      yield* Effect.promise(() =>
        spin(["add", "-t", "mcp-authorizer", "guard", "--accept-defaults", ...chained], inside)
      )
      const protecting = yield* runApplication({ args: [], cwd: inside.cwd, variables: development })
      assert.strictEqual((yield* send(protecting.origin)).status, 401)
      const called = yield* send(protecting.origin, { token: "dev-token" })
      assert.strictEqual(called.status, 200, protecting.logged())
      assert.strictEqual(JSON.parse(called.text).result.target, "/mcp")
    }))

  it.effect("SPIN-APP-04 MUST run from a registry: the component, and the whole application", () =>
    Effect.gen(function*() {
      const directory = yield* checkout
      const upstream = yield* makeRecordingUpstream
      const registry = yield* makeRegistry
      const { host } = new URL(registry.origin)
      const variables = { ...development, mcp_server_url: `${upstream.origin}/mcp` }
      const served = Effect.fnUntraced(function*(application: Application) {
        const { logged, origin, stop } = yield* runApplication({ ...application, variables })
        assert.strictEqual((yield* send(origin)).status, 401, logged())
        assert.strictEqual((yield* send(origin, { token: "dev-token" })).status, 200, logged())
        yield* stop
      })

      const reference = `${host}/mcp-authorizer-app:0.1.0`
      yield* Effect.promise(() =>
        spin(["registry", "push", "--insecure", "-f", "src/spin/spin.toml", reference], { cwd: directory })
      )
      yield* served({ args: ["-f", reference, "--insecure"], cwd: directory })

      const bytes = yield* Effect.flatMap(builtWasm, (path) => Effect.promise(() => readFile(path)))
      const artifact = yield* Effect.promise(() => makeArtifact(bytes, { version: "0.1.0" }))
      yield* Effect.promise(() => pushArtifact(artifact, `${registry.origin}/mcp-authorizer/gateway`))
      const path = join(directory, "src", "spin", "spin.toml")
      const manifest = yield* Effect.promise(() => readFile(path, "utf8"))
      const withSource = (place: string) =>
        Effect.promise(() => writeFile(path, manifest.replace(`source = "../../dist/mcp-authorizer.wasm"`, place)))

      yield* withSource(`source = { registry = "${host}", package = "mcp-authorizer:gateway", version = "0.1.0" }`)
      yield* Effect.promise(() =>
        write(
          join(directory, "config", "wasm-pkg", "config.toml"),
          `[registry."${host}"]\ntype = "oci"\n\n[registry."${host}".oci]\nprotocol = "http"\n`
        )
      )
      yield* served({ args: ["-f", path], cwd: directory, env: { XDG_CONFIG_HOME: join(directory, "config") } })

      const files = yield* Effect.acquireRelease(
        Effect.callback<ReturnType<typeof createServer>>((resume) => {
          const server = createServer((_, response) => response.end(bytes))
          server.listen(0, "127.0.0.1", () => resume(Effect.succeed(server)))
        }),
        (server) => Effect.sync(() => server.close())
      )
      const address = files.address()
      const port = typeof address === "object" && address !== null ? address.port : 0
      const digest = createHash("sha256").update(bytes).digest("hex")
      yield* withSource(
        `source = { url = "http://127.0.0.1:${port}/mcp-authorizer.wasm", digest = "sha256:${digest}" }`
      )
      yield* served({ args: ["-f", path], cwd: directory })
    }))

  it.effect("SPIN-APP-05 MUST name what is missing when Spin starts without the URL of the MCP server", () =>
    Effect.gen(function*() {
      const directory = yield* checkout
      const port = yield* reservePort
      const failure = yield* Effect.flip(
        Effect.tryPromise(() => up({ args: ["-f", "src/spin/spin.toml"], cwd: directory, port }))
      )
      assert.include(String(failure.cause), "mcp_server_url")
    }))
})
