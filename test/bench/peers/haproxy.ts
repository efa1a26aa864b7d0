/** HAProxy as its own documentation verifies JSON Web Tokens: in C, once for each request, in one thread. */
import * as Effect from "effect/Effect"
import { writeFile } from "node:fs/promises"
import { join } from "node:path"
import { TestIssuer } from "../../../src/issuer/TestIssuer.ts"
import { closedPort } from "../../node/support/ports.ts"
import { temporaryDirectory } from "../../node/support/scratch.ts"
import { placement } from "../machine.ts"
import { serve } from "../processes.ts"
import { audience } from "../tokens.ts"

interface Settings {
  readonly port: number
  readonly upstreamPort: string
  readonly keyFile: string
  readonly issuer: string
  readonly audience: string
}

const config = ({ audience, issuer, keyFile, port, upstreamPort }: Settings) => `
global
  # One thread, as the gateway has one for JavaScript.
  nbthread 1
  maxconn 8192
defaults
  mode http
  # Connections are kept on both sides, and used by whoever comes.
  option http-keep-alive
  http-reuse always
  timeout connect 10s
  timeout client 1h
  timeout server 1h
  timeout http-keep-alive 75s
frontend clients
  bind 127.0.0.1:${port}
  http-request set-var(txn.alg) http_auth_bearer,jwt_header_query('$.alg')
  http-request set-var(txn.iss) http_auth_bearer,jwt_payload_query('$.iss')
  http-request set-var(txn.aud) http_auth_bearer,jwt_payload_query('$.aud')
  http-request set-var(txn.sub) http_auth_bearer,jwt_payload_query('$.sub')
  http-request set-var(txn.exp) http_auth_bearer,jwt_payload_query('$.exp','int')
  http-request set-var(txn.now) date()
  http-request deny deny_status 401 unless { var(txn.alg) -m str RS256 }
  http-request deny deny_status 401 unless { var(txn.iss) -m str ${issuer} }
  http-request deny deny_status 401 unless { var(txn.aud) -m str ${audience} }
  http-request deny deny_status 401 if { var(txn.exp),sub(txn.now) -m int lt 0 }
  http-request deny deny_status 401 unless { http_auth_bearer,jwt_verify(txn.alg,"${keyFile}") -m int 1 }
  http-request del-header authorization
  http-request set-header x-auth-user-id %[var(txn.sub)]
  default_backend mcp
backend mcp
  server mcp 127.0.0.1:${upstreamPort}
`

/** Starts it in front of an MCP server. */
export const startHaproxy = Effect.fnUntraced(function*(file: string, upstream: string) {
  const { issuer, key } = yield* TestIssuer
  const { publicPem } = yield* key("RS256")
  const port = yield* closedPort
  const directory = yield* temporaryDirectory
  const configFile = join(directory, "haproxy.cfg")
  const keyFile = join(directory, "key.pem")
  yield* Effect.promise(() => writeFile(keyFile, publicPem))
  const upstreamPort = new URL(upstream).port
  yield* Effect.promise(() => writeFile(configFile, config({ port, upstreamPort, keyFile, issuer, audience })))
  // In the foreground: the process that is started is the one that serves.
  return yield* serve({ file, args: ["-db", "-f", configFile], cores: placement.server }, port, "/mcp")
})
