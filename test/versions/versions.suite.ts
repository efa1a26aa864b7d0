/** Both packages, installed by npm, on each version of Node that is supported. */
import { assert, layer } from "@effect/vitest"
import * as Effect from "effect/Effect"
import { toolCall } from "../fixtures/messages.ts"
import { startGatewayProgram, staticSettings } from "../node/support/GatewayProgram.ts"
import { sh } from "../node/support/shell.ts"
import { manifest } from "../packaging/Installed.ts"
import { makeRecordingUpstream } from "../support/RecordingUpstream.ts"
import { InstalledOnNodes, nodeVersions } from "./InstalledOnNodes.ts"

const post = (origin: string, token?: string) =>
  Effect.promise(async () => {
    const response = await fetch(`${origin}/mcp`, {
      method: "POST",
      headers: {
        accept: "application/json, text/event-stream",
        "content-type": "application/json",
        ...(token === undefined ? {} : { authorization: `Bearer ${token}` })
      },
      body: toolCall("greet")
    })
    await response.text()
    return response.status
  })

const serveAndAsk = `
  import * as NodeRuntime from "@effect/platform-node/NodeRuntime"
  import * as Context from "effect/Context"
  import * as Effect from "effect/Effect"
  import * as HttpServer from "effect/http/HttpServer"
  import * as Layer from "effect/Layer"
  import * as NetAddress from "effect/net/NetAddress"
  import { GatewayConfig } from "mcp-authorizer"
  import { TestIssuer } from "mcp-authorizer/issuer"
  import * as NodeGateway from "mcp-authorizer/node"

  NodeRuntime.runMain(Effect.scoped(Effect.gen(function*() {
    const issuer = yield* TestIssuer.make()
    const gateway = yield* Layer.build(NodeGateway.layer().pipe(Layer.provide(GatewayConfig.layer({
      server_url: "http://127.0.0.1:9/mcp", port: 0, jwt_issuer: issuer.issuer, jwt_audience: "notes"
    }))))
    const { address } = Context.get(gateway, HttpServer.HttpServer)
    const url = NetAddress.formatUrlUnsafe(address) + "/mcp"
    const good = yield* issuer.sign({ claims: { aud: "notes" } })
    const ask = (token) => Effect.promise(async () =>
      (await fetch(url, { method: "POST", body: "{}", headers: { authorization: "Bearer " + token, "content-type": "application/json" } })).status)
    console.log("saw", yield* ask("x"), yield* ask(good))
  })))
`

layer(InstalledOnNodes.layer, { excludeTestServices: true, timeout: 600_000 })("the packages", (it) => {
  for (const version of nodeVersions) {
    it.effect(`the program serves on Node ${version}, alone and with workers`, () =>
      Effect.gen(function*() {
        const { main, node } = yield* InstalledOnNodes
        const executable = node(version)
        assert.match(yield* sh(`'${executable}' --version`), new RegExp(`^v${version.replaceAll(".", "\\.")}\\b`))
        assert.strictEqual(yield* sh(`'${executable}' '${main}' --version`), `mcp-authorizer v${manifest.version}\n`)
        const upstream = yield* makeRecordingUpstream
        for (const workers of ["1", "2"]) {
          const gateway = yield* startGatewayProgram({
            node: executable,
            script: main,
            env: { ...staticSettings(upstream.origin), MCP_WORKERS: workers }
          })
          assert.strictEqual(yield* post(gateway.origin), 401)
          assert.strictEqual(yield* post(gateway.origin, "wrong"), 401)
          assert.strictEqual(yield* post(gateway.origin, "dev-token"), 200)
          yield* gateway.signal("SIGTERM")
          const { code, stderr } = yield* gateway.ended
          assert.deepStrictEqual({ code, stderr }, { code: 0, stderr: "" })
        }
      }))

    it.effect(`the library serves on Node ${version} with the newest Effect of its major version`, () =>
      Effect.gen(function*() {
        const { node, project } = yield* InstalledOnNodes
        const printed = yield* sh(`cd '${project}' && '${node(version)}' --input-type=module -e '${serveAndAsk}'`)
        // A good token passes, and nothing listens where the MCP server should be.
        assert.match(printed, /^saw 401 502$/m)
      }))

    it.effect(`the library's conformance suite runs on Node ${version}`, () =>
      Effect.gen(function*() {
        const { node, project } = yield* InstalledOnNodes
        const printed = yield* sh(`
        cd '${project}'
        env -u VITEST -u NODE_TEST_CONTEXT '${node(version)}' --test --test-reporter=tap conformance.js
      `)
        assert.match(printed, /^# pass [1-9][0-9]*\n# fail 0$/m)
        assert.match(printed, /ok \d+ - OPAQUE-01 /)
      }))
  }
})
