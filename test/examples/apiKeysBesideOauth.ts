/**
 * A gateway that takes API keys beside OAuth tokens, and knows its users by ids of its own.
 *
 * Tokens that begin with `mat_` are the authorization server's, which is asked who bears them; keys that begin with
 * `wcd_` are looked up here. Whoever comes with a token for the first time gets an account.
 *
 *     MCP_PROVIDER_TYPE=userinfo MCP_JWT_ISSUER=https://your-authkit-instance.com MCP_TOKEN_PREFIX=mat_
 *     MCP_PUBLIC_URL=https://my-server.com MCP_GATEWAY_URL=http://127.0.0.1:8080/mcp
 *     API_KEYS='{"<SHA-256 of a key>": {"userId": "user-1", "scopes": ["mcp:read"]}}'
 */
import * as NodeRuntime from "@effect/platform-node/NodeRuntime"
import * as Config from "effect/Config"
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Redacted from "effect/Redacted"
import * as Schema from "effect/Schema"
import { createHash, randomUUID } from "node:crypto"
import { fileURLToPath } from "node:url"
import { type BearerToken, GatewayConfig, type Identity, InvalidToken, TokenVerifier } from "../../src/index.ts"
import * as NodeGateway from "../../src/node/NodeGateway.ts"

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

interface User {
  readonly id: string
  readonly email: string
  readonly name: string | undefined
  readonly authProvider: string
  readonly authProviderId: string
}

/** The user table of this server. */
export class Users extends Context.Service<Users, {
  /** The user with this e-mail address, who is created if there is none. */
  readonly getOrCreate: (user: Omit<User, "id">) => Effect.Effect<User>
}>()("my-server/Users") {
  static readonly layerMemory = Layer.sync(Users, () => {
    const byEmail = new Map<string, User>()
    return {
      getOrCreate: (user) =>
        Effect.sync(() => {
          const known = byEmail.get(user.email) ?? { ...user, id: randomUUID() }
          byEmail.set(user.email, known)
          return known
        })
    }
  })
}

/**
 * Maps a person whom the authorization server knows to a user of this server.
 *
 * The e-mail address decides, so the authorization server must be one that verifies addresses.
 */
const toUser = Effect.fnUntraced(function*(person: Identity) {
  const { email, name, provider, subject } = person
  if (email === undefined) {
    return yield* new InvalidToken({ reason: "MissingClaim", provider, detail: "no e-mail address" })
  }
  const users = yield* Users
  const user = yield* users.getOrCreate({ email, name, authProvider: provider, authProviderId: subject })
  return { ...person, subject: user.id }
})

/** API keys first; then the configured provider, whose people become users. */
export const Verifier = TokenVerifier.layerPrefix(
  "wcd_",
  (key) => Effect.flatMap(ApiKeys, (apiKeys) => apiKeys.verify(key))
).pipe(
  Layer.provide(TokenVerifier.layerMapIdentity(toUser)),
  Layer.provide(TokenVerifier.layer)
)

/** The gateway of this server, save its settings. */
export const Gateway = NodeGateway.layer(
  Verifier.pipe(Layer.provide([ApiKeys.layer, Users.layerMemory]))
)

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  Gateway.pipe(
    Layer.provide(GatewayConfig.layerVariables(process.env)),
    Layer.launch,
    NodeRuntime.runMain
  )
}
