/** The built gateway as a process of its own before a server that writes down what reaches it. */
import * as Effect from "effect/Effect"
import type * as Scope from "effect/Scope"
import { randomUUID } from "node:crypto"
import { type GatewayProgram, startGatewayProgram } from "../node/support/GatewayProgram.ts"
import { makeRecordingUpstream } from "../support/RecordingUpstream.ts"
import { reservePort } from "../support/reservePort.ts"

/** The result of one request. */
export interface Outcome {
  readonly status: number
  /** The body's `error_description`, if it has one. */
  readonly description: unknown
  readonly challenge: string | null
  readonly retryAfter: string | null
  /** The gateway's log entry about it. */
  readonly log: Readonly<Record<string, unknown>>
  /** A field of the request that reached the MCP server; `undefined` where none did. */
  readonly forwarded: (name: string) => ReadonlyArray<string> | undefined
}

export interface Gateway {
  /** The URL of the MCP endpoint, which tokens must be for. */
  readonly resource: string
  readonly program: GatewayProgram
  /** Lists the tools with this token. */
  readonly ask: (token: string) => Effect.Effect<Outcome>
}

/** A port for a gateway, and the resource that it will protect: Keycloak has to know the audience before. */
export const reserve = Effect.map(reservePort, (port) => ({ port, resource: `http://127.0.0.1:${port}/mcp` }))

/** Starts `node dist/main.js` with these settings and waits until it listens. */
export const startGateway = Effect.fnUntraced(function*(
  { port, resource }: { readonly port: number; readonly resource: string },
  env: Readonly<Record<string, string>>
): Effect.fn.Return<Gateway, never, Scope.Scope> {
  const upstream = yield* makeRecordingUpstream
  const program = yield* startGatewayProgram({
    env: {
      PORT: String(port),
      MCP_PUBLIC_URL: new URL(resource).origin,
      MCP_SERVER_URL: `${upstream.origin}/mcp`,
      ...env
    }
  })
  const ask = Effect.fnUntraced(function*(token: string): Effect.fn.Return<Outcome> {
    const trace = randomUUID()
    const response = yield* Effect.promise(() =>
      fetch(resource, {
        method: "POST",
        headers: {
          authorization: `Bearer ${token}`,
          accept: "application/json, text/event-stream",
          "content-type": "application/json",
          "x-trace-id": trace
        },
        body: JSON.stringify({ jsonrpc: "2.0", id: 1, method: "tools/list" })
      })
    )
    const body: Readonly<Record<string, unknown>> = yield* Effect.promise(() => response.json())
    const forwarded = upstream.requests().find((request) => request.headers("x-trace-id").includes(trace))
    return {
      status: response.status,
      description: body["error_description"],
      challenge: response.headers.get("www-authenticate"),
      retryAfter: response.headers.get("retry-after"),
      log: yield* program.requestLine(trace),
      forwarded: (name) => forwarded?.headers(name)
    }
  })
  return { resource, program, ask }
})

/** The settings of a gateway that takes the realm's JWTs for its own resource. */
export const jwtSettings = (issuer: string): Readonly<Record<string, string>> => ({
  MCP_PROVIDER_TYPE: "oidc",
  MCP_JWT_ISSUER: issuer,
  MCP_JWT_AUDIENCE: "auto"
})
