/**
 * What a request costs the process that serves the component: `node test/spin/bench/wasmtime.mjs NAME=COMPONENT …`.
 *
 * Each component, built with `--wasmtime`, runs under `wasmtime serve`, which has to be on the PATH; all of them in the same
 * run, in turns. Processor time and page faults are those of the process, so they depend little on what else the machine does.
 */
import { spawn, spawnSync } from "node:child_process"
import { generateKeyPairSync, sign } from "node:crypto"
import { once } from "node:events"
import { mkdtempSync, readFileSync, rmSync, statSync } from "node:fs"
import { Agent, createServer, request } from "node:http"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { gzipSync } from "node:zlib"

const program = "wasmtime"
const rounds = 5
const perRound = Number(process.env.REQUESTS ?? 40)
const together = 20
const scratch = mkdtempSync(join(tmpdir(), "mcp-authorizer-bench-"))

const { privateKey, publicKey } = generateKeyPairSync("rsa", { modulusLength: 2048 })
const jwks = JSON.stringify({ keys: [{ ...publicKey.export({ format: "jwk" }), kid: "a", alg: "RS256" }] })
const upstream = createServer((incoming, outgoing) => {
  incoming.resume()
  outgoing.setHeader("content-type", "application/json")
  outgoing.end(incoming.url === "/jwks" ? jwks : `{"jsonrpc":"2.0","id":1,"result":{}}`)
}).listen(0, "127.0.0.1")
await once(upstream, "listening")
const origin = `http://127.0.0.1:${upstream.address().port}`

const encoded = (value) => Buffer.from(JSON.stringify(value)).toString("base64url")
let subjects = 0
const newToken = () => {
  const claims = { iss: origin, sub: `user-${subjects++}`, aud: "mcp-api", exp: 4_102_444_800 }
  const input = `${encoded({ alg: "RS256", kid: "a" })}.${encoded(claims)}`
  return `${input}.${sign("sha256", Buffer.from(input), privateKey).toString("base64url")}`
}

