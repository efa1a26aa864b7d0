/** The files for containers, Kubernetes and systemd, by the tools that read them, and the image at work. */
import { assert, layer } from "@effect/vitest"
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import { execFile } from "node:child_process"
import { readFileSync } from "node:fs"
import { chmod, readFile, writeFile } from "node:fs/promises"
import { join } from "node:path"
import { freePort } from "../../src/node/freePort.ts"
import { toolCall } from "../fixtures/messages.ts"
import { root } from "../node/support/builtProgram.ts"
import { staticSettings } from "../node/support/GatewayProgram.ts"
import { startProgram } from "../node/support/Program.ts"
import { temporaryDirectory } from "../node/support/scratch.ts"
import { sh } from "../node/support/shell.ts"
import { makeRecordingUpstream } from "../support/RecordingUpstream.ts"
import { buildImage, inContainer } from "./Image.ts"
import { type Tools as FoundTools, tools } from "./tools.ts"

const folder = join(root, "src/deploy")

class Tools extends Context.Service<Tools, FoundTools>()("mcp-authorizer/test/deploy/Tools") {
  static readonly layer = Layer.effect(Tools, tools)
}

const linesOf = (text: string): ReadonlyArray<string> => text.split("\n").filter((line) => line !== "")

/** A copy of a file in which a mistake was made. */
const withMistake = Effect.fnUntraced(function*(text: string, right: string, wrong: string) {
  assert.include(text, right)
  const path = join(yield* temporaryDirectory, "mistaken")
  yield* Effect.promise(() => writeFile(path, text.replace(right, wrong)))
  return path
})

