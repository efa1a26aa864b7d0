import * as Effect from "effect/Effect"
import { join } from "node:path"
import { root } from "../node/support/builtProgram.ts"
import { temporaryDirectory } from "../node/support/scratch.ts"
import { sh } from "../node/support/shell.ts"

/** The configuration of an image. */
export interface ImageConfig {
  readonly User: string
  readonly Env: ReadonlyArray<string>
  readonly Entrypoint: ReadonlyArray<string>
  readonly WorkingDir: string
  readonly ExposedPorts: Readonly<Record<string, unknown>>
  readonly Healthcheck: { readonly Test: ReadonlyArray<string> }
}

/**
 * The contents of a base image made from this machine: Node at the path of distroless, its libraries, and certificates.
 */
const runtimeBase = `
  mkdir -p $m/nodejs/bin $m/etc/ssl/certs $m/tmp $m/proc $m/dev
  cp "$(readlink -f "$(command -v node)")" $m/nodejs/bin/node
  ldd $m/nodejs/bin/node | grep -o '/[^ ]*' | while read -r file
  do mkdir -p "$m$(dirname "$file")" && cp -L "$file" "$m$file"
  done
  cp -L /etc/ssl/certs/ca-certificates.crt $m/etc/ssl/certs/
`

/** A base without files of its own: the build sees those of this machine, which it cannot change. */
const buildBase = `
  mkdir -p $m/tmp $m/usr $m/etc $m/root $m/proc $m/dev
  for name in bin sbin lib lib64; do if test -e /$name; then ln -s usr/$name $m/$name; fi; done
`

/**
 * The image that buildah builds by the Dockerfile, with bases that are made of this machine, because the machine reaches no
 * registry of images.
 *
 * Returns the folder with its files, and its configuration.
 */
export const buildImage = Effect.gen(function*() {
  const folder = yield* temporaryDirectory
  const buildah =
    `STORAGE_DRIVER=vfs BUILDAH_ISOLATION=chroot buildah --root '${folder}/root' --runroot '${folder}/run'`
  const base = (name: string, script: string) => `
    c=$(${buildah} from scratch) && m=$(${buildah} mount $c)
    ${script}
    ${buildah} umount $c > /dev/null && ${buildah} commit --quiet $c localhost/${name} > /dev/null
  `
  yield* Effect.addFinalizer(() => Effect.ignore(sh(`${buildah} rm --all; ${buildah} rmi --all --force`)))
  yield* sh(`
    ${base("build-base", buildBase)}
    ${base("runtime-base", runtimeBase)}
    cd '${root}'
    npmrc=$(npm config get userconfig)
    ${buildah} bud --quiet --pull-never --format docker --timestamp 1700000000 \
      --platform "linux/$(dpkg --print-architecture)" \
      --volume /usr:/usr:ro --volume /etc:/etc:ro $(test -e "$npmrc" && echo "--volume $npmrc:/root/.npmrc:ro") \
      --build-arg BUILD_IMAGE=localhost/build-base --build-arg RUNTIME_IMAGE=localhost/runtime-base \
      --build-arg SOURCE_DATE_EPOCH=1700000000 \
      --file src/deploy/Dockerfile --ignorefile src/deploy/Dockerfile.dockerignore \
      --tag localhost/mcp-authorizer . > '${folder}/log' 2>&1 || { tail -50 '${folder}/log'; exit 1; }
  `)
  const inspected = yield* sh(`${buildah} inspect --type image localhost/mcp-authorizer`)
  const config: ImageConfig = JSON.parse(inspected).Docker.config
  const files = yield* sh(`${buildah} mount "$(${buildah} from --pull-never localhost/mcp-authorizer)"`)
  return { config, files: files.trim() }
})

/**
 * The command that runs a program of the image as its user: nothing can be written, nothing of this machine is seen but its
 * network, and no capability is left.
 */
export const inContainer = (
  files: string,
  { Env, User, WorkingDir }: ImageConfig,
  variables: Readonly<Record<string, string>>,
  mounts: Readonly<Record<string, string>> = {}
): ReadonlyArray<string> => {
  const [user = "", group = ""] = User.split(":")
  const environment = [...Env.map((entry) => entry.split("=")), ...Object.entries(variables)]
  return [
    "--ro-bind",
    files,
    "/",
    "--proc",
    "/proc",
    "--dev",
    "/dev",
    ...Object.entries(mounts).flatMap(([place, from]) => ["--tmpfs", join(place, ".."), "--ro-bind", from, place]),
    "--unshare-user",
    "--uid",
    user,
    "--gid",
    group,
    "--unshare-pid",
    "--unshare-ipc",
    "--unshare-uts",
    "--die-with-parent",
    "--cap-drop",
    "ALL",
    "--chdir",
    WorkingDir,
    "--clearenv",
    ...environment.flatMap(([name = "", value = ""]) => ["--setenv", name, value])
  ]
}
