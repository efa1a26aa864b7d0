/**
 * Requests that are handled while the component is built, so that instances find everything in memory that depends on no
 * setting and no request: compiled patterns, built-in functions of the engine, defaults of settings, and so on.
 *
 * Nothing leaves the component: its own store, issuer and MCP server take the place of the host. There is no clock and no
 * randomness that could become part of every instance, because the build has neither.
 */
import type { Bucket, Host } from "./Host.ts"
import { makeHandler } from "./SpinGateway.ts"

const publicUrl = "https://gateway.invalid"
const introspectionUrl = "https://issuer.invalid/introspect"
const jwksUrl = "https://issuer.invalid/jwks"

/** A key whose private half was deleted, and a token that was signed with it. No gateway trusts this issuer. */
const jwk = {
  kty: "RSA",
  kid: "r",
  alg: "RS256",
  e: "AQAB",
  n: "q5LEaEldxB2kIPs4fgnhy7ziWWxeNNTa0xLJQRwZ_5BbCu-HKyUWBGTn5RFJuj3cN85BRiXADa3vYvMRARM57WKE" +
    "aJpbFMcnwp-MIq3HroZCYM2SNrsDUyIDb2TcNiaOGgZx-t_vMlscmWMkwwnZYOyqql1f8aIXxyKe6hm-vQid2HUP" +
    "xT3g3198C3iP5VYaQnxVB3jov7PbblQ9YBy0JBg7HQK9kDjAgYqy0G2QhFTcMC-t_HEePD7jXzsORFSjTYpGkbmC" +
    "-eBnsISzQLni-0ZubedfysahYPyePoWxY_KEJk0tKlAm1U58M-md6FYqgcnP4pbMJfVq0p58kA_uaQ"
}
const jwt = "eyJhbGciOiJSUzI1NiIsImtpZCI6InIiLCJ0eXAiOiJKV1QifQ.eyJpc3MiOiJodHRwczovL2lzc3Vlci5pbnZhb" +
  "GlkIiwic3ViIjoibm9ib2R5IiwiYXVkIjoibWNwLWFwaSIsImV4cCI6NDAwMDAwMDAwMCwiaWF0IjoxLCJjbGllb" +
  "nRfaWQiOiJjIiwic2NvcGUiOiJtY3A6cmVhZCJ9.bbMge4dIeZgnhkm5wtTvjakaoO5qEYsoc-3XnD5CCHgGJiVz" +
  "H4Nz5b1QzIsM7qSyxrW0GRbYrqsErMJiW3osVi_zkjwzrVYv0I5o6gUYyjFvIh4Xdn1lLRXy9dg4VilfwsV3-WYs" +
  "ecZZSZresLV9w__uuUmF60THWLtUGjxQSy86chx0V0gIDlft67ELrYW471Vgstw-HwcMvZlLVRhmCNjkazsVrWmC" +
  "U1wHOLGSgGxJ1Pfi0EOqS3uaEga7lxvXdPvMAVwEzTKkh2w338LX6rtboC0S9apAVgWddLb7oUPEF3CFgIm3yhrC" +
  "Z-P7ks8N8wEj1FUTu-idvzKRC8UYPg"

const common = [
  ["mcp_server_url", "https://mcp.invalid/mcp"],
  ["mcp_public_url", publicUrl],
  ["mcp_jwt_issuer", "https://issuer.invalid"],
  ["mcp_jwt_audience", "mcp-api"],
  ["mcp_required_scopes", "mcp:read"]
] as const

const jwtProvider = [...common, ["mcp_jwt_jwks_uri", jwksUrl]] as const

const opaqueProvider = [
  ...common,
  ["mcp_provider_type", "introspection"],
  ["mcp_introspection_url", introspectionUrl],
  ["mcp_client_id", "gateway"],
  ["mcp_client_secret", "none"]
] as const

const responses: ReadonlyMap<string, unknown> = new Map<string, unknown>([
  [jwksUrl, { keys: [jwk] }],
  [introspectionUrl, { active: true, iss: "https://issuer.invalid", sub: "nobody", aud: "mcp-api", scope: "mcp:read" }]
])

