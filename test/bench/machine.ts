/** The properties of this machine: cores, tools, and the versions that a result must name. */
import { execFile, spawnSync } from "node:child_process"
import { accessSync, constants, readFileSync } from "node:fs"
import { availableParallelism, cpus, totalmem } from "node:os"
import { join } from "node:path"
import { env } from "node:process"

const directories = [...(env["PATH"] ?? "").split(":"), "/usr/local/sbin", "/usr/sbin", "/sbin"]

const find = (name: string): string | undefined =>
  directories.map((directory) => join(directory, name)).find((path) => {
    try {
      accessSync(path, constants.X_OK)
      return true
    } catch {
      return false
    }
  })

/** Programs of the system; `undefined` if one is not installed. A variable can name one that is not on the `PATH`. */
export const tools = {
  wrk: find("wrk"),
  nginx: find("nginx"),
  haproxy: find("haproxy"),
  oauth2Proxy: env["BENCH_OAUTH2_PROXY"] ?? find("oauth2-proxy"),
  taskset: find("taskset"),
  setpriv: find("setpriv")
}

const fastmcpVersion = (python: string | undefined): string | undefined => {
  if (python === undefined) return undefined
  const program = "from importlib.metadata import version; print(version('fastmcp'))"
  const { status, stdout } = spawnSync(python, ["-c", program], { encoding: "utf8" })
  return status === 0 ? stdout.trim() : undefined
}

/** A Python that has FastMCP; `undefined` if it is missing. */
export const findFastmcp = (): { readonly python: string; readonly version: string } | undefined => {
  const python = env["BENCH_FASTMCP_PYTHON"] ?? find("python3")
  const version = fastmcpVersion(python)
  return python === undefined || version === undefined ? undefined : { python, version }
}

/** The cores that a process may use; `undefined` leaves that to the system. */
export type Cores = ReadonlyArray<number> | undefined

const cores = availableParallelism()

/**
 * The cores of the processes: the server under test has a core for itself, including all its threads; the load
 * generator and the MCP server share the rest.
 */
export const placement: {
  readonly server: Cores
  readonly twoServers: Cores
  readonly load: Cores
  readonly upstream: Cores
} = tools.taskset === undefined || cores < 2
  ? { server: undefined, twoServers: undefined, load: undefined, upstream: undefined }
  : {
    server: [cores - 1],
    twoServers: cores < 3 ? undefined : [cores - 2, cores - 1],
    load: [0],
    upstream: cores < 4 ? [0] : [1]
  }

const firstLine = (file: string | undefined, ...args: ReadonlyArray<string>): Promise<string> =>
  new Promise((resolve) => {
    if (file === undefined) return resolve("not installed")
    // Some of them print their version on standard error, or leave with a code, and all are content with that.
    execFile(file, args, (_error, stdout, stderr) => resolve(`${stdout}${stderr}`.trim().split("\n")[0] ?? ""))
  })

const packageVersion = (name: string): string => {
  // `version` is what npm itself requires of a package.
  const { version } = JSON.parse(readFileSync(join("node_modules", name, "package.json"), "utf8")) as {
    readonly version: string
  }
  return version
}

const describePlacement = ({ load, server, upstream }: typeof placement): string =>
  server === undefined
    ? "nothing is pinned"
    : `server under test on core ${server.join()}, load on ${load?.join()}, MCP server on ${upstream?.join()}`

/** One line for each fact, to compare results. */
export const describeMachine = async (): Promise<Readonly<Record<string, string>>> => ({
  cpu: cpus()[0]?.model ?? "unknown",
  cores: `${cores}; ${describePlacement(placement)}`,
  memory: `${Math.round(totalmem() / 2 ** 30)} GiB`,
  node: process.version,
  wrk: await firstLine(tools.wrk, "-v"),
  nginx: await firstLine(tools.nginx, "-v"),
  haproxy: await firstLine(tools.haproxy, "-v"),
  "oauth2-proxy": await firstLine(tools.oauth2Proxy, "--version"),
  fastmcp: findFastmcp()?.version ?? "not installed",
  packages: ["undici", "jose", "effect", "express", "http-proxy-middleware", "@modelcontextprotocol/sdk", "autocannon"]
    .map((name) => `${name} ${packageVersion(name)}`).join(", ")
})
