/** The gateway as an operator runs it: a process, on a port of the system's choice. */
import * as Effect from "effect/Effect"
import type * as Scope from "effect/Scope"
import { type Program, type ProgramOptions, startProgram } from "./Program.ts"

/** One line of the log, with its fields in addition to those of every line. */
export interface LogLine {
  readonly message: unknown
  readonly level: string
  readonly annotations: Readonly<Record<string, unknown>>
}

export interface GatewayProgram extends Program {
  /** `http://127.0.0.1:<port>`, without a slash. */
  readonly origin: string
  /** The log so far, which must consist of nothing but complete JSON lines. */
  readonly log: () => ReadonlyArray<LogLine>
  /** Waits for the line about the request that had this trace id. */
  readonly requestLine: (traceId: string) => Effect.Effect<LogLine["annotations"]>
}

/** Settings that accept one static token, in front of `gatewayUrl`. */
export const staticSettings = (gatewayUrl: string, token = "dev-token"): Readonly<Record<string, string>> => ({
  MCP_SERVER_URL: gatewayUrl,
  MCP_STATIC_TOKENS: `${token}:dev-client:dev-user:read,write`
})

const parseLog = (text: string): ReadonlyArray<LogLine> =>
  text.split("\n").filter((line) => line !== "").map((line) => {
    const { level, message, time: _, ...annotations } = JSON.parse(line)
    return { level, message, annotations }
  })

/** Starts the gateway and waits until it logs its address. */
export const startGatewayProgram = Effect.fnUntraced(
  function*(options: ProgramOptions = {}): Effect.fn.Return<GatewayProgram, never, Scope.Scope> {
    const program = yield* startProgram({ ...options, env: { PORT: "0", ...options.env } })
    const [, origin = ""] = yield* program.awaitOutput(/url(?:\.full)?"?: ?"?(http:\/\/[^\s"]+)/)
    const log = () => parseLog(program.stdout())
    return {
      ...program,
      origin,
      log,
      requestLine: (traceId) =>
        Effect.map(program.awaitOutput(new RegExp(`"trace_id":"${traceId}".*\n`)), () => {
          const line = log().find(({ annotations }) => annotations["trace_id"] === traceId)
          return line?.annotations ?? {}
        })
    }
  }
)
