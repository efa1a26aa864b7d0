/** Compares the files for containers, Kubernetes and systemd with the gateway. */
import { assert, describe, it } from "@effect/vitest"
import * as Result from "effect/Result"
import { readdirSync, readFileSync } from "node:fs"
import { join } from "node:path"
import { resolveService } from "../../src/config/resolve.ts"
import { settingNames, settings } from "../../src/config/settings.ts"
import { routes } from "../../src/http/routes.ts"
import { root } from "../node/support/builtProgram.ts"
import { manifest } from "../packaging/Installed.ts"

const folder = join(root, "src/deploy")

const read = (path: string): string => readFileSync(join(folder, path), "utf8")

const dockerfile = read("Dockerfile")
const compose = read("compose/compose.yaml")
const deployment = read("kubernetes/deployment.yaml")
const unit = read("systemd/mcp-authorizer.service")
const config = JSON.parse(read("kubernetes/gateway.json"))

const matchesOf = (pattern: RegExp, text: string): ReadonlyArray<string> =>
  Array.from(text.matchAll(pattern), ([, found = ""]) => found)

/** The values of all fields with this name. */
const numbers = (name: string, text: string): ReadonlyArray<number> =>
  matchesOf(new RegExp(`\\b${name}: (\\d+)$`, "gm"), text).map(Number)

const probes = (): ReadonlyArray<string> =>
  routes.filter(({ isProbe }) => isProbe).flatMap(({ paths }) =>
    paths({ path: "/mcp", publicUrl: undefined, providers: [], serverName: "" })
  )

const variableNames = new Set<string>([...settingNames, ...settingNames.map((name) => `${name}_FILE`)])

