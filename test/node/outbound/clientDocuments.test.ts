/** Documents of clients over real connections: what is requested, and what must not be. */
import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Result from "effect/Result"
import { createServer } from "node:net"
import { readAuthorities } from "../../../src/node/outbound/authorities.ts"
import { type LookUp, makeClientDocuments } from "../../../src/node/outbound/clientDocuments.ts"
import { startTlsServer, type TlsHandler } from "../../support/tlsServer.ts"

const documentFor = (url: string) =>
  JSON.stringify({ client_id: url, client_name: "App", redirect_uris: ["https://app.example/callback"] })

/** A server for documents, and a service that trusts its certificate. */
const start = Effect.fnUntraced(function*(lookUp?: LookUp) {
  const { caFile, connections, handleWith: respond, port, requests } = yield* startTlsServer((_, response) => {
    response.end()
  })
  const authorities = yield* Effect.orDie(readAuthorities(caFile))
  const { fetch } = yield* makeClientDocuments(authorities, lookUp)
  const url = (host = "localhost", target = "/client.json") => `https://${host}:${port}${target}`
  return {
    url,
    requests,
    connections,
    respond,
    /** Responds with a document to every request. */
    respondWell: respond((request, response) => {
      response.writeHead(200, { "content-type": "application/json" })
        .end(documentFor(`https://${request.headers.host}${request.url}`))
    }),
    /** The result for a client id: the name in its document, or the reason of its rejection. */
    result: (clientId: string, privateHosts: ReadonlyArray<string> = ["localhost", "app.example", "127.0.0.1"]) =>
      Effect.map(
        Effect.result(fetch(clientId, privateHosts)),
        (result) => Result.isSuccess(result) ? `named ${result.success.clientName}` : result.failure.detail
      )
  }
})

const json = { "content-type": "application/json" }

describe("the document of a client", () => {
  it.live("is requested from a host that is allowed, without credentials", () =>
    Effect.gen(function*() {
      const { requests, respondWell, result, url } = yield* start()
      yield* respondWell
      assert.strictEqual(yield* result(url()), "named App")
      assert.strictEqual(yield* result(url("localhost", "/a/b?v=1")), "named App")
      const [first] = requests
      assert.deepInclude(first?.headers, { accept: "application/json", "accept-encoding": "identity" })
      for (const name of ["authorization", "cookie", "referer", "traceparent"]) assert.notProperty(first?.headers, name)
    }))

  const responses: ReadonlyArray<readonly [string, TlsHandler, RegExp]> = [
    [
      "a redirect, which is not followed",
      (_, response) => response.writeHead(302, { location: "/other" }).end(),
      /the status is 302/
    ],
    ["a status of 404", (_, response) => response.writeHead(404, json).end("{}"), /the status is 404/],
    ["a status of 204", (_, response) => response.writeHead(204, json).end(), /the status is 204/],
    [
      "another type",
      (_, response) => response.writeHead(200, { "content-type": "text/html" }).end("{}"),
      /not application\/json/
    ],
    ["no type", (_, response) => response.writeHead(200).end("{}"), /not application\/json/],
    [
      "an encoded document",
      (_, response) => response.writeHead(200, { ...json, "content-encoding": "gzip" }).end("{}"),
      /encoded/
    ],
    ["text that is not UTF-8", (_, response) => response.writeHead(200, json).end(Buffer.from([0x7b, 0xff])), /UTF-8/],
    [
      "a document of another client",
      (_, response) => response.writeHead(200, json).end(documentFor("https://other.example/client.json")),
      /client_id/
    ],
    ["garbage in place of HTTP", (request) => request.socket.end("garbage\r\n\r\n"), /cannot be fetched/],
    ["the end of the connection", (request) => request.socket.destroy(), /cannot be fetched/]
  ]
  for (const [what, respond, problem] of responses) {
    it.live(`is rejected for ${what}`, () =>
      Effect.gen(function*() {
        const server = yield* start()
        yield* server.respond(respond)
        assert.match(yield* server.result(server.url()), problem)
        assert.strictEqual(server.requests.length, 1)
      }))
  }

  it.live("is rejected if it is too long, without being read to its end", () =>
    Effect.gen(function*() {
      const { requests, respond, result, url } = yield* start()
      let sent = 0
      yield* respond((_, response) => {
        response.writeHead(200, json)
        const more = () => {
          while (sent < 100_000_000 && !response.destroyed) {
            sent += 65_536
            if (!response.write(" ".repeat(65_536))) return response.once("drain", more)
          }
          return response
        }
        more()
      })
      assert.match(yield* result(url()), /longer than 16384 bytes/)
      assert.isBelow(sent, 50_000_000)
      assert.strictEqual(requests.length, 1)
    }))

  it.live("is unavailable if it does not arrive in time, head or body", () =>
    Effect.gen(function*() {
      const { respond, result, url } = yield* start()
      yield* respond((request, response) => {
        if (request.url === "/body") response.writeHead(200, json).write("{")
      })
      const results = yield* Effect.all([result(url("localhost", "/head")), result(url("localhost", "/body"))], {
        concurrency: 2
      })
      for (const text of results) assert.match(text, /cannot be fetched \(TIMEOUT\)/)
    }), 20_000)

  it.live("is unavailable if no TLS is spoken, or the certificate is for another host", () =>
    Effect.gen(function*() {
      const silent = yield* Effect.acquireRelease(
        Effect.promise(() =>
          new Promise<ReturnType<typeof createServer>>((resolve) => {
            const server = createServer((socket) => socket.on("error", () => undefined).end("HTTP/1.1 200 OK\r\n\r\n"))
              .listen(0, "127.0.0.1", () => resolve(server))
          })
        ),
        (server) => Effect.sync(() => server.close())
      )
      const address = silent.address()
      const plain = typeof address === "object" && address !== null ? address.port : 0
      const { requests, result, url } = yield* start()
      assert.match(yield* result(`https://localhost:${plain}/a`), /cannot be fetched/)
      assert.match(yield* result(url("[::ffff:7f00:1]"), ["[::ffff:7f00:1]"]), /cannot be fetched/)
      assert.deepStrictEqual(requests, [])
    }))
})

