/**
 * A gateway that accepts API keys next to OAuth tokens, and has its own user ids.
 *
 * Tokens that begin with `mat_` are the authorization server's, which is asked for their bearer; keys that begin with
 * `wcd_` are looked up here. A caller with a token gets an account the first time.
 *
 *     MCP_PROVIDER_TYPE=userinfo MCP_JWT_ISSUER=https://your-authkit-instance.com MCP_TOKEN_PREFIX=mat_
 *     MCP_PUBLIC_URL=https://my-server.com MCP_SERVER_URL=http://127.0.0.1:8080/mcp
 *     API_KEYS='{"<SHA-256 of a key>": {"userId": "user-1", "scopes": ["mcp:read"]}}'
 */
import * as NodeRuntime from "@effect/platform-node/NodeRuntime"
import * as Config from "effect/Config"
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Redacted from "effect/Redacted"
import * as Schema from "effect/Schema"
import { type BearerToken, GatewayConfig, type Identity, InvalidToken, TokenVerifier } from "mcp-authorizer"
import * as NodeGateway from "mcp-authorizer/node"
import { createHash } from "node:crypto"
import { fileURLToPath } from "node:url"
import * as LibsqlClient from "./LibsqlClient.ts"
import { toUser, Users } from "./usersInSql.ts"

const ApiKey = Schema.Struct({ userId: Schema.NonEmptyString, scopes: Schema.Array(Schema.String) })

/** The API keys that were handed out, known by their digests only. */
export class ApiKeys extends Context.Service<ApiKeys, {
  readonly verify: (key: BearerToken) => Effect.Effect<Identity, InvalidToken>
}>()("my-server/ApiKeys") {
  /** From `API_KEYS`; nothing starts without it. */
  static readonly layer = Layer.effect(
    ApiKeys,
    Effect.gen(function*() {
      const table = yield* Config.schema(Schema.fromJsonString(Schema.Record(Schema.String, ApiKey)), "API_KEYS")
      const known = new Map(Object.entries(table))
      return {
        verify: (key) => {
          const found = known.get(createHash("sha256").update(Redacted.value(key)).digest("hex"))
          return found === undefined
            ? Effect.fail(new InvalidToken({ reason: "UnknownToken", provider: "api-keys", detail: "no such API key" }))
            : Effect.succeed({
              subject: found.userId,
              scopes: found.scopes,
              provider: "api-keys",
              issuer: "my-server",
              clientId: undefined,
              email: undefined,
              name: undefined,
              expiresAt: undefined,
              claims: {}
            })
        }
      }
    })
  ).pipe(Layer.orDie)
}

/** API keys first; then the configured provider, whose people become users. */
export const Verifier = TokenVerifier.layerPrefix(
  "wcd_",
  (key) => Effect.flatMap(ApiKeys, (apiKeys) => apiKeys.verify(key))
).pipe(
  Layer.provide(TokenVerifier.layerMapIdentity(toUser)),
  Layer.provide(TokenVerifier.layer)
)

/** The gateway of this server, save its settings. The users are in `users.db`, or in the file named by `USERS`. */
export const Gateway = NodeGateway.layer(
  Verifier.pipe(
    Layer.provide([ApiKeys.layer, Users.layer]),
    Layer.provide(
      Layer.unwrap(Effect.map(Config.withDefault(Config.String("USERS"), "users.db"), LibsqlClient.layer))
    )
  )
)

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  Gateway.pipe(
    Layer.provide(GatewayConfig.layerVariables(process.env)),
    Layer.launch,
    NodeRuntime.runMain
  )
}
