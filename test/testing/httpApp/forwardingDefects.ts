/** Gateways that forward what they should not, or change it. */
import * as Effect from "effect/Effect"
import * as HttpServerResponse from "effect/http/HttpServerResponse"
import * as Result from "effect/Result"
import { around, type Defect, misconfigured, receiving, sending, sendingOther } from "./defects.ts"

const encoder = new TextEncoder()
const decoder = new TextDecoder()

export const forwardingDefects: ReadonlyArray<Defect> = [
  [
    "knows identity fields in one spelling only (FWD-02, CVE-2025-64484)",
    ["APP-60"],
    sendingOther((request, client) => ({
      headers: {
        ...Object.fromEntries(Object.entries(client.headers).filter(([name]) => name.includes("_"))),
        ...request.headers
      }
    }))
  ],
  [
    "writes claims into fields as they are (FWD-09)",
    ["APP-60"],
    sendingOther(({ headers }) => ({
      headers: { ...headers, "x-auth-user-id": decodeURIComponent(headers["x-auth-user-id"] ?? "") }
    }))
  ],
  ["hands the client's token on (FWD-07)", ["APP-61"], misconfigured({ forwardAuthorization: true })],
  [
    "lets Connection take its own fields away (FWD-04, CVE-2025-48865, CVE-2024-45410, CVE-2022-31813)",
    ["APP-62"],
    sendingOther(({ headers }, client) => {
      const named = new Set((client.headers["connection"] ?? "").toLowerCase().split(/ *, */))
      return { headers: Object.fromEntries(Object.entries(headers).filter(([name]) => !named.has(name))) }
    })
  ],
  [
    "hands fields of this hop on (FWD-05)",
    ["APP-62"],
    sendingOther(({ headers }, client) => ({
      headers: { ...headers, connection: client.headers["connection"] ?? "keep-alive" }
    }))
  ],
  [
    "forwards what only a platform may say (FWD-17)",
    ["APP-65"],
    sendingOther((request, client) => ({
      headers: {
        ...Object.fromEntries(Object.entries(client.headers).filter(([name]) => name.startsWith("spin"))),
        ...request.headers
      }
    }))
  ],
  [
    "knows _authContext in one spelling only (FWD-12, CVE-2026-27896)",
    ["APP-70"],
    sendingOther((request, _, text) =>
      text === "" || text.includes("\"_authContext\"") ? request : { body: encoder.encode(text) }
    )
  ],
  [
    "writes messages anew (FWD-14)",
    ["APP-70"],
    sendingOther(({ body }) => ({
      body: encoder.encode(JSON.stringify(JSON.parse(decoder.decode(body))))
    }))
  ],
  [
    "lets the client say who it is in initialize (FWD-11)",
    ["APP-71"],
    sendingOther((_request, _client, text) => ({
      body: encoder.encode(text)
    }))
  ],
  [
    "checks a message after serializing it again (MCP-01, GHSA-4gph-2hhr-5mwg)",
    ["APP-73"],
    receiving((request) =>
      Object.assign(Object.create(request), {
        arrayBuffer: Effect.map(request.text, (text) => {
          const anew = Result.map(Result.try((): unknown => JSON.parse(text)), (message) => JSON.stringify(message))
          return encoder.encode(Result.getOrElse(anew, () => text)).buffer
        })
      })
    )
  ],
  [
    "passes on the MCP server's 401 (CH-20)",
    ["APP-82"],
    around((handle, { send }) =>
      Effect.filterOrElse(
        handle,
        ({ status }) => status !== 502,
        (response) =>
          send({ method: "POST", target: "/mcp-internal", headers: {}, body: undefined }).pipe(
            Effect.map(({ headers, status }) =>
              HttpServerResponse.empty({ status, headers: { "www-authenticate": String(headers["www-authenticate"]) } })
            ),
            Effect.orElseSucceed(() => response)
          )
      )
    )
  ],
  [
    "takes the MCP server's demand for more scopes for a failure (CH-13)",
    ["APP-84"],
    sending((send) => (request) =>
      Effect.map(send(request), (response) =>
        response.status === 401 || response.status === 403
          ? { ...response, headers: { "www-authenticate": "Bearer" } }
          : response)
    )
  ],
  ["lets any caller use any session (MCP-07)", ["APP-91", "APP-92"], misconfigured({ bindSessions: false })],
  [
    "sends the MCP server another session id",
    ["APP-90"],
    sendingOther((request, client) =>
      client.headers["mcp-session-id"] === undefined
        ? {}
        : { headers: { ...request.headers, "mcp-session-id": client.headers["mcp-session-id"] } }
    )
  ],
  [
    "follows redirections (HTTP-19)",
    ["APP-82"],
    sending((send) => (request) =>
      Effect.filterOrElse(send(request), ({ status }) => status < 300 || status > 399, () => send(request))
    )
  ],
  [
    "sends a message again that has failed (HTTP-05)",
    ["APP-83"],
    sending((send) => (request) => Effect.catch(send(request), () => send(request)))
  ]
]
