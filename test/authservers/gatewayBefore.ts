/** The built gateway as a process of its own, which can be killed and started again at the same place. */
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Scope from "effect/Scope"
import { startGatewayProgram } from "../node/support/GatewayProgram.ts"
import { makeRecordingUpstream, type RecordingUpstream } from "../support/RecordingUpstream.ts"
import { reservePort } from "../support/reservePort.ts"

type Json = Readonly<Record<string, unknown>>

export interface Place {
  readonly port: number
  readonly origin: string
  /** The URL of the MCP endpoint. */
  readonly resource: string
  /** The redirect URI of the gateway's own client at the provider. */
  readonly callback: string
}

export interface Gateway extends Place {
  readonly upstream: RecordingUpstream
  /** Kills the process, and starts it again with the same settings. */
  readonly restart: Effect.Effect<void>
  /** All that the processes have written to standard output. */
  readonly log: () => string
  /** Waits until the process that runs now has written what matches. */
  readonly awaitLog: (pattern: RegExp) => Effect.Effect<void>
}

/** A place for a gateway, which the provider has to know before it starts. */
export const reserve: Effect.Effect<Place> = Effect.map(reservePort, (port) => {
  const origin = `http://127.0.0.1:${port}`
  return { port, origin, resource: `${origin}/mcp`, callback: `${origin}/oauth/callback` }
})

/** The session key of all gateways. */
const sessionKey = "the-session-key-of-the-suite-with-real-providers"

/** Starts the gateway before an MCP server that writes down what reaches it. */
export const startGateway = Effect.fnUntraced(function*(
  place: Place,
  provider: Json,
  more: Readonly<Record<string, string>> = {}
): Effect.fn.Return<Gateway, never, Scope.Scope> {
  const upstream = yield* makeRecordingUpstream
  const outer = yield* Scope.Scope
  const logs: Array<() => string> = []
  const run = Effect.gen(function*() {
    const scope = yield* Scope.fork(outer)
    const { awaitOutput, stdout } = yield* Scope.provide(
      startGatewayProgram({
        env: {
          PORT: String(place.port),
          MCP_PUBLIC_URL: place.origin,
          MCP_SERVER_URL: `${upstream.origin}/mcp`,
          MCP_SESSION_KEY: sessionKey,
          MCP_PROVIDERS: JSON.stringify([provider]),
          ...more
        }
      }),
      scope
    )
    logs.push(stdout)
    return { scope, awaitOutput }
  })
  let running = yield* run
  return {
    ...place,
    upstream,
    restart: Effect.gen(function*() {
      yield* Scope.close(running.scope, Exit.void)
      running = yield* run
    }),
    awaitLog: (pattern) => Effect.suspend(() => Effect.asVoid(running.awaitOutput(pattern))),
    log: () => logs.map((read) => read()).join("")
  }
})
