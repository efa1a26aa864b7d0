/** Load on a server: `wrk` where it is installed, else `autocannon`. */
import * as Effect from "effect/Effect"
import { fileURLToPath } from "node:url"
import { placement, tools } from "./machine.ts"
import { run } from "./processes.ts"

/** The lines of a file with the tokens to use, one for each request. */
export interface TokenRange {
  readonly file: string
  readonly from: number
  readonly count: number
  /** Whether to begin anew when all have been used; if not, a load that uses up its tokens is a fault. */
  readonly repeat: boolean
}

export interface Load {
  readonly tokens: TokenRange
  /** Sent with POST; GET without. */
  readonly bodyFile?: string
  readonly headers?: Readonly<Record<string, string>>
  readonly path?: string
  /** 32 unless given. */
  readonly connections?: number
  /** Whether each response must be an error; if `false`, none may be one. */
  readonly rejected?: boolean
}

/** The counts of the generator. */
export interface LoadResult {
  readonly requests: number
  readonly seconds: number
  readonly bytes: number
  /** Responses with a status of 400 or more. */
  readonly rejections: number
  /** Connections that failed, and missing responses. */
  readonly broken: number
  /** In microseconds. */
  readonly p50: number
  /** In microseconds. */
  readonly p99: number
  /** How often the tokens were used up. */
  readonly repeats: number
}

/** The input of the generator in `clients/autocannon.ts`. */
export interface GeneratorArguments {
  readonly url: string
  readonly connections: number
  readonly seconds: number
  readonly headers: Readonly<Record<string, string>>
  readonly bodyFile: string | undefined
  readonly tokens: TokenRange
}

/** Where `loadScript` was written to. */
export interface Generator {
  readonly scriptFile: string
}

const command = (generator: Generator, options: GeneratorArguments) => {
  const { bodyFile, connections, headers, seconds, tokens, url } = options
  if (tools.wrk === undefined) {
    return {
      file: process.execPath,
      args: [fileURLToPath(new URL("clients/autocannon.js", import.meta.url)), JSON.stringify(options)],
      cores: placement.load
    }
  }
  const fields = Object.entries(headers).flatMap(([name, value]) => ["-H", `${name}: ${value}`])
  const wrk = ["-t1", `-c${connections}`, `-d${seconds}s`, "--timeout", "60s", "-s", generator.scriptFile, ...fields]
  const script = [tokens.file, String(tokens.from), String(tokens.count), bodyFile ?? "-"]
  return { file: tools.wrk, args: [...wrk, url, "--", ...script], cores: placement.load }
}

const fault = (load: Load, { broken, rejections, repeats, requests }: LoadResult): string | undefined => {
  if (requests === 0) return "no response came in time"
  if (broken > 0) return `${broken} of ${requests} requests broke off`
  if (repeats > 0 && !load.tokens.repeat) return `${load.tokens.count} tokens were too few for ${requests} requests`
  const expected = load.rejected === true ? requests : 0
  return rejections === expected ? undefined : `${rejections} of ${requests} requests were rejected, not ${expected}`
}

/**
 * Sends as many requests as a server can handle, over keep-alive connections.
 *
 * Dies when the server did not do what the load expects: a fast rejection is not throughput.
 *
 * @param seconds whole ones
 */
export const generate = (
  generator: Generator,
  origin: string,
  load: Load,
  seconds: number
): Effect.Effect<LoadResult> =>
  Effect.gen(function*() {
    const output = yield* run(command(generator, {
      url: origin + (load.path ?? "/mcp"),
      connections: load.connections ?? 32,
      seconds,
      headers: { accept: "application/json, text/event-stream", "content-type": "application/json", ...load.headers },
      bodyFile: load.bodyFile,
      tokens: load.tokens
    }))
    const [, text = ""] = /^RESULT (.*)$/m.exec(output) ?? []
    // Written by `loadScript` or by `clients/autocannon.ts`.
    const result = JSON.parse(text) as LoadResult
    const problem = fault(load, result)
    return problem === undefined ? result : yield* Effect.die(new Error(problem))
  })
