/**
 * Effect SQL on libSQL: SQLite in the process, from npm, without a download of its own.
 *
 * A package for Effect 4.1 would replace this file, but none is published yet.
 */
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Reactivity from "effect/reactivity/Reactivity"
import * as Semaphore from "effect/Semaphore"
import * as SqlClient from "effect/sql/SqlClient"
import type { Connection } from "effect/sql/SqlConnection"
import { classifySqliteError, SqlError } from "effect/sql/SqlError"
import * as Statement from "effect/sql/Statement"
import * as Stream from "effect/Stream"
import Database from "libsql"

const attempt = <A>(run: () => A) =>
  Effect.try({
    try: run,
    catch: (cause) => new SqlError({ reason: classifySqliteError(cause, { operation: "execute" }) })
  })

const connect = (database: Database.Database): Connection => {
  const rows = (sql: string, params: ReadonlyArray<unknown>, raw = false) =>
    attempt(() => {
      const statement = database.prepare<Array<unknown>>(sql)
      // libSQL's types leave open what a row is: an object by column, or an array where `raw` is on.
      if (statement.reader) return statement.raw(raw).all(...params) as Array<object>
      statement.run(...params)
      return []
    })
  const execute: Connection["execute"] = (sql, params, transformRows) =>
    Effect.map(rows(sql, params), (found) => transformRows === undefined ? found : transformRows(found))
  const executeValues: Connection["executeValues"] = (sql, params) =>
    Effect.map(rows(sql, params, true), (found) => found.map((row) => Object.values(row)))

  return {
    execute,
    executeUnprepared: execute,
    executeRaw: (sql, params) =>
      attempt(() => {
        const statement = database.prepare<Array<unknown>>(sql)
        return statement.reader ? statement.all(...params) : statement.run(...params)
      }),
    executeValues,
    executeValuesUnprepared: executeValues,
    executeStream: (sql, params, transformRows) =>
      Stream.unwrap(Effect.map(execute(sql, params, transformRows), Stream.fromIterable))
  }
}

/**
 * A database for as long as the layer lives.
 *
 * @param path a file, which is created if missing, or `:memory:`
 */
export const layer = (path: string): Layer.Layer<SqlClient.SqlClient> =>
  Layer.effect(
    SqlClient.SqlClient,
    Effect.gen(function*() {
      const database = yield* Effect.acquireRelease(
        Effect.sync(() => new Database(path, {})),
        (database) => Effect.sync(() => database.close())
      )
      const connection = connect(database)
      // One connection: a transaction must have it for itself.
      const turn = yield* Semaphore.make(1)
      return yield* SqlClient.make({
        acquirer: Effect.as(Effect.acquireRelease(turn.take(1), () => turn.release(1)), connection),
        compiler: Statement.makeCompilerSqlite(),
        driver: "libsql",
        spanAttributes: [["db.system.name", "sqlite"]]
      })
    })
  ).pipe(Layer.provide(Reactivity.layer))
