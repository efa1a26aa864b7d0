/**
 * Opens event streams and reads them to their ends: which events came, and how late.
 *
 * The server puts the time of sending into each event, by the clock that all processes of a machine share.
 */
import { readFileSync } from "node:fs"
import { get } from "node:http"
import { argv } from "node:process"
import type { StreamArguments, StreamResult } from "../cases/streams.ts"

// The parent process wrote it.
const { count, events, origin, path, tokensFile } = JSON.parse(argv[2] ?? "") as StreamArguments

const tokens = readFileSync(tokensFile, "utf8").trim().split("\n")
const delays: Array<number> = []

/** Reads one stream; settles when it has ended, well or not. */
const listen = (token: string): Promise<void> =>
  new Promise((settle) => {
    const headers = { authorization: `Bearer ${token}`, accept: "text/event-stream" }
    const asking = get(`${origin}${path}?count=${events}`, { agent: false, headers }, (response) => {
      let expected = 0
      let rest = ""
      response.setEncoding("utf8").on("data", (text: string) => {
        const now = process.hrtime.bigint()
        const parts = (rest + text).split("\n\n")
        rest = parts.pop() ?? ""
        for (const part of parts) {
          const [, number, sent] = /^data: (\d+) (\d+)$/.exec(part) ?? []
          // An event that is lost, repeated or torn is not counted, nor are those behind it.
          if (number !== String(expected) || sent === undefined) continue
          expected++
          delays.push(Number(now - BigInt(sent)) / 1e6)
        }
      })
      response.on("close", settle)
    })
    asking.on("error", () => settle())
  })

await Promise.all(Array.from({ length: count }, (_, index) =>
  // Over one second: a thousand connections at the same instant are another matter.
  new Promise<void>((resolve) => {
    setTimeout(() => resolve(listen(tokens[index % tokens.length] ?? "")), index * 1000 / count)
  })))

const sorted = delays.toSorted((a, b) => a - b)
const at = (share: number): number => sorted[Math.min(Math.floor(sorted.length * share), sorted.length - 1)] ?? NaN
const result: StreamResult = { delivered: delays.length, p50: at(0.5), p99: at(0.99) }
process.stdout.write(JSON.stringify(result))
