import { assert, layer } from "@effect/vitest"
import * as Effect from "effect/Effect"
import { readdirSync } from "node:fs"
import { cp, mkdir, writeFile } from "node:fs/promises"
import { join } from "node:path"
import { root } from "../node/support/builtProgram.ts"
import { sh } from "../node/support/shell.ts"
import { docExamples } from "./docExamples.ts"
import { evaluate, Installed } from "./Installed.ts"

const compiler = join(root, "node_modules", "typescript", "bin", "tsc")

const options = {
  target: "ES2022",
  lib: ["ES2024", "DOM", "DOM.Iterable"],
  module: "NodeNext",
  strict: true,
  exactOptionalPropertyTypes: true,
  skipLibCheck: true,
  types: ["node"],
  rewriteRelativeImportExtensions: true
}

/** Compiles a folder of the project; dies with the compiler's output. */
const compile = (project: string, folder: string, outDir: string) =>
  Effect.promise(() =>
    writeFile(
      join(project, folder, "tsconfig.json"),
      JSON.stringify({ compilerOptions: { ...options, outDir: join(project, outDir) } })
    )
  ).pipe(Effect.andThen(sh(`cd '${project}/${folder}' && node '${compiler}' -p .`)))

const exampleFiles = readdirSync(join(root, "test/examples")).filter((name) => !name.endsWith(".test.ts"))

/** Each example at work, seen by a caller without a token. */
const runs: Readonly<Record<string, string>> = {
  "effectServer.js": `
    Object.assign(process.env, { MCP_JWT_ISSUER: issuer, MCP_JWT_AUDIENCE: "notes" })
    report(await example.toWebHandler().handler(request))`,
  "honoServer.js": `
    report(await example.makeApp({ jwt_issuer: issuer, jwt_audience: "notes" }).app.fetch(request))`,
  "webGateway.js": `
    report(await example.makeGateway({ jwt_issuer: issuer, jwt_audience: "notes" }).handler(request))`,
  "workersServer.js": `
    report(await example.default.fetch(request, { ISSUER: issuer, PUBLIC_URL: origin }, { waitUntil: () => undefined }))`,
  "nextRoute.js": `
    report(await example.mcpRoute.POST(request))`,
  "expressMiddleware.js": `
    const { app } = example.makeApp({ jwt_issuer: issuer, jwt_audience: "auto", public_url: origin })
    await listening(app.listen(0, "127.0.0.1"))`,
  "fastifyServer.js": `
    const app = await example.makeApp({ jwt_issuer: issuer, jwt_audience: "auto", public_url: origin })
    report(await fetch(await app.listen({ port: 0, host: "127.0.0.1" }) + "/mcp", { method: "POST" }))`,
  "nestServer.js": `
    const { app } = await example.makeApp({ jwt_issuer: issuer, jwt_audience: "auto", public_url: origin })
    await listening(await app.listen(0, "127.0.0.1"))`,
  "expressSdk1.js": `
    await express()`,
  "expressSdk2.js": `
    await express()`,
  "apiKeysBesideOauth.js": `
    Object.assign(process.env, {
      API_KEYS: "{}", USERS: ":memory:", PORT: "0",
      MCP_PROVIDER_TYPE: "userinfo", MCP_JWT_ISSUER: issuer, MCP_TOKEN_PREFIX: "mat_"
    })
    const gateway = await open(Layer.build(
      example.Gateway.pipe(Layer.provide(GatewayConfig.layerVariables(process.env)))
    ))
    const { address } = Context.get(gateway, HttpServer.HttpServer)
    report(await fetch(NetAddress.formatUrlUnsafe(address) + "/mcp", { method: "POST" }))`
}

const script = (file: string, run: string) => `
  import * as Context from "effect/Context"
  import * as Effect from "effect/Effect"
  import * as HttpServer from "effect/http/HttpServer"
  import * as Layer from "effect/Layer"
  import * as NetAddress from "effect/net/NetAddress"
  import * as Scope from "effect/Scope"
  import { GatewayConfig } from "mcp-authorizer"
  import { TestIssuer } from "mcp-authorizer/issuer"

  const scope = Scope.makeUnsafe()
  const open = (effect) => Effect.runPromise(Effect.provideService(effect, Scope.Scope, scope))
  const { issuer } = await open(TestIssuer.make())
  const origin = "http://127.0.0.1:8"
  Object.assign(process.env, { ISSUER: issuer, PUBLIC_URL: origin })
  const example = await import("./examples-out/${file}")
  const request = new Request(origin + "/mcp", { method: "POST" })
  const report = ({ headers, status }) => console.log("saw", status, headers.get("www-authenticate"))
  const express = async () => {
    const { app } = await example.makeApp(issuer, new URL(origin + "/mcp"))
    await listening(app.listen(0, "127.0.0.1"))
  }
  const listening = async (server) => {
    if (!server.listening) await new Promise((begun) => server.once("listening", begun))
    report(await fetch("http://127.0.0.1:" + server.address().port + "/mcp", { method: "POST" }))
  }
  ${run}
  process.exit()
`

const timeoutMillis = 240_000

layer(Installed.layer, { excludeTestServices: true, timeout: timeoutMillis })(
  "documentation in a user's project",
  (it) => {
    it.effect("DOC-01 every example of the READMEs and of the docstrings MUST compile", () =>
      Effect.gen(function*() {
        const { project } = yield* Installed
        const examples = docExamples()
        assert.isAbove(examples.length, 10)
        yield* Effect.promise(async () => {
          await mkdir(join(project, "docs"))
          for (const { code, name } of examples) await writeFile(join(project, "docs", `${name}.ts`), code)
        })
        yield* compile(project, "docs", "docs-out")
      }), timeoutMillis)

    it.effect(
      "DOC-02 every example program MUST compile against the package, and respond to a stranger with 401",
      () =>
        Effect.gen(function*() {
          const { project } = yield* Installed
          yield* Effect.promise(async () => {
            await mkdir(join(project, "examples"))
            for (const name of exampleFiles) {
              await cp(join(root, "test/examples", name), join(project, "examples", name))
            }
          })
          yield* compile(project, "examples", "examples-out")
          for (const [file, run] of Object.entries(runs)) {
            const printed = yield* evaluate(project, script(file, run))
            assert.match(printed, /^saw 401 Bearer error="[^"]+", .*resource_metadata="[^"]+"/m, file)
          }
        }),
      timeoutMillis
    )

    it.effect(
      "DOC-03 a conformance suite MUST run in a project without vitest, by node --test",
      () =>
        Effect.gen(function*() {
          const { project } = yield* Installed
          // vitest shows by its variables that it runs, also to child processes.
          const printed = yield* sh(
            `cd '${project}/examples-out' && env -u VITEST -u NODE_TEST_CONTEXT node --test --test-reporter=tap conformance.js`
          )
          assert.match(printed, /^# pass [1-9][0-9]*\n# fail 0$/m)
          assert.match(printed, /ok \d+ - OPAQUE-01 /)
        }),
      timeoutMillis
    )
  }
)
