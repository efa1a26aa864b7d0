import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as SqlClient from "effect/sql/SqlClient"
import type { Identity } from "mcp-authorizer"
import { mkdtemp, rm } from "node:fs/promises"
import { tmpdir } from "node:os"
import { join } from "node:path"
import * as LibsqlClient from "./LibsqlClient.ts"
import { toUser, Users } from "./usersInSql.ts"

const person = (email: string | undefined, name?: string): Identity => ({
  subject: `usr_${email}`,
  clientId: undefined,
  issuer: "https://issuer.example.com",
  scopes: [],
  email,
  name,
  provider: "authkit",
  expiresAt: undefined,
  claims: {}
})

const database = Effect.acquireRelease(
  Effect.promise(() => mkdtemp(join(tmpdir(), "users-"))),
  (folder) => Effect.promise(() => rm(folder, { recursive: true }))
).pipe(Effect.map((folder) => join(folder, "users.db")))

describe("users in Effect SQL", () => {
  it.effect("Integration Guide, Step 5 MUST find a user again after a restart, and keep two apart", () =>
    Effect.gen(function*() {
      const path = yield* database
      const idOf = (email: string) =>
        Effect.map(toUser(person(email, "Ada")), ({ subject }) => subject).pipe(
          Effect.provide(Layer.provide(Users.layer, LibsqlClient.layer(path)), { local: true })
        )
      const ada = yield* idOf("ada@example.com")
      assert.match(ada, /^[0-9a-f-]{36}$/)
      assert.strictEqual(yield* idOf("ada@example.com"), ada)
      assert.notStrictEqual(yield* idOf("bob@example.com"), ada)
    }))

  it.effect("Integration Guide, Step 5 MUST report an outage while the database fails, and reject no caller", () =>
    Effect.gen(function*() {
      const sql = yield* SqlClient.SqlClient
      assert.match((yield* toUser(person("ada@example.com"))).subject, /^[0-9a-f-]{36}$/)
      yield* sql`DROP TABLE users`
      const error = yield* Effect.flip(toUser(person("ada@example.com")))
      assert.strictEqual(error._tag, "ProviderUnavailable")
      const nobody = yield* Effect.flip(toUser(person(undefined)))
      assert.strictEqual(nobody._tag, "InvalidToken")
    }).pipe(Effect.provide(Layer.provideMerge(Users.layer, LibsqlClient.layer(":memory:")))))

  it.effect("rolls a transaction back while others write", () =>
    Effect.gen(function*() {
      const sql = yield* SqlClient.SqlClient
      yield* sql`CREATE TABLE t (n INTEGER)`
      const failing = sql.withTransaction(
        Effect.andThen(sql`INSERT INTO t VALUES (1)`, Effect.andThen(Effect.yieldNow, Effect.fail("no" as const)))
      )
      yield* Effect.all([Effect.flip(failing), sql`INSERT INTO t VALUES (2)`], { concurrency: "unbounded" })
      assert.deepStrictEqual((yield* sql`SELECT n FROM t`).map(({ n }) => n), [2])
    }).pipe(Effect.provide(LibsqlClient.layer(":memory:"))))
})
