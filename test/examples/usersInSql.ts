/**
 * Maps each caller with a good token to a user in a database, who is created on the first request.
 *
 * Put `toUser` on top of any verifier; the tools, or the MCP server behind the gateway, then see our own user ids:
 *
 *     TokenVerifier.layerMapIdentity(toUser).pipe(
 *       Layer.provide(TokenVerifier.layer),
 *       Layer.provide(Users.layer),
 *       Layer.provide(LibsqlClient.layer("users.db"))
 *     )
 */
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Schema from "effect/Schema"
import * as SqlClient from "effect/sql/SqlClient"
import * as SqlSchema from "effect/sql/SqlSchema"
import { type Identity, InvalidToken, ProviderUnavailable } from "mcp-authorizer"
import { randomUUID } from "node:crypto"

const NewUser = Schema.Struct({
  email: Schema.String,
  name: Schema.NullOr(Schema.String),
  authProvider: Schema.String,
  authProviderId: Schema.String
})

/** While the database is unavailable the caller cannot be identified: the client gets 500, and may try again. */
const unavailable = () =>
  new ProviderUnavailable({ provider: "users", detail: "the user table cannot be read or written", retryAfter: 5 })

/** The user table of this server. */
export class Users extends Context.Service<Users, {
  /** The id of the user with this e-mail address, who is created if missing. */
  readonly getOrCreate: (user: typeof NewUser.Type) => Effect.Effect<string, ProviderUnavailable>
}>()("my-server/Users") {
  /** Creates the table if it is missing. */
  static readonly layer = Layer.effect(
    Users,
    Effect.gen(function*() {
      const sql = yield* SqlClient.SqlClient
      yield* sql`
        CREATE TABLE IF NOT EXISTS users (
          id TEXT PRIMARY KEY,
          email TEXT NOT NULL UNIQUE,
          name TEXT,
          auth_provider TEXT NOT NULL,
          auth_provider_id TEXT NOT NULL
        )`
      // One statement: of two requests that come first, one creates the user and the other finds it.
      const upsert = SqlSchema.findOne({
        Request: NewUser,
        Result: Schema.Struct({ id: Schema.String }),
        execute: ({ authProvider, authProviderId, email, name }) =>
          sql`
            INSERT INTO users (id, email, name, auth_provider, auth_provider_id)
            VALUES (${randomUUID()}, ${email}, ${name}, ${authProvider}, ${authProviderId})
            ON CONFLICT (email) DO UPDATE SET name = COALESCE(excluded.name, name)
            RETURNING id`
      })
      return {
        getOrCreate: (user) =>
          upsert(user).pipe(
            Effect.map(({ id }) => id),
            Effect.tapError((error) => Effect.logError("users", error)),
            Effect.mapError(unavailable)
          )
      }
    })
  )
}

/**
 * Maps a person whom the authorization server knows to a user of this server.
 *
 * The e-mail address decides, so the authorization server must be one that verifies addresses.
 */
export const toUser = Effect.fnUntraced(function*(person: Identity) {
  const { email, name = null, provider, subject } = person
  if (email === undefined) {
    return yield* new InvalidToken({ reason: "MissingClaim", provider, detail: "no e-mail address" })
  }
  const users = yield* Users
  const id = yield* users.getOrCreate({ email, name, authProvider: provider, authProviderId: subject })
  return { ...person, subject: id }
})