/** Returns one list of addresses for each lookup, and the last one for all further lookups. */
const namesBy = (...lists: ReadonlyArray<ReadonlyArray<string>>) => {
  let asked = 0
  const lookUp: LookUp = (_host, _options, callback) => {
    const list = lists[Math.min(asked, lists.length - 1)] ?? []
    asked += 1
    callback(null, list.map((address) => ({ address, family: address.includes(":") ? 6 : 4 })))
  }
  return { lookUp, asked: () => asked }
}

describe("the guard against requests into other networks", () => {
  const hosts = [
    "localhost",
    "127.0.0.1",
    "[::1]",
    "[::ffff:7f00:1]",
    "[64:ff9b::7f00:1]",
    "169.254.169.254",
    "10.0.0.1"
  ]
  for (const host of hosts) {
    it.live(`connects to no address of ${host}`, () =>
      Effect.gen(function*() {
        const { connections, respondWell, result, url } = yield* start()
        yield* respondWell
        assert.match(yield* result(url(host), []), /an address that is not public/)
        assert.deepStrictEqual(connections, [])
      }))
  }

  it.live("connects to no host of which one address is not public", () =>
    Effect.gen(function*() {
      for (const list of [["8.8.8.8", "127.0.0.1"], ["127.0.0.1"], ["2606:4700::1", "::1"], ["fd00::1"], []]) {
        const { asked, lookUp } = namesBy(list)
        const { connections, result, url } = yield* start(lookUp)
        assert.match(yield* result(url("app.example"), []), /an address that is not public/)
        assert.strictEqual(asked(), 1)
        assert.deepStrictEqual(connections, [])
      }
    }))

  it.live("checks the addresses of each connection, for which a name is looked up once", () =>
    Effect.gen(function*() {
      const { asked, lookUp } = namesBy(["127.0.0.1"], ["169.254.169.254"], ["10.0.0.1"])
      const { connections, result, url } = yield* start(lookUp)
      for (const count of [1, 2, 3]) {
        assert.match(yield* result(url("app.example"), []), /an address that is not public/)
        assert.strictEqual(asked(), count)
      }
      assert.deepStrictEqual(connections, [])
    }))

  it.live("allows a private address to the hosts that are named, and to no other", () =>
    Effect.gen(function*() {
      const { connections, requests, respondWell, result, url } = yield* start()
      yield* respondWell
      assert.strictEqual(yield* result(url(), ["localhost"]), "named App")
      assert.match(yield* result(url("127.0.0.1"), ["localhost"]), /not public/)
      assert.match(yield* result(url(), ["app.example"]), /not public/)
      assert.strictEqual(connections.length, 1)
      assert.strictEqual(requests.length, 1)
    }))

  it.live("closes its connections with its scope", () =>
    Effect.gen(function*() {
      const { exit, socket } = yield* Effect.scoped(Effect.gen(function*() {
        const { connections, respondWell, result, url } = yield* start()
        yield* respondWell
        const exit = yield* Effect.exit(result(url()))
        return { exit, socket: connections[0] }
      }))
      assert.isTrue(Exit.isSuccess(exit))
      assert.isTrue(socket?.destroyed)
    }))
})
