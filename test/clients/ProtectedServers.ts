/** MCP servers built with the official SDKs, each behind its own gateway that trusts one issuer. */
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import { TestIssuer } from "../../src/issuer/TestIssuer.ts"
import type { SignOptions } from "../../src/issuer/TestIssuerOptions.ts"
import { jwtProvider } from "../fixtures/providers.ts"
import { settings } from "../fixtures/settings.ts"
import { startGateway } from "../support/gateway.ts"
import type { OfficialServer } from "../support/OfficialServer.ts"
import { officialServerV1 } from "../support/OfficialServerV1.ts"
import { officialServerV2 } from "../support/OfficialServerV2.ts"

export interface ProtectedServer extends OfficialServer {
  /** The MCP endpoint of the gateway: `http://127.0.0.1:<port>/mcp`. */
  readonly protectedUrl: string
}

const protect = Effect.fnUntraced(
  function*(server: OfficialServer, issuer: TestIssuer["Service"]) {
    const gateway = yield* startGateway(settings(server.url, {
      providers: [jwtProvider(issuer)]
    }))
    return { ...server, protectedUrl: `${gateway.origin}/mcp` }
  }
)

/** One server of each SDK behind a gateway, and the issuer of the tokens that both gateways accept. */
export class ProtectedServers extends Context.Service<ProtectedServers, {
  readonly issuer: TestIssuer["Service"]
  readonly v1: ProtectedServer
  readonly v2: ProtectedServer
  /** The headers of a client whose token is valid unless the options say otherwise. */
  readonly bearer: (options?: SignOptions) => Effect.Effect<{ readonly authorization: string }>
}>()("mcp-authorizer/test/clients/ProtectedServers") {
  static readonly layer = Layer.effect(
    ProtectedServers,
    Effect.gen(function*() {
      const issuer = yield* TestIssuer.make()
      return {
        issuer,
        v1: yield* protect(yield* officialServerV1, issuer),
        v2: yield* protect(yield* officialServerV2, issuer),
        bearer: (options) => Effect.map(issuer.sign(options), (token) => ({ authorization: `Bearer ${token}` }))
      }
    })
  )
}
