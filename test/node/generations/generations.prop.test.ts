import { assert, describe, it } from "@effect/vitest"
import * as Arbitrary from "effect/Arbitrary"
import * as Deferred from "effect/Deferred"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Fiber from "effect/Fiber"
import * as Schema from "effect/Schema"
import * as Http from "node:http"
import type { Duplex } from "node:stream"
import * as Stream from "node:stream"
import type { GatewayConfigInput } from "../../../src/config/GatewayConfigInput.ts"
import { makeHttpServer } from "../../../src/node/httpServer.ts"
import { eventually } from "../../fixtures/eventually.ts"
import { ping } from "../../fixtures/messages.ts"
import { makeRecordingUpstream } from "../../support/RecordingUpstream.ts"
import { startInProcess } from "../support/inProcess.ts"

const token = "the-token-of-every-configuration-0123456789"

/** Who a token stands for, where its requests go, and which field its responses have: three ways to tell configurations apart. */
const configWith = (upstream: string) => (number: number): GatewayConfigInput => ({
  server_url: `${upstream}/up-${number}`,
  static_tokens: `${token}:client:user-${number}:read`,
  trace_header: `x-trace-${number}`
})

const steps = ["reload", "reloadBadly", "prepareOnly", "ask", "askSlowly", "stream", "finish"] as const

/** How the requests of a run are sent: over the network, or from hand to hand. */
const ways = ["on sockets", "in memory"] as const

interface Responded {
  readonly status: number
  readonly text: string
  readonly fields: ReadonlyArray<string>
}

const send = (origin: string, kind: string, createConnection: (() => Duplex) | undefined) =>
  Effect.callback<Responded, Error>((resume) => {
    const request = Http.request(`${origin}/mcp`, {
      method: "POST",
      headers: { authorization: `Bearer ${token}`, "content-type": "application/json", "x-kind": kind },
      ...(createConnection === undefined ? {} : { createConnection, agent: false })
    }, (response) => {
      let text = ""
      response.setEncoding("utf8").on("data", (chunk: string) => text += chunk)
      response.on("error", (error) => resume(Effect.fail(error)))
      response.on(
        "end",
        () => resume(Effect.succeed({ status: response.statusCode ?? 0, text, fields: Object.keys(response.headers) }))
      )
    })
    request.on("error", (error) => resume(Effect.fail(error)))
    request.end(ping)
  })

const numbersIn = (pattern: RegExp, texts: ReadonlyArray<string>) =>
  texts.flatMap((text) => pattern.exec(text)?.[1] ?? []).map(Number)

for (const way of ways) {
  describe(`requests and reloads ${way}, in any order`, { timeout: 120_000 }, () => {
    it.live.prop(
      "RELOAD-04 MUST decide each request by one whole configuration, and finish all of them",
      {
        sequence: Arbitrary.schema(
          Schema.Array(Schema.Literals(steps)).check(Schema.isMinLength(5), Schema.isMaxLength(40))
        )
      },
      ({ sequence }) =>
        Effect.gen(function*() {
          const upstream = yield* makeRecordingUpstream
          const held: Array<Deferred.Deferred<void>> = []
          yield* upstream.respondWith((request, response) =>
            Effect.gen(function*() {
              yield* request.body
              const [kind] = request.headers("x-kind")
              const seen = `${request.url} ${request.headers("x-auth-user-id").join()}`
              if (kind === "stream") {
                response.writeHead(200, { "content-type": "text/event-stream" })
                response.write("data: begun\n\n")
              }
              if (kind !== "ask") {
                const release = yield* Deferred.make<void>()
                held.push(release)
                yield* Deferred.await(release)
              }
              if (kind === "stream") return void response.end(`data: ${seen}\n\n`)
              response.writeHead(200, { "content-type": "application/json" })
              response.end(JSON.stringify({ seen }))
            })
          )
          const configOf = configWith(upstream.origin)
          const { generations, origin, prepare, reload } = yield* startInProcess(configOf)
          const own = makeHttpServer(
            () => generations.current.settings,
            (...exchange) => generations.current.handle(...exchange)
          )
          const connect = (): Duplex => {
            const [client, server] = Stream.duplexPair()
            own.emit("connection", server)
            return client
          }

          const running: Array<Fiber.Fiber<void, Error>> = []
          const begin = Effect.fnUntraced(function*(kind: "ask" | "slow" | "stream") {
            const first = generations.current.number
            const before = upstream.requests().length
            const checked = Effect.map(
              send(origin, kind, way === "in memory" ? connect : undefined),
              ({ fields, status, text }) => {
                assert.strictEqual(status, 200, text)
                const [path = 0] = numbersIn(/\/up-(\d+)/, [text])
                assert.deepStrictEqual(numbersIn(/user-(\d+)/, [text]), [path], text)
                assert.deepStrictEqual(numbersIn(/^x-trace-(\d+)$/, fields), [path])
                assert.isAtLeast(path, first)
                assert.isAtMost(path, generations.current.number)
              }
            )
            running.push(yield* Effect.forkChild(checked))
            return before
          })

          for (const step of sequence) {
            const { number } = generations.current
            switch (step) {
              case "reload":
                // One arrives while the next configuration is prepared, and one while it is applied.
                yield* begin("ask")
                yield* reload()
                break
              case "reloadBadly":
                assert.isTrue(
                  Exit.isFailure(yield* Effect.exit(prepare({ ...configOf(number + 1), ca_file: "/nonexistent" })))
                )
                assert.strictEqual(generations.current.number, number)
                break
              case "prepareOnly":
                yield* (yield* Effect.orDie(prepare(configOf(number + 1)))).discard
                assert.strictEqual(generations.current.number, number)
                break
              case "ask":
                yield* begin("ask")
                break
              case "askSlowly":
              case "stream": {
                const before = yield* begin(step === "stream" ? "stream" : "slow")
                yield* upstream.awaitRequest(before + 1)
                break
              }
              case "finish": {
                const release = held.shift()
                if (release !== undefined) yield* Deferred.succeed(release, undefined)
              }
            }
          }
          // Responses that are still on their way.
          yield* eventually(() => upstream.requests().length === running.length)
          const finished = yield* Effect.forkChild(Effect.forEach(running, Fiber.join, { discard: true }))
          while (finished.pollUnsafe() === undefined) {
            for (const release of held.splice(0)) yield* Deferred.succeed(release, undefined)
            yield* Effect.sleep(2)
          }
          yield* Fiber.join(finished)
          assert.isAtMost(generations.all().length, 9)
          own.closeAllConnections()
        }).pipe(Effect.scoped),
      { arbitrary: { runs: 12 } }
    )
  })
}
