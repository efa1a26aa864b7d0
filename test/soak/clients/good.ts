/**
 * A well-behaved client: requests at a steady rate, one connection each for the MCP endpoint's calls that are under way,
 * and a probe of `/healthz` with every tenth.
 */
import { readFileSync } from "node:fs"
import { Agent, request } from "node:http"
import { argv } from "node:process"
import { toolsListRequest } from "../../bench/peers/mcpResponses.ts"

/** The input of the client. */
export interface GoodArguments {
  readonly origin: string
  readonly seconds: number
  /** Requests a second. */
  readonly rate: number
  /** One token for each line, used in turn. */
  readonly tokensFile: string
  /** Where each request goes, below the origin. */
  readonly path?: string
  /** The address that it calls from, of the loopback network. */
  readonly localAddress?: string
}

/** The results. */
export interface GoodResult {
  readonly requests: number
  /** Everything but 200, by status or error. */
  readonly failures: Readonly<Record<string, number>>
  readonly failed: number
  /** Milliseconds. */
  readonly p50: number
  readonly p99: number
  readonly healthP99: number
}

// The parent process wrote it.
const options = JSON.parse(argv[2] ?? "") as GoodArguments
const tokens = readFileSync(options.tokensFile, "utf8").trim().split("\n")
const agent = new Agent({ keepAlive: true, maxSockets: 64 })
const failures: Record<string, number> = {}
const calls: Array<number> = []
const probes: Array<number> = []
let sent = 0
let pending = 0

const send = (path: string, headers: Record<string, string>, body: string | undefined, times: Array<number>): void => {
  const started = performance.now()
  pending++
  const done = (outcome: string) => {
    pending--
    times.push(performance.now() - started)
    if (outcome !== "200") failures[outcome] = (failures[outcome] ?? 0) + 1
  }
  let settled = false
  const settle = (outcome: string) => {
    if (settled) return
    settled = true
    done(outcome)
  }
  const asking = request(`${options.origin}${path}`, {
    agent,
    method: body === undefined ? "GET" : "POST",
    headers,
    ...(options.localAddress === undefined ? {} : { localAddress: options.localAddress })
  }, (response) => {
    response.resume()
    response.on("end", () => settle(String(response.statusCode)))
    response.on("error", (error) => settle(error.message))
  })
  asking.setTimeout(30_000, () => asking.destroy(new Error("no response within 30 s")))
  asking.on("error", (error) => settle(error.message))
  asking.end(body)
}

const timer = setInterval(() => {
  const index = sent++
  send(
    options.path ?? "/mcp",
    {
      authorization: `Bearer ${tokens[index % tokens.length] ?? ""}`,
      "content-type": "application/json",
      accept: "application/json, text/event-stream"
    },
    toolsListRequest,
    calls
  )
  if (index % 10 === 0) send("/healthz", {}, undefined, probes)
}, 1000 / options.rate)

const percentile = (times: ReadonlyArray<number>, share: number): number => {
  const sorted = times.toSorted((a, b) => a - b)
  return sorted[Math.min(Math.floor(sorted.length * share), sorted.length - 1)] ?? NaN
}

setTimeout(() => {
  clearInterval(timer)
  const waiting = setInterval(() => {
    if (pending > 0) return
    clearInterval(waiting)
    agent.destroy()
    const failed = Object.values(failures).reduce((sum, count) => sum + count, 0)
    const result: GoodResult = {
      requests: calls.length + probes.length,
      failures,
      failed,
      p50: percentile(calls, 0.5),
      p99: percentile(calls, 0.99),
      healthP99: percentile(probes, 0.99)
    }
    process.stdout.write(JSON.stringify(result))
  }, 20)
}, options.seconds * 1000)
