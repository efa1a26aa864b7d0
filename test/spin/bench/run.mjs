/**
 * The cost of the component, as ratios within one run: RS256 against the engine's own, a warm request against a
 * component that only forwards, and the size of the file. The times of a busy machine mean nothing by themselves.
 */
import { fork } from "node:child_process"
import { generateKeyPairSync, sign } from "node:crypto"
import { once } from "node:events"
import { mkdtemp, rm } from "node:fs/promises"
import { createServer } from "node:http"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { fileURLToPath } from "node:url"
import { buildComponent } from "../../../src/build/spin/buildComponent.mjs"
import { makeRunnable } from "../support/makeRunnable.mjs"

const here = (path) => fileURLToPath(new URL(path, import.meta.url))

const scratch = await mkdtemp(join(tmpdir(), "mcp-authorizer-bench-"))

/** Builds a component and makes it runnable. */
const prepare = async (name, entry) => {
  const directory = join(scratch, name)
  const output = join(directory, "component.wasm")
  const size = await buildComponent(here(entry), output)
  await makeRunnable(output, directory)
  return { directory, size }
}

/** Runs a component while `use` sends requests to it. */
const run = async ({ directory }, variables, use) => {
  const child = fork(here("../support/host.mjs"), [directory], { stdio: ["ignore", "ignore", "inherit", "ipc"] })
  const [{ port }] = await once(child, "message")
  child.send({ variables, store: "granted" })
  await once(child, "message")
  const result = await use(`http://127.0.0.1:${port}`)
  child.kill()
  await once(child, "exit")
  return result
}

const post = async (url, body, headers = {}) => {
  const reply = await fetch(url, { method: "POST", body, headers: { "content-type": "application/json", ...headers } })
  const text = await reply.text()
  if (reply.status !== 200) throw new Error(`${reply.status} ${text}`)
  return text
}

const { privateKey, publicKey } = generateKeyPairSync("rsa", { modulusLength: 2048 })
const jwk = publicKey.export({ format: "jwk" })

const upstream = createServer((request, response) => {
  request.resume()
  response.setHeader("content-type", "application/json")
  response.end(request.url === "/jwks" ? JSON.stringify({ keys: [{ ...jwk, kid: "a", alg: "RS256" }] }) : "{}")
}).listen(0, "127.0.0.1")
await once(upstream, "listening")
const origin = `http://127.0.0.1:${upstream.address().port}`

const encoded = (value) => Buffer.from(JSON.stringify(value)).toString("base64url")
const input = `${encoded({ alg: "RS256", kid: "a" })}.${encoded({ iss: origin, sub: "user", exp: 4_102_444_800 })}`
const signature = sign("sha256", Buffer.from(input), privateKey)

const ping = `{"jsonrpc":"2.0","method":"ping","id":1}`
const requests = 60

const median = (times) => times.toSorted((a, b) => a - b)[times.length >> 1]

/**
 * The medians of many requests, in milliseconds, each in an instance of its own: one to each URL in turn, so that what else
 * the machine does falls on all alike. Before that as many that do not count, in which the host compiles.
 */
const medians = async (...questions) => {
  const times = questions.map(() => [])
  for (let count = -requests; count < requests; count++) {
    for (const [index, [url, headers]] of questions.entries()) {
      const begun = performance.now()
      await post(url, ping, headers)
      if (count >= 0) times[index].push(performance.now() - begun)
    }
  }
  return times.map(median)
}

const say = (line) => process.stdout.write(`${line}\n`)

const verification = await prepare("verification", "verification.ts")
const question = JSON.stringify({ jwk, message: [...Buffer.from(input)], signature: [...signature] })
const { engine, own } = JSON.parse(await run(verification, {}, (url) => post(url, question)))
say(`RS256, key and signature: engine ${engine.toFixed(1)} ms, ours ${own.toFixed(1)} ms: ${(engine / own).toFixed(1)} times as fast`)

const forwardOnly = await prepare("forward-only", "forwardOnly.js")
const gateway = await prepare("gateway", "../../../src/spin/component.ts")
const variables = {
  mcp_gateway_url: origin,
  mcp_jwt_issuer: origin,
  mcp_jwt_jwks_uri: `${origin}/jwks`,
  mcp_log_level: "none"
}
const authorization = `Bearer ${input}.${signature.toString("base64url")}`
const [bare, warm] = await run(
  forwardOnly,
  {},
  (forwarding) =>
    run(gateway, variables, (url) =>
      medians([`${forwarding}/?to=${encodeURIComponent(origin)}`], [`${url}/mcp`, { authorization }]))
)
say(`Warm request: forwarding alone ${bare.toFixed(1)} ms, gateway ${warm.toFixed(1)} ms: ${(warm / bare).toFixed(1)} times as long`)
say(`Component: ${(gateway.size / 2 ** 20).toFixed(1)} MiB`)

upstream.close()
upstream.closeAllConnections()
await rm(scratch, { recursive: true })
