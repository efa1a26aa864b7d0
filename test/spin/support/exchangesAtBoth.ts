/** Plays generated exchanges on the component and on the Node service, in front of one MCP server. */
import * as Effect from "effect/Effect"
import { TestIssuer } from "../../../src/issuer/TestIssuer.ts"
import { eventually } from "../../fixtures/eventually.ts"
import {
  exchangeWith,
  initialized,
  type PlayedExchange,
  type PlayedResponse,
  rejected,
  type ResponseName,
  responseNames,
  responses,
  sentBy
} from "../../fixtures/exchanges.ts"
import type { UpstreamHandler } from "../../support/RecordedRequest.ts"
import { hang, resetConnection } from "../../support/upstreamResponses.ts"
import { bothGateways, type Result, type Variables } from "./BothGateways.ts"

/** What one of them has made of an exchange. */
export interface Seen extends Result {
  /** The entry of the request and all warnings, without what differs from run to run. */
  readonly log: ReadonlyArray<Readonly<Record<string, unknown>>>
}

const json = { "content-type": "application/json" }

/** A body in one piece is sent with its length, several pieces are sent as chunks. */
const gives = ({ body = "", headers, status }: PlayedResponse): UpstreamHandler => (request, response) =>
  Effect.map(request.body, () => {
    for (const [name, value] of Object.entries(headers)) response.setHeader(name, value)
    response.writeHead(status)
    if (typeof body !== "string") { for (const piece of body) response.write(piece) }
    response.end(typeof body === "string" ? body : undefined)
  })

/** Accepts `initialize` only as the client wrote it. */
const strict: UpstreamHandler = (request, response) =>
  Effect.flatMap(request.body, (body) =>
    gives(
      Buffer.from(body).includes("_authContext")
        ? { status: 400, headers: json, body: rejected }
        : { status: 200, headers: json, body: initialized }
    )(request, response))

/** What the MCP server, or the connection to it, may do besides responding. */
const disturbances = {
  odd: gives({ status: 666, headers: json, body: "{}" }),
  late: hang,
  down: (request, response) => Effect.andThen(request.body, resetConnection(response)),
  breaks: (request, response) =>
    Effect.andThen(
      Effect.map(request.body, () => {
        response.writeHead(200, json)
        response.write(initialized.slice(0, 20))
      }),
      resetConnection(response)
    )
} satisfies Record<string, UpstreamHandler>

const behaviours: ReadonlyMap<string, UpstreamHandler> = new Map<string, UpstreamHandler>([
  ...responseNames.map((name: ResponseName) => [name, gives(responses[name])] as const),
  ...Object.entries(disturbances),
  ["strict", strict]
])

/** Everything that the MCP server may do, by name. */
export const behaviourNames: ReadonlyArray<string> = [...behaviours.keys()]

/** Those that nothing is remembered of. After `strict`, the Node service adds nothing for an hour, an instance does. */
export const forgottenBehaviours: ReadonlyArray<string> = behaviourNames.filter((name) => name !== "strict")

/** Fields of log lines that differ from run to run. */
const passing: ReadonlySet<string> = new Set(["client_address", "duration_ms", "time"])

const logged = (text: string): Seen["log"] =>
  text.split("\n").flatMap((line) => {
    if (!line.startsWith("{")) return []
    const entry: Readonly<Record<string, unknown>> = JSON.parse(line)
    return entry["message"] === "request" || entry["level"] === "WARN"
      ? [Object.fromEntries(Object.entries(entry).filter(([name]) => !passing.has(name)))]
      : []
  })

const audience = "mcp-api"

const listed = (token: string, scopes: ReadonlyArray<string>, more: object = {}) => ({
  token,
  client_id: "dev-client",
  subject: "dev-user",
  scopes,
  ...more
})

/** Static tokens, JWTs, and opaque tokens of a provider that is not there. */
const providersOf = (issuer: TestIssuer["Service"]) => [
  {
    type: "static",
    name: "listed",
    tokens: [
      listed("dev-token", ["read", "write"], { email: "dev@example.com" }),
      listed("weak-token", ["write"]),
      listed("late-token", ["read"], { expires_at: 1 })
    ]
  },
  { type: "oidc", name: "signed", issuer: issuer.issuer, jwks_uri: issuer.jwksUri, audience },
  {
    type: "introspection",
    name: "odd",
    token_prefix: "odd_",
    issuer: "http://127.0.0.1:9/odd",
    introspection_endpoint: "http://127.0.0.1:9/odd/introspect",
    client_auth: "none",
    audience
  }
]

/** An exchange, in which the tokens of the list may be JWTs that say the same. */
export interface Exchange extends PlayedExchange {
  readonly signed: boolean
}

/** Starts both with these variables, and returns how to play an exchange on each of them. */
export const exchangesAtBoth = Effect.fnUntraced(function*(more: Variables) {
  const issuer = yield* TestIssuer.make({ audience })
  const signed: Readonly<Record<string, string>> = {
    "Bearer dev-token": `Bearer ${yield* issuer.sign({ claims: { scope: "read write" } })}`,
    "Bearer weak-token": `Bearer ${yield* issuer.sign({ claims: { scope: "write" } })}`,
    "Bearer late-token": `Bearer ${yield* issuer.sign({ claims: { scope: "read" }, expiresIn: "-1 hour" })}`
  }
  const { host, node, nodeLogged, send, upstream } = yield* bothGateways((gateway) => ({
    mcp_server_url: gateway,
    mcp_providers: JSON.stringify(providersOf(issuer)),
    mcp_required_scopes: "read",
    mcp_allowed_origins: "http://localhost:1",
    mcp_session_key: "the-key-of-all-replicas-000000000000",
    mcp_upstream_timeout: "1",
    mcp_log_level: "debug",
    ...more
  }))

  const play = (origin: string, log: () => string) =>
    Effect.fnUntraced(function*(exchange: Exchange): Effect.fn.Return<Seen> {
      const before = log().length
      const { body, fields } = sentBy(exchange)
      yield* upstream.respondWith(behaviours.get(exchange.upstream) ?? (() => Effect.die("no behaviour")))
      const result = yield* send(origin, {
        method: exchange.method,
        target: exchange.target,
        lines: fields.flatMap(([name, value]) =>
          name === "content-type" ? [] : [`${name}: ${exchange.signed ? signed[value] ?? value : value}`]
        ),
        type: exchange.type,
        isLast: true,
        ...(body === undefined ? {} : { body })
      })
      const entries = () => logged(log().slice(before))
      // The entry is written when the response is over, which may be after its last byte.
      yield* eventually(() => entries().some(({ message }) => message === "request"))
      return { ...result, log: entries() }
    })

  const component = play(host.origin, host.logged)
  const service = play(node.origin, nodeLogged)
  // Afterwards both have the keys, which probes report.
  const first: Exchange = { ...exchangeWith({}), signed: true }
  yield* component(first)
  yield* service(first)
  return { component, service }
})