const fetch: Host["fetch"] = async (input) =>
  new Response(JSON.stringify(responses.get(String(input)) ?? { jsonrpc: "2.0", id: 1, result: {} }), {
    headers: { "content-type": "application/json" }
  })

const emptyStore = (): Bucket => {
  const entries = new Map<string, Uint8Array>()
  return {
    get: (key) => entries.get(key),
    set: (key, value) => void entries.set(key, value),
    delete: (key) => void entries.delete(key)
  }
}

const hostWith = (variables: ReturnType<Host["variables"]>): Host => {
  const bucket = emptyStore()
  return { variables: () => variables, openStore: () => bucket, peerAddress: () => "192.0.2.1", fetch }
}

const request = (method: string, token: string | undefined, message: object): Request => {
  const body = JSON.stringify(message)
  return new Request(`${publicUrl}/mcp`, {
    method,
    body,
    headers: {
      host: "gateway.invalid",
      "content-type": "application/json",
      "content-length": String(body.length),
      accept: "application/json, text/event-stream",
      "user-agent": "none",
      ...(token === undefined ? {} : { authorization: `Bearer ${token}` })
    }
  })
}

const ping = { jsonrpc: "2.0", id: 1, method: "ping" }
const call = { jsonrpc: "2.0", id: 1, method: "tools/call", params: { name: "none", arguments: {} } }
const initialize = {
  jsonrpc: "2.0",
  id: 1,
  method: "initialize",
  params: { protocolVersion: "2025-06-18", capabilities: {}, clientInfo: { name: "none", version: "0" } }
}

const status = async (host: Host, sent: Request): Promise<number> => {
  const response = await makeHandler(host)(sent)
  await response.arrayBuffer()
  return response.status
}

/** Replaces members of an object; returns a function that undoes it. */
const replace = (target: object, members: Readonly<Record<string, unknown>>): () => void => {
  const before = Object.keys(members).map((name) => [name, Object.getOwnPropertyDescriptor(target, name)] as const)
  for (const [name, value] of Object.entries(members)) {
    Object.defineProperty(target, name, { value, configurable: true, writable: true })
  }
  return () => {
    for (const [name, descriptor] of before) {
      if (descriptor === undefined) Reflect.deleteProperty(target, name)
      else Object.defineProperty(target, name, descriptor)
    }
  }
}

const nothing = () => undefined

/** Replaces the functions by which the engine would use its host; returns a function that undoes it. */
const withoutHost = (): () => void => {
  const undo = [
    replace(globalThis, {
      // Only work that is due at once has to be run, because every response is available at once.
      setTimeout: (run: () => void, millis: number | undefined) => {
        if (!millis) queueMicrotask(run)
        return 0
      },
      clearTimeout: nothing,
      // The engine has this function only while it handles a request.
      location: undefined
    }),
    replace(performance, { now: () => 0 }),
    replace(Math, { random: () => 0.5 }),
    replace(crypto, {
      getRandomValues: <A>(array: A) => array,
      randomUUID: () => "00000000-0000-4000-8000-000000000000"
    }),
    replace(console, { log: nothing, info: nothing, warn: nothing, error: nothing, debug: nothing })
  ]
  return () => undo.forEach((each) => each())
}

/** Handles requests of each usual kind. Throws if a response is not as in an instance. */
export const rehearse = async (): Promise<void> => {
  const undo = withoutHost()
  try {
    const signed = hostWith(jwtProvider)
    const opaque = hostWith(opaqueProvider)
    const statuses: Array<number> = []
    for (
      const [host, sent] of [
        [signed, request("POST", undefined, ping)],
        [signed, request("POST", jwt, initialize)],
        [signed, request("POST", jwt, call)],
        [signed, request("POST", jwt, call)],
        [opaque, request("POST", "opaque", initialize)],
        [opaque, request("POST", "opaque", call)]
      ] as const
    ) statuses.push(await status(host, sent))
    if (statuses.join() !== "401,200,200,200,200,200") throw new Error(`rehearsed requests got ${statuses.join()}`)
  } finally {
    undo()
  }
}
