/**
 * Runs in a network of its own in which 8.8.8.8 is this machine: the only way to see that documents are fetched from public addresses,
 * and that nothing gets from there to private ones. Prints what became of each document.
 *
 * Arguments: the files of a certificate for `app.example` and of its key.
 */
import * as Console from "effect/Console"
import * as Effect from "effect/Effect"
import * as Result from "effect/Result"
import { readFileSync } from "node:fs"
import { createServer } from "node:https"
import type { Socket } from "node:net"
import { argv } from "node:process"
import { readAuthorities } from "../../../src/node/outbound/authorities.ts"
import { type LookUp, makeClientDocuments } from "../../../src/node/outbound/clientDocuments.ts"

const [, , certificate = "", key = ""] = argv

const isPrivate = (address: string | undefined): boolean => address !== "8.8.8.8"

let reached: Array<string> = []

const serve = (address: string) =>
  Effect.acquireRelease(
    Effect.promise(() =>
      new Promise<ReturnType<typeof createServer>>((resolve) => {
        const server = createServer(
          { cert: readFileSync(certificate), key: readFileSync(key) },
          (request, response) => {
            reached.push(`${address}${request.url}`)
            if (request.url === "/redirect.json") {
              response.writeHead(302, { location: "https://127.0.0.1/secret.json" }).end()
              return
            }
            response.writeHead(200, { "content-type": "application/json" }).end(JSON.stringify({
              client_id: `https://${request.headers.host}${request.url}`,
              redirect_uris: ["https://app.example/callback"]
            }))
          }
        )
        server.on("connection", (socket: Socket) => {
          if (isPrivate(socket.localAddress)) reached.push(`connection to ${socket.localAddress}`)
        })
        server.listen(443, address, () => resolve(server))
      })
    ),
    (server) => Effect.sync(() => server.close().closeAllConnections())
  )

const main = Effect.gen(function*() {
  yield* serve("8.8.8.8")
  yield* serve("127.0.0.1")
  const authorities = yield* readAuthorities(certificate)
  const fetchBy = Effect.fnUntraced(
    function*(name: string, target: string, lists: ReadonlyArray<ReadonlyArray<string>>) {
      let asked = 0
      const lookUp: LookUp = (_host, _options, callback) => {
        const list = lists[Math.min(asked++, lists.length - 1)] ?? []
        setImmediate(() => callback(null, list.map((address) => ({ address, family: 4 }))))
      }
      const { fetch } = yield* makeClientDocuments(authorities, lookUp)
      const outcomes: Array<string> = []
      for (const _ of lists) {
        const result = yield* Effect.result(fetch(`https://app.example/${target}`, []))
        outcomes.push(Result.isSuccess(result) ? "fetched" : result.failure.detail)
      }
      yield* Console.log(JSON.stringify({ name, outcomes, reached }))
      reached = []
    }
  )
  yield* fetchBy("public", "client.json", [["8.8.8.8"]])
  yield* fetchBy("redirect", "redirect.json", [["8.8.8.8"]])
  yield* fetchBy("rebinding", "redirect.json", [["8.8.8.8"], ["127.0.0.1"], ["8.8.8.8", "127.0.0.1"]])
  yield* fetchBy("nowhere", "client.json", [["9.9.9.9"]])
}).pipe(Effect.scoped)

await Effect.runPromise(main)
