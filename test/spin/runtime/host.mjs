/**
 * Runs the component in Spin for the tests that `../support/host.mjs` serves elsewhere, and is told what that is told.
 *
 * `node host.mjs <component> <port> <port for Redis>`. The key-value store is in a Redis server of its own, so that tests can look
 * into it: with `store: "failing"` it is stopped. The manifest declares the variables that are told, and no others.
 */
import { createClient } from "@redis/client"
import { spawn } from "node:child_process"
import { once } from "node:events"
import { mkdtempSync, rmSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { aged } from "../support/aged.mjs"
import { up } from "./spin.mjs"

const [component, port, redisPort] = process.argv.slice(2)
const directory = mkdtempSync(join(tmpdir(), "mcp-authorizer-spin-"))
const redisUrl = `redis://127.0.0.1:${redisPort}`

const toml = (value) => JSON.stringify(value)

const manifest = ({ outboundHosts, store, variables }) => `spin_manifest_version = 2

[application]
name = "mcp-authorizer-test"
version = "0.1.0"

[variables]
${Object.keys(variables).map((name) => `${name} = { default = "" }`).join("\n")}

[[trigger.http]]
route = "/..."
component = "mcp-authorizer"

[component.mcp-authorizer]
source = ${toml(component)}
allowed_outbound_hosts = ${toml(outboundHosts)}
key_value_stores = ${toml(store === "denied" ? [] : ["default"])}

[component.mcp-authorizer.variables]
${Object.keys(variables).map((name) => `${name} = "{{ ${name} }}"`).join("\n")}
`

writeFileSync(join(directory, "runtime-config.toml"), `[key_value_store.default]\ntype = "redis"\nurl = ${toml(redisUrl)}\n`)

let redis
const startRedis = async () => {
  const words = ["--port", redisPort, "--bind", "127.0.0.1", "--save", "", "--appendonly", "no", "--dir", directory]
  redis = spawn("redis-server", words, { stdio: ["ignore", "pipe", "inherit"] })
  let said = ""
  await new Promise((resolve, reject) => {
    redis.once("error", (cause) =>
      reject(new Error("redis-server cannot be started: apt-get install redis-server", { cause })))
    redis.stdout.on("data", (text) => {
      said += text
      if (said.includes("Ready to accept connections")) resolve()
    })
  })
}
const stopRedis = async () => {
  if (redis === undefined) return
  const exit = once(redis, "exit")
  redis.kill("SIGKILL")
  await exit
  redis = undefined
}

/** Does something with the store itself. */
const inStore = async (use) => {
  const client = await createClient({ url: redisUrl }).on("error", () => {}).connect()
  try {
    return await use(client)
  } finally {
    client.destroy()
  }
}

let running
let manner = { outboundHosts: ["*://*:*"], store: "granted", variables: {} }

const restart = async () => {
  await running?.stop()
  const path = join(directory, "spin.toml")
  writeFileSync(path, manifest(manner))
  running = await up({
    args: ["-f", path, "--runtime-config-file", join(directory, "runtime-config.toml"), "--log-dir", ""],
    cwd: directory,
    port,
    variables: manner.variables,
    onOutput: (text) => process.stderr.write(text)
  })
}

const reply = async (told) => {
  if (told.list) return { names: await inStore((client) => client.keys("*")) }
  if (told.age !== undefined) {
    await inStore(async (client) => {
      for (const name of await client.keys("*")) {
        const value = Buffer.from(await client.get(name))
        await client.set(name, Buffer.from(aged(name, value, told.age)))
      }
    })
    return { ready: true }
  }
  if (told.store === undefined) {
    manner = { ...manner, variables: told.variables }
  } else {
    manner = { outboundHosts: ["*://*:*"], ...told }
    await stopRedis()
    if (manner.store !== "failing") await startRedis()
  }
  await restart()
  return { ready: true }
}

const end = async (code) => {
  await running?.stop()
  await stopRedis()
  rmSync(directory, { recursive: true, force: true })
  process.exit(code)
}

process.on("message", async (told) => {
  try {
    process.send(await reply(told))
  } catch (error) {
    process.stderr.write(`${error.stack}\n`)
    await end(1)
  }
})
process.on("disconnect", () => end(0))
process.on("SIGTERM", () => end(0))
process.send({ port: Number(port) })