layer(Tools.layer, { excludeTestServices: true, timeout: 900_000 })("the files", (it) => {
  it.effect("hadolint has nothing to say of the Dockerfile", () =>
    Effect.gen(function*() {
      const { hadolint } = yield* Tools
      assert.strictEqual(yield* sh(`${hadolint} '${folder}/Dockerfile'`), "")
      const mistaken = yield* withMistake(
        readFileSync(join(folder, "Dockerfile"), "utf8"),
        "COPY src src",
        "RUN cd /tmp && apt-get install nginx"
      )
      assert.match(yield* sh(`${hadolint} '${mistaken}' || true`), /DL3003[^]*DL3008/)
    }))

  it.effect("the base for Kubernetes is built, and valid for the newest Kubernetes and for the oldest that has all of it", () =>
    Effect.gen(function*() {
      const { gatewayApi, kustomize, validate } = yield* Tools
      const path = join(yield* temporaryDirectory, "built.yaml")
      yield* sh(`${kustomize} build '${folder}/kubernetes' > '${path}'`)
      const kinds = [
        "ConfigMap",
        "Deployment",
        "HorizontalPodAutoscaler",
        "NetworkPolicy",
        "NetworkPolicy",
        "PodDisruptionBudget",
        "Service",
        "ServiceAccount"
      ]
      for (const version of ["1.37", "1.30"]) {
        assert.sameMembers(
          [...linesOf(yield* sh(`${validate} kubernetes ${version} '${path}'`))],
          [...kinds.map((kind) => `valid ${kind}`), "unknown HTTPRoute"]
        )
      }
      assert.strictEqual(yield* sh(`${validate} crds '${gatewayApi}' '${path}'`), "valid HTTPRoute\n")
      const text = yield* Effect.promise(() => readFile(path, "utf8"))
      const pod = yield* withMistake(text, "runAsNonRoot", "runAsNonroot")
      assert.match(yield* sh(`${validate} kubernetes 1.37 '${pod}'`), /^invalid Deployment: .*runAsNonroot/m)
      const route = yield* withMistake(text, "parentRefs", "parentRef")
      assert.match(yield* sh(`${validate} crds '${gatewayApi}' '${route}'`), /^invalid HTTPRoute: .*parentRef/m)
    }))

  it.effect("no policy or selector was changed by what kustomize adds", () =>
    Effect.gen(function*() {
      const { kustomize } = yield* Tools
      const built = yield* sh(`${kustomize} build '${folder}/kubernetes'`)
      // A label more in one of them, and a policy would select nothing.
      const selected = Array.from(
        built.matchAll(/^( *)matchLabels:\n((?:\1 +.*\n)+)/gm),
        ([, , labels = ""]) => labels.trim().split(/\n */)
      )
      assert.isAbove(selected.length, 6)
      for (const labels of selected) assert.lengthOf(labels, 1)
      assert.notInclude(built, "replicas:")
    }))

  it.effect("compose.yaml is what the specification of Compose allows", () =>
    Effect.gen(function*() {
      const { composeSchema, validate } = yield* Tools
      const path = join(folder, "compose/compose.yaml")
      assert.strictEqual(yield* sh(`${validate} schema '${composeSchema}' '${path}'`), "valid compose.yaml\n")
      const mistaken = yield* withMistake(readFileSync(path, "utf8"), "read_only:", "readonly:")
      assert.match(yield* sh(`${validate} schema '${composeSchema}' '${mistaken}'`), /^invalid .*readonly/)
    }))

  it.effect("systemd accepts the unit, and finds little that it could do beyond its task", () =>
    Effect.gen(function*() {
      const unit = join(folder, "systemd/mcp-authorizer.service")
      const text = yield* sh(`systemd-analyze security --offline=true '${unit}'`)
      const [, exposure = ""] = /Overall exposure level for \S+: (\d+\.\d)/.exec(text) ?? []
      assert.isAtMost(Number(exposure), 1.5)
      // The same unit where the program is installed.
      const path = join(yield* temporaryDirectory, "mcp-authorizer.service")
      const verify = (text: string) =>
        Effect.andThen(
          Effect.promise(() => writeFile(path, text)),
          sh(`systemd-analyze verify '${path}' 2>&1 || echo "exit $?"`)
        )
      const installed = readFileSync(unit, "utf8").replace("/usr/bin/mcp-authorizer", process.execPath)
      assert.strictEqual(yield* verify(installed), "")
      assert.match(yield* verify(installed.replace("ProtectClock", "ProtectClocks")), /Unknown key.*ProtectClocks/)
    }))

  it.effect("the image holds the program, and runs as its user where nothing can be written", () =>
    Effect.gen(function*() {
      const { config, files } = yield* buildImage
      assert.strictEqual(config.User, "65532:65532")
      assert.deepStrictEqual(Object.keys(config.ExposedPorts), ["3000/tcp"])
      const found = yield* sh(`cd '${files}/app' && find . -type f | sort && find . ! -user root`)
      assert.sameMembers([...linesOf(found)], [
        "./LICENSE",
        "./LICENSES.txt",
        "./README.md",
        "./main.js",
        "./node/cli.js",
        "./node/redisClient.js",
        "./node/service.js",
        "./package.json",
        "./sbom.cdx.json"
      ])
      assert.strictEqual(yield* sh(`find '${files}' -name 'npm*' -o -name node_modules -o -name sh`), "")
      // All files have the requested time.
      assert.strictEqual(
        yield* sh(`find '${files}/app' -type f -printf '%T@\\n' | cut -d. -f1 | sort -u`),
        "1700000000\n"
      )
      assert.include(readFileSync(join(files, "app/sbom.cdx.json"), "utf8"), "2023-11-14T22:13:20.000Z")

      const upstream = yield* makeRecordingUpstream
      const port = String(yield* freePort(0))
      const key = join(yield* temporaryDirectory, "session_key")
      yield* Effect.promise(() => writeFile(key, `${"0123456789abcdef".repeat(4)}\n`))
      yield* Effect.promise(() => chmod(key, 0o644))
      const variables = {
        ...staticSettings(upstream.origin),
        HOST: "127.0.0.1",
        PORT: port,
        MCP_SESSION_KEY_FILE: "/tmp/session_key",
        MCP_WORKERS: "2"
      }
      const command = inContainer(files, config, variables, { "/tmp/session_key": key })
      const [program = "", ...args] = ["bwrap", ...command, ...config.Entrypoint]
      const script = join(yield* temporaryDirectory, "run.mjs")
      yield* Effect.promise(() =>
        writeFile(
          script,
          `import { spawn } from "node:child_process"
          const child = spawn(${JSON.stringify(program)}, ${JSON.stringify(args)}, { stdio: "inherit" })
          process.on("SIGTERM", () => child.kill("SIGTERM"))
          child.on("exit", (code, signal) => process.exit(code ?? (signal === null ? 1 : 143)))`
        )
      )
      const gateway = yield* startProgram({ script })
      yield* gateway.awaitOutput(/"message":"listening"/)
      const status = (token?: string) =>
        Effect.promise(async () => {
          const response = await fetch(`http://127.0.0.1:${port}/mcp`, {
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
      assert.strictEqual(yield* status(), 401)
      assert.strictEqual(yield* status("dev-token"), 200)

      const [, ...healthcheck] = config.Healthcheck.Test
      const check = (port: string) =>
        Effect.callback<number>((resume) => {
          const args = [...inContainer(files, config, { HOST: "127.0.0.1", PORT: port }), ...healthcheck]
          execFile("bwrap", args, (error) => resume(Effect.succeed(error === null ? 0 : Number(error.code))))
        })
      assert.strictEqual(yield* check(port), 0)
      assert.strictEqual(yield* check(String(yield* freePort(0))), 1)
      const touch = ["/nodejs/bin/node", "-e", "require('fs').writeFileSync('/app/main.js', '')"]
      const written = yield* Effect.callback<string>((resume) => {
        execFile(
          "bwrap",
          [...inContainer(files, config, {}), ...touch],
          (_error, _stdout, stderr) => resume(Effect.succeed(stderr))
        )
      })
      assert.match(written, /EROFS|EACCES/)
      yield* gateway.signal("SIGTERM")
      yield* gateway.ended
    }))
})
