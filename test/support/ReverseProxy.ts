/** The reverse proxies of this machine, with the configurations of this project. They stop with their scope. */
import * as Effect from "effect/Effect"
import type * as Scope from "effect/Scope"
import { type ChildProcess, spawn } from "node:child_process"
import { once } from "node:events"
import { chmod, mkdtemp, readFile, rm, writeFile } from "node:fs/promises"
import { createConnection } from "node:net"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { env } from "node:process"

/** The ports that replace those in a configuration. */
export interface ProxyPorts {
  /** Replaces 8000. */
  readonly proxy: number
  /** Replaces 3000. */
  readonly gateway: number
  /** Replaces 8080. */
  readonly server: number
}

/** A folder of `src/deploy` with configurations. */
export type ProxyFolder = "forward-auth" | "in-front"

/** How to start a proxy. */
export interface ProxyOptions {
  /** Default: `forward-auth`. */
  readonly folder?: ProxyFolder
  /** The folder with `cert.pem` and `key.pem`, which replaces `/etc/ssl/mcp`. */
  readonly tls?: string
}

export type ProxyName = "nginx" | "caddy"

const configured = async (
  name: string,
  { gateway, proxy, server }: ProxyPorts,
  { folder = "forward-auth", tls = "/etc/ssl/mcp" }: ProxyOptions
): Promise<string> =>
  (await readFile(new URL(`../../src/deploy/${folder}/${name}`, import.meta.url), "utf8"))
    .replaceAll(":8000", `:${proxy}`).replaceAll(":3000", `:${gateway}`).replaceAll(":8080", `:${server}`)
    .replaceAll("/etc/ssl/mcp", tls)

/** nginx needs a main configuration around the http block, and paths for temporary files. */
const nginxMain = (directory: string): string => `
daemon off;
worker_processes 1;
pid ${directory}/nginx.pid;
error_log stderr warn;
events {}
http {
  access_log off;
  client_body_temp_path ${directory}/body;
  proxy_temp_path ${directory}/proxy;
  fastcgi_temp_path ${directory}/fastcgi;
  uwsgi_temp_path ${directory}/uwsgi;
  scgi_temp_path ${directory}/scgi;
  include ${directory}/mcp.conf;
}
`

const prepare = async (
  name: ProxyName,
  directory: string,
  ports: ProxyPorts,
  options: ProxyOptions
): Promise<ReadonlyArray<string>> => {
  if (name === "caddy") {
    await writeFile(join(directory, "Caddyfile"), await configured("Caddyfile", ports, options))
    return ["run", "--config", join(directory, "Caddyfile"), "--adapter", "caddyfile"]
  }
  await writeFile(join(directory, "mcp.conf"), await configured("nginx.conf", ports, options))
  await writeFile(join(directory, "nginx.conf"), nginxMain(directory))
  return ["-c", join(directory, "nginx.conf"), "-p", directory]
}

const accepts = (port: number) =>
  new Promise<boolean>((resolve) => {
    const socket = createConnection({ host: "127.0.0.1", port })
    socket.once("connect", () => {
      socket.destroy()
      resolve(true)
    })
    socket.once("error", () => resolve(false))
  })

const launch = async (
  name: ProxyName,
  directory: string,
  ports: ProxyPorts,
  options: ProxyOptions
): Promise<ChildProcess> => {
  const proxy = spawn(name, await prepare(name, directory, ports, options), {
    stdio: ["ignore", "ignore", "pipe"],
    env: { PATH: env["PATH"], HOME: directory }
  })
  let said = ""
  let failure: Error | undefined
  proxy.stderr.on("data", (chunk: Buffer) => said += chunk.toString())
  proxy.once("error", (cause) => {
    failure = new Error(`${name} cannot be started: apt-get install ${name}`, { cause })
  })
  proxy.once("exit", (code) => {
    failure ??= new Error(`${name} has ended with ${code}: ${said}`)
  })
  while (!(await accepts(ports.proxy))) {
    if (failure !== undefined) throw failure
    await new Promise((resolve) => setTimeout(resolve, 20))
  }
  return proxy
}

/** Starts a proxy with its file from a folder of `src/deploy`. */
export const startProxy = (
  name: ProxyName,
  ports: ProxyPorts,
  options: ProxyOptions = {}
): Effect.Effect<void, never, Scope.Scope> =>
  Effect.asVoid(Effect.acquireRelease(
    Effect.promise(async () => {
      const directory = await mkdtemp(join(tmpdir(), `${name}-`))
      // nginx workers run as another user.
      await chmod(directory, 0o755)
      return { directory, proxy: await launch(name, directory, ports, options) }
    }),
    ({ directory, proxy }) =>
      Effect.promise(async () => {
        const ended = once(proxy, "exit")
        // Caddy waits for streams to end unless it is killed. nginx must end its workers itself.
        if (proxy.kill(name === "caddy" ? "SIGKILL" : "SIGTERM")) await ended
        await rm(directory, { recursive: true, force: true })
      })
  ))