describe("the files for operators", () => {
  it.each([["the Dockerfile", dockerfile], ["compose", compose], ["the Deployment", deployment], ["the unit", unit]])(
    "%s names only settings that exist",
    (_, text) => {
      const named = matchesOf(/\b((?:MCP|AUTH)_[A-Z_]+)\b/g, text)
      assert.deepStrictEqual(named.filter((name) => !variableNames.has(name) && name !== "MCP_SESSION_KEY"), [])
    }
  )

  it("the settings of the base for Kubernetes are valid, with the secret from a file", () => {
    const path = "/run/secrets/mcp-authorizer/session_key"
    assert.include(deployment, `value: ${path}\n`)
    const resolved = resolveService({
      variables: { MCP_SESSION_KEY_FILE: path, MCP_CONFIG_WATCH: "true", HOST: "0.0.0.0" },
      document: config,
      files: { [path]: { text: "k".repeat(32) } }
    })
    assert.isTrue(Result.isSuccess(resolved))
  })

  it("containers listen on the port of the settings, and all files agree on it", () => {
    const port = settings.PORT.default
    assert.match(dockerfile, new RegExp(`HOST=0\\.0\\.0\\.0 PORT=${port}$`, "m"))
    assert.match(dockerfile, new RegExp(`^EXPOSE ${port}$`, "m"))
    assert.deepStrictEqual(numbers("containerPort", deployment), [Number(port)])
    assert.include(compose, `- 127.0.0.1:3000:${port}\n`)
    assert.include(numbers("port", read("kubernetes/networkpolicy.yaml")), Number(port))
  })

  it("probes ask for paths of the table of routes", () => {
    const asked = matchesOf(/^ +path: (\/\S*)$/gm, deployment)
    assert.deepStrictEqual(asked, ["/healthz", "/healthz", "/readyz"])
    assert.includeMembers([...probes()], [...asked])
    assert.match(dockerfile, /CMD \["\/nodejs\/bin\/node", "\/app\/main\.js", "healthcheck"\]/)
  })

  it("nothing runs as root, the user is the same everywhere, and files are read-only", () => {
    assert.match(dockerfile, /^USER 65532:65532$/m)
    assert.deepStrictEqual(numbers("runAsUser", deployment), [65_532])
    assert.deepStrictEqual(numbers("runAsGroup", deployment), [65_532])
    for (const line of ["runAsNonRoot: true", "readOnlyRootFilesystem: true", "allowPrivilegeEscalation: false"]) {
      assert.include(deployment, line)
    }
    assert.match(unit, /^DynamicUser=yes$/m)
    assert.match(compose, /^ {4}read_only: true$/m)
  })

  it("the gateway has the time that it takes to stop", () => {
    const [grace = 0] = numbers("terminationGracePeriodSeconds", deployment)
    const [, timeout = ""] = /MCP_SHUTDOWN_TIMEOUT\n +value: "(\d+)"/.exec(deployment) ?? []
    const [pause = 0] = numbers("seconds", deployment)
    assert.isAbove(pause, 0)
    assert.isAtLeast(grace, pause + Number(timeout) + 5)
    const [, composed = ""] = /MCP_SHUTDOWN_TIMEOUT: "(\d+)"/.exec(compose) ?? []
    const [, stops = ""] = /stop_grace_period: (\d+)s/.exec(compose) ?? []
    assert.isAtLeast(Number(stops), Number(composed) + 5)
    const [, unitStops = ""] = /^TimeoutStopSec=(\d+)s$/m.exec(unit) ?? []
    assert.isAtLeast(Number(unitStops), Number(settings.MCP_SHUTDOWN_TIMEOUT.default) + 5)
  })

  it("the policies let the gateway reach the MCP server of its settings, and no one else", () => {
    const [own = "", other = ""] = read("kubernetes/networkpolicy.yaml").split("\n---\n")
    const { hostname, port } = new URL(config.server_url)
    assert.include(own, `app: ${hostname}\n`)
    assert.deepStrictEqual(numbers("port", own), [Number(port)])
    assert.deepStrictEqual(matchesOf(/- (podSelector|namespaceSelector|ipBlock):/g, own), ["podSelector"])
    assert.match(own, /from:\n +- podSelector:\n +matchLabels:\n +app\.kubernetes\.io\/name: mcp-authorizer\n/)
    assert.include(numbers("port", other), Number(port))
    assert.include(other, "- 169.254.0.0/16\n")
  })

  it("the route, the realm and the settings agree on the URLs of clients", () => {
    assert.include(read("kubernetes/httproute.yaml"), `- ${new URL(config.public_url).hostname}\n`)
    const realm = JSON.parse(read("compose/realm.json"))
    const [, publicUrl = ""] = /MCP_PUBLIC_URL: (\S+)/.exec(compose) ?? []
    const [mapper] = realm.clients[0].protocolMappers
    assert.strictEqual(mapper.config["included.custom.audience"], `${publicUrl}/mcp`)
    const [, issuer = ""] = /MCP_JWT_ISSUER: (\S+)/.exec(compose) ?? []
    const [, hostname = ""] = /KC_HOSTNAME: (\S+)/.exec(compose) ?? []
    assert.strictEqual(issuer, `${hostname}/realms/${realm.realm}`)
  })

  it("every resource of the base is built, and the image is this version's", () => {
    const kustomization = read("kubernetes/kustomization.yaml")
    const named = matchesOf(/^ {2}- ([\w-]+\.yaml)$/gm, kustomization)
    const there = readdirSync(join(folder, "kubernetes")).filter((name) => /^(?!kustomization).*\.yaml$/.test(name))
    assert.sameMembers([...named], there)
    assert.include(kustomization, `newTag: ${manifest.version}\n`)
    assert.include(kustomization, "disableNameSuffixHash: true\n")
  })

  it("the image is built from what it needs, and holds the program alone", () => {
    const [build = "", final = ""] = dockerfile.split("\nFROM ${RUNTIME_IMAGE}\n")
    assert.notMatch(final, /^(?:RUN|ADD)\b/m)
    assert.deepStrictEqual(matchesOf(/^COPY (.*)$/gm, final), ["--from=build /src/dist/program /app"])
    const ignored = read("Dockerfile.dockerignore")
    assert.match(ignored, /^\*$/m)
    for (const path of matchesOf(/^COPY (.*) \S+$/gm, build).flatMap((paths) => paths.split(" "))) {
      assert.include(ignored.split("\n"), `!${path}`)
    }
  })
})
