/**
 * The identity provider of the soak: a key set that can be slow, and an introspection endpoint.
 *
 * Introspection takes 100 ms. Opaque tokens that begin with `good-` are active, those that begin with `broken-` make
 * the endpoint respond with 500, all others are not active.
 */
import { createServer } from "node:http"
import { argv } from "node:process"

/** How long introspection takes, in milliseconds. */
const introspectionMillis = 100

// The parent process wrote it.
const { jwksMillis, port, publicKey } = JSON.parse(argv[2] ?? "") as ProviderArguments

/** The input of the provider. */
export interface ProviderArguments {
  readonly port: number
  /** How long each response with the key set takes, from the second on; the first is at once. */
  readonly jwksMillis: number
  /** The public JWK to publish. */
  readonly publicKey: object
}

let keySets = 0

const introspect = (token: string): [status: number, reply: object] => {
  if (token.startsWith("broken-")) return [500, { error: "server_error" }]
  return token.startsWith("good-")
    ? [200, { active: true, sub: token.slice(5), client_id: "soak", aud: "https://mcp.example/mcp", scope: "mcp:read" }]
    : [200, { active: false }]
}

createServer((request, response) => {
  const json = (status: number, body: object, millis: number) =>
    setTimeout(() => {
      response.writeHead(status, { "content-type": "application/json" }).end(JSON.stringify(body))
    }, millis)
  let form = ""
  request.setEncoding("utf8").on("data", (chunk: string) => form += chunk)
  request.on("end", () => {
    if (request.url === "/jwks") return json(200, { keys: [publicKey] }, keySets++ === 0 ? 0 : jwksMillis)
    if (request.url !== "/introspect") return json(404, { error: "not_found" }, 0)
    const [status, reply] = introspect(new URLSearchParams(form).get("token") ?? "")
    return json(status, reply, introspectionMillis)
  })
}).listen(port, "127.0.0.1", 4096)
