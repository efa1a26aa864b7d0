/** The admin port with a status that a test chooses, on a real socket. */
import * as NodeHttpServer from "@effect/platform-node/NodeHttpServer"
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as HttpServer from "effect/http/HttpServer"
import * as Layer from "effect/Layer"
import * as Logger from "effect/Logger"
import * as NetAddress from "effect/net/NetAddress"
import * as Redacted from "effect/Redacted"
import * as Scope from "effect/Scope"
import { createServer } from "node:http"
import { makeAdminApp } from "../../src/admin/adminApp.ts"
import { AdminSource, type TokenQuestion } from "../../src/admin/AdminSource.ts"
import type { Status } from "../../src/admin/page/Status.ts"
import { StatusBoard } from "../../src/admin/StatusBoard.ts"
import type { AuditEntry } from "../../src/audit/AuditEntry.ts"
import type { Explanation } from "../../src/explain/Explanation.ts"
import { entries, standIn } from "../admin/page/standIn.ts"

/** What the page shows; a test may change it while the page is open. */
export interface Shown {
  status: Status
  entries: ReadonlyArray<AuditEntry>
  explanation: Explanation | undefined
  /** The current problem of the gateway. */
  fault: "none" | "dies"
}

/** The running port. */
export interface ShownPage {
  readonly origin: string
  readonly shown: Shown
  /** The tokens that were posted to be explained. */
  readonly questions: ReadonlyArray<TokenQuestion>
  /** Everything that was logged. */
  readonly logged: ReadonlyArray<string>
  readonly close: () => Promise<void>
}

/**
 * Starts the port.
 *
 * @param secret `MCP_ADMIN_TOKEN`
 */
export const showPage = async (change: Partial<Shown> = {}, secret?: string): Promise<ShownPage> => {
  const shown: Shown = { status: standIn(), entries, explanation: undefined, fault: "none", ...change }
  const questions: Array<TokenQuestion> = []
  const logged: Array<string> = []
  const source = AdminSource.of({
    metrics: Effect.succeed([]),
    authorize: () => Effect.succeed("Rejected"),
    activity: Effect.succeed({ servers: {}, providers: {}, rejections: {} }),
    providers: Effect.succeed({ processes: 1, heard: 1, states: [] }),
    decisions: Effect.sync(() => shown.entries),
    facts: Effect.succeed({ servers: [], providers: [], warnings: [], settings: [] }),
    explain: (question) =>
      Effect.sync(() => {
        questions.push(question)
        return shown.explanation
      })
  })
  const board = StatusBoard.of({
    status: Effect.suspend(() => shown.fault === "none" ? Effect.succeed(shown.status) : Effect.die("broken"))
  })
  const settings = {
    adminToken: secret === undefined ? undefined : Redacted.make(secret),
    adminScopes: [],
    maxTokenBytes: 16_384
  }
  const layer = HttpServer.serve(makeAdminApp(() => settings)).pipe(
    Layer.provide([Layer.succeed(AdminSource, source), Layer.succeed(StatusBoard, board)]),
    Layer.provideMerge(
      NodeHttpServer.layerServer(() => createServer(), { host: "127.0.0.1", port: 0, gracefulShutdownTimeout: 100 })
    ),
    Layer.provide(Logger.layer([Logger.make(({ message }) => logged.push(JSON.stringify(message)))]))
  )
  const scope = Scope.makeUnsafe()
  const context = await Effect.runPromise(Layer.buildWithScope(layer, scope))
  return {
    origin: NetAddress.formatUrlUnsafe(Context.get(context, HttpServer.HttpServer).address),
    shown,
    questions,
    logged,
    close: () => Effect.runPromise(Scope.close(scope, Exit.void))
  }
}