const manifest = readFileSync(new URL("../../../src/spin/spin.toml", import.meta.url), "utf8")
// As in Spin, whose manifest declares every setting, most of them empty.
const declared = [...manifest.matchAll(/^(\w+) = "\{\{/gm)].map(([, name]) => [name, ""])

const variables = {
  ...Object.fromEntries(declared),
  mcp_gateway_url: origin,
  mcp_jwt_issuer: origin,
  mcp_jwt_jwks_uri: `${origin}/jwks`,
  mcp_jwt_audience: "mcp-api",
  mcp_log_level: "none"
}

const ping = `{"jsonrpc":"2.0","method":"ping","id":1}`
const initialize = JSON.stringify({
  jsonrpc: "2.0",
  id: 1,
  method: "initialize",
  params: { protocolVersion: "2025-06-18", capabilities: {}, clientInfo: { name: "bench", version: "1" } }
})
const known = newToken()
const cases = {
  "without a token": { status: 401, body: ping },
  "known token": { status: 200, body: ping, token: () => known },
  "initialize": { status: 200, body: initialize, token: () => known },
  "new token, RS256": { status: 200, body: ping, token: newToken }
}

const post = (agent, port, { body, status, token }) =>
  new Promise((resolve, reject) => {
    const headers = {
      accept: "application/json, text/event-stream",
      "content-type": "application/json",
      ...(token === undefined ? {} : { authorization: `Bearer ${token()}` })
    }
    const sent = request({ agent, port, host: "127.0.0.1", method: "POST", path: "/mcp", headers }, (response) => {
      response.resume()
      response.on("end", () =>
        response.statusCode === status ? resolve() : reject(new Error(`got ${response.statusCode}`)))
      response.on("error", reject)
    })
    sent.on("error", reject)
    sent.end(body)
  })

const ticksPerSecond = 100

/** What a process has used so far: page faults, and milliseconds of processor time. */
const usageOf = ({ pid }) => {
  const fields = readFileSync(`/proc/${pid}/stat`, "utf8").split(") ")[1].split(" ")
  return { faults: Number(fields[7]), millis: (Number(fields[11]) + Number(fields[12])) * 1000 / ticksPerSecond }
}

const serve = async (code) => {
  const given = Object.entries(variables).flatMap(([name, value]) => ["-S", `config-var=${name}=${value}`])
  const started = performance.now()
  const child = spawn(program, [
    "serve",
    "--allow-precompiled",
    "--addr",
    "127.0.0.1:0",
    "-W",
    "component-model-async=y",
    "-S",
    "cli,config,keyvalue,p3",
    ...given,
    code
  ], { stdio: ["ignore", "ignore", "pipe"] })
  child.stderr.setEncoding("utf8")
  let log = ""
  child.stderr.on("data", (text) => {
    log += text
  })
  while (!/Serving HTTP on http:\/\/\S+:\d+/.test(log)) {
    if (await Promise.race([once(child.stderr, "data"), once(child, "exit").then(() => "ended")]) === "ended") {
      throw new Error(log)
    }
  }
  return { child, port: Number(/:(\d+)\/?\s/.exec(log)[1]), millis: performance.now() - started }
}

const round = (value) => Math.round(value * 10) / 10
const rows = []
for (const argument of process.argv.slice(2)) {
  const [name, component] = argument.split("=")
  const code = join(scratch, `${name}.cwasm`)
  const compiling = performance.now()
  const { status, stderr } = spawnSync(program, [
    "compile",
    "-W",
    "component-model-async=y",
    "-o",
    code,
    component
  ], { encoding: "utf8" })
  if (status !== 0) throw new Error(stderr)
  const compile = performance.now() - compiling
  const { child, millis, port } = await serve(code)
  rows.push({ name, component, compile, start: millis, child, port, measured: new Map() })
}

for (let turn = 0; turn < rounds; turn++) {
  for (const { child, measured, port } of rows) {
    const agent = new Agent({ keepAlive: true, maxSockets: 1 })
    for (const [name, asked] of Object.entries(cases)) {
      for (let count = 0; count < 5; count++) await post(agent, port, asked)
      const before = usageOf(child)
      for (let count = 0; count < perRound; count++) await post(agent, port, asked)
      const after = usageOf(child)
      const sum = measured.get(name) ?? { faults: 0, millis: 0 }
      measured.set(name, {
        faults: sum.faults + after.faults - before.faults,
        millis: sum.millis + after.millis - before.millis
      })
    }
    agent.destroy()
  }
}

for (const { child, component, compile, measured, name, port, start } of rows) {
  const bytes = readFileSync(component)
  process.stdout.write(
    `${name}: ${round(statSync(component).size / 2 ** 20)} MiB, ${round(gzipSync(bytes).length / 2 ** 20)} MiB in a registry; ` +
      `compiled in ${round(compile / 1000)} s, then started in ${Math.round(start)} ms\n`
  )
  for (const [asked, { faults, millis }] of measured) {
    const count = rounds * perRound
    process.stdout.write(`  ${asked}: ${round(millis / count)} ms of processor time, ${Math.round(faults / count)} page faults\n`)
  }
  const agent = new Agent({ keepAlive: true, maxSockets: together })
  const begun = performance.now()
  await Promise.all(Array.from({ length: together }, async () => {
    for (let count = 0; count < perRound / 2; count++) await post(agent, port, cases["known token"])
  }))
  const seconds = (performance.now() - begun) / 1000
  process.stdout.write(`  known token, ${together} at a time: ${Math.round(together * perRound / 2 / seconds)} requests a second\n`)
  agent.destroy()
  child.kill("SIGKILL")
  await once(child, "exit")
}
upstream.close()
upstream.closeAllConnections()
rmSync(scratch, { recursive: true })
