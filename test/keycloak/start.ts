/** Runs one Keycloak for all files of the suite, which find it by `inject("keycloak")`. */
import { spawn } from "node:child_process"
import { randomUUID } from "node:crypto"
import { join } from "node:path"
import { env } from "node:process"
import type { TestProject } from "vitest/node"
import { distribution } from "./distribution.ts"

/** The URL of Keycloak, and the client that may configure it. */
export interface RunningKeycloak {
  /** `http://127.0.0.1:<port>`, without a slash. */
  readonly origin: string
  readonly adminId: string
  readonly adminSecret: string
}

declare module "vitest" {
  interface ProvidedContext {
    readonly keycloak: RunningKeycloak
  }
}

const timeoutMillis = 300_000

const listening = /Listening on: (http:\/\/127\.0\.0\.1:\d+)/

/** Kills the process group on request, or when this process ends in any way, because then its standard input ends. */
const guard = (group: number) =>
  spawn("sh", ["-c", `cat > /dev/null; kill -KILL -${group}`], {
    detached: true,
    stdio: ["pipe", "ignore", "ignore"]
  })

export default async (project: TestProject): Promise<() => Promise<void>> => {
  const home = await distribution()
  const admin = { adminId: "suite", adminSecret: randomUUID() }
  const keycloak = spawn(
    join(home, "bin", "kc.sh"),
    [
      "start",
      "--optimized",
      "--cache=local",
      "--http-enabled=true",
      "--http-host=127.0.0.1",
      "--http-port=0",
      "--hostname-strict=false"
    ],
    {
      // A process group of its own, because a shell script starts the virtual machine.
      detached: true,
      stdio: ["ignore", "pipe", "pipe"],
      env: {
        PATH: env["PATH"],
        JAVA_HOME: env["JAVA_HOME"],
        KC_BOOTSTRAP_ADMIN_CLIENT_ID: admin.adminId,
        KC_BOOTSTRAP_ADMIN_CLIENT_SECRET: admin.adminSecret,
        // It lives for minutes: compiling thoroughly does not pay.
        JAVA_OPTS_APPEND: "-Xmx512m -XX:TieredStopAtLevel=1"
      }
    }
  )
  const ended = new Promise<void>((resolve) => keycloak.once("close", () => resolve()))
  const watch = guard(keycloak.pid ?? 0)
  const stop = async () => {
    watch.stdin.end()
    await ended
  }

  let output = ""
  const origin = await new Promise<string | undefined>((resolve) => {
    const timer = setTimeout(() => resolve(undefined), timeoutMillis)
    const look = (chunk: Buffer) => {
      output += chunk.toString("utf8")
      const [, found] = listening.exec(output) ?? []
      if (found !== undefined) resolve(found)
    }
    keycloak.stdout.on("data", look)
    keycloak.stderr.on("data", look)
    void ended.then(() => resolve(undefined))
    void ended.finally(() => clearTimeout(timer))
  })
  if (origin === undefined) {
    await stop()
    throw new Error(`Keycloak does not listen:\n${output}`)
  }
  project.provide("keycloak", { origin, ...admin })
  return stop
}
