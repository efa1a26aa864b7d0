/** Replaces `wrk`: the same load from Node, with a lower maximum and latencies in whole milliseconds. */
import autocannon from "autocannon"
import { readFileSync } from "node:fs"
import { argv } from "node:process"
import type { GeneratorArguments, LoadResult } from "../load.ts"

// The parent process wrote it.
const { bodyFile, connections, headers, seconds, tokens, url } = JSON.parse(argv[2] ?? "") as GeneratorArguments

const lines = readFileSync(tokens.file, "utf8").split("\n").slice(tokens.from, tokens.from + tokens.count)
const body = bodyFile === undefined ? undefined : readFileSync(bodyFile)
let sent = 0

const result = await autocannon({
  url,
  connections,
  duration: seconds,
  timeout: 60,
  method: body === undefined ? "GET" : "POST",
  headers: { ...headers },
  ...(body === undefined ? {} : { body }),
  requests: [{
    setupRequest: (request) => ({
      ...request,
      headers: { ...request.headers, authorization: `Bearer ${lines[sent++ % lines.length]}` }
    })
  }]
})

const counted: LoadResult = {
  requests: result.requests.total,
  seconds: result.duration,
  bytes: result.throughput.total,
  rejections: result.non2xx,
  broken: result.errors,
  p50: result.latency.p50 * 1000,
  p99: result.latency.p99 * 1000,
  repeats: Math.floor((sent - connections) / lines.length)
}
process.stdout.write(`RESULT ${JSON.stringify(counted)}\n`)
