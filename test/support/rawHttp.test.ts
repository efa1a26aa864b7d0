import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import { rawExchange, rawRequest } from "./rawHttp.ts"
import { readResponses } from "./rawResponses.ts"
import { makeRecordingUpstream } from "./RecordingUpstream.ts"

const read = (text: string, options = { closed: false }) => readResponses(Buffer.from(text, "latin1"), options)

describe("readResponses", () => {
  it("separates responses by their lengths", () => {
    const { responses, rest } = read(
      "HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: 2\r\nA: 1\r\na:2 \r\n\r\nhiHTTP/1.1 204 \r\n\r\nHTT"
    )
    assert.deepStrictEqual(responses.map(({ status, text }) => [status, text]), [[100, ""], [200, "hi"], [204, ""]])
    assert.deepStrictEqual(responses[1]?.headers("A"), ["1", "2"])
    assert.deepStrictEqual(responses[1]?.headerLines, ["Content-Length: 2", "A: 1", "a:2 "])
    assert.strictEqual(rest.length, 3)
  })

  it("joins chunks", () => {
    const chunked = "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nhi\r\n3;x=y\r\n !!\r\n0\r\n"
    assert.lengthOf(read(chunked).responses, 0)
    for (const end of ["\r\n", "Trailer: 1\r\n\r\n"]) {
      const { responses, rest } = read(`${chunked}${end}X`)
      assert.strictEqual(responses[0]?.text, "hi !!")
      assert.strictEqual(rest.length, 1)
    }
  })

  it("reads a body without a length up to the end of the connection", () => {
    assert.lengthOf(read("HTTP/1.1 200 OK\r\n\r\nabc").responses, 0)
    assert.strictEqual(read("HTTP/1.1 200 OK\r\n\r\nabc", { closed: true }).responses[0]?.text, "abc")
    assert.lengthOf(read("HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nabc", { closed: true }).responses, 0)
  })

  it("rejects what is not a response", () => {
    assert.throws(() => read("<html>\r\n\r\n"))
    assert.throws(() => read("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n"))
  })
})

describe("rawExchange", () => {
  it.effect("counts the responses on a connection", () =>
    Effect.gen(function*() {
      const { origin, requests } = yield* makeRecordingUpstream
      const one = rawRequest(["GET /1 HTTP/1.1", "Host: h"])
      const last = rawRequest(["GET /2 HTTP/1.1", "Host: h", "Connection: close"])
      const pipelined = yield* rawExchange(origin, one + last, { responses: Infinity })
      assert.strictEqual(pipelined.outcome, "Closed")
      assert.deepStrictEqual(pipelined.responses.map(({ status }) => status), [405, 405])
      assert.deepStrictEqual(requests().map(({ url }) => url), ["/1", "/2"])
      const pieces = yield* rawExchange(origin, ["GET /3 HT", "TP/1.1\r\nHost: h\r\n", "\r\n"])
      assert.strictEqual(pieces.outcome, "Responded")
      assert.strictEqual(requests()[2]?.url, "/3")
      const head = yield* rawExchange(origin, rawRequest(["HEAD / HTTP/1.1", "Host: h"]), { bodiless: true })
      assert.strictEqual(head.responses[0]?.status, 405)
    }))
})
