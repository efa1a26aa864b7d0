/** The component in several instances at a time, as hosts run it. */
import { assert, layer } from "@effect/vitest"
import * as Effect from "effect/Effect"
import { TestIssuer } from "../../src/issuer/TestIssuer.ts"
import { ping } from "../fixtures/messages.ts"
import { rawExchange, rawRequest } from "../support/rawHttp.ts"
import { componentGateway, type Variables } from "./support/BothGateways.ts"
import { ComponentHost } from "./support/ComponentHost.ts"

const many = <A>(make: (index: number) => A) => Array.from({ length: 20 }, (_, index) => make(index))
const path = (url: string) => new URL(url).pathname

/** Sends one request with each token, on separate connections, and returns the statuses. */
const together = (origin: string, tokens: ReadonlyArray<string>) =>
  Effect.forEach(tokens, (token) =>
    rawExchange(
      origin,
      rawRequest([
        "POST /mcp HTTP/1.1",
        "Host: localhost:3000",
        `Authorization: Bearer ${token}`,
        "Content-Type: application/json",
        `Content-Length: ${ping.length}`
      ], ping),
      { idleMillis: 60_000 }
    ).pipe(Effect.map(({ responses: [response] }) => response?.status)), { concurrency: "unbounded" })

layer(ComponentHost.layerSideBySide(4), { excludeTestServices: true, timeout: "5 minutes" })(
  "instances side by side",
  (it) => {
    it.effect("SPIN-CLAIM-05 MUST fetch the key set once for new tokens of a cold store, and ask once about an opaque token", () =>
      Effect.gen(function*() {
        const issuer = yield* TestIssuer.make({ audience: "mcp-api", keys: "reused" })
        const jwt = yield* componentGateway((gateway): Variables => ({
          mcp_gateway_url: gateway,
          mcp_jwt_issuer: issuer.issuer,
          mcp_jwt_jwks_uri: issuer.jwksUri,
          mcp_jwt_audience: "mcp-api"
        }))
        const tokens = yield* Effect.all(many((index) => issuer.sign({ claims: { sub: `user-${index}` } })))
        assert.deepStrictEqual(yield* together(jwt.host.origin, tokens), many(() => 200), jwt.host.logged())
        assert.strictEqual(yield* issuer.hits(path(issuer.jwksUri)), 1)
        assert.isEmpty((yield* jwt.host.stored).filter((name) => name.startsWith("claim:")))

        const opaque = yield* componentGateway((gateway): Variables => ({
          mcp_gateway_url: gateway,
          mcp_provider_type: "introspection",
          mcp_jwt_issuer: issuer.issuer,
          mcp_jwt_audience: "mcp-api",
          mcp_introspection_url: issuer.introspectionEndpoint,
          mcp_client_id: issuer.client.id,
          mcp_client_secret: issuer.client.secret
        }))
        const three = yield* Effect.all([issuer.issueOpaque(), issuer.issueOpaque(), issuer.issueOpaque()])
        const statuses = yield* together(opaque.host.origin, many((index) => three[index % 3] ?? ""))
        assert.deepStrictEqual(statuses, many(() => 200), opaque.host.logged())
        assert.strictEqual(yield* issuer.hits(path(issuer.introspectionEndpoint)), 3)
      }))
  }
)
