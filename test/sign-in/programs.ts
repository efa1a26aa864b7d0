/** The programs of others that the suite runs, each fetched from its registry once. */
import { execFile } from "node:child_process"
import { mkdir, rm, stat } from "node:fs/promises"
import { join } from "node:path"
import { env } from "node:process"
import { fileURLToPath } from "node:url"
import { promisify } from "node:util"

const cache = fileURLToPath(new URL("../../node_modules/.cache/sign-in", import.meta.url))

const run = async (command: string, ...args: ReadonlyArray<string>): Promise<void> => {
  await promisify(execFile)(command, args, { timeout: 600_000, env }).catch(
    (error: Error & { readonly stderr?: string }) => {
      throw new Error(`${command} failed: ${error.message}\n${error.stderr ?? ""}`, { cause: error })
    }
  )
}

/** A folder of the cache, which is filled once. */
const folder = async (name: string, fill: (path: string) => Promise<void>): Promise<string> => {
  const path = join(cache, name)
  const complete = join(path, "complete")
  if (await stat(complete).then(() => true, () => false)) return path
  await rm(path, { recursive: true, force: true })
  await mkdir(path, { recursive: true })
  await fill(path)
  await mkdir(complete)
  return path
}

const npmPackages = (name: string, ...packages: ReadonlyArray<string>): Promise<string> =>
  folder(
    name,
    (prefix) =>
      run("npm", "install", "--prefix", prefix, "--ignore-scripts", "--no-audit", "--no-fund", "--silent", ...packages)
  )

const nodeVersion = "22.23.5"

const inspectorVersion = "2.12.0"

const mcpRemoteVersion = "0.15.1"

/** The MCP Inspector, and the Node.js that it requires, which is newer than the oldest supported one. */
export const fetchInspector = async () => {
  const home = await npmPackages(
    `inspector-${inspectorVersion}`,
    `@modelcontextprotocol/inspector@${inspectorVersion}`,
    `node-linux-${process.arch}@${nodeVersion}`
  )
  const modules = join(home, "node_modules")
  return {
    node: join(modules, `node-linux-${process.arch}`, "bin", "node"),
    program: join(modules, "@modelcontextprotocol", "inspector", "clients", "launcher", "build", "index.js")
  }
}

/** `mcp-remote`, which clients that only start local servers use. */
export const fetchMcpRemote = async (): Promise<string> =>
  join(
    await npmPackages(`mcp-remote-${mcpRemoteVersion}`, `mcp-remote@${mcpRemoteVersion}`),
    "node_modules",
    "mcp-remote",
    "dist",
    "proxy.js"
  )

const sdkVersion = "2.3.0"

const fastmcpVersion = "4.2.3"

/** A Python with the official SDK and FastMCP. */
export const fetchPython = async (): Promise<string> => {
  const home = await folder(
    `python-${sdkVersion}-${fastmcpVersion}`,
    async (path) => {
      await run("python3", "-m", "venv", path)
      await run(join(path, "bin", "pip"), "install", "--quiet", `mcp==${sdkVersion}`, `fastmcp==${fastmcpVersion}`)
    }
  )
  return join(home, "bin", "python")
}

/** Fetches all of them before the tests, which may run at the same time. */
export default async (): Promise<void> => {
  await fetchInspector()
  await fetchMcpRemote()
  await fetchPython()
}
