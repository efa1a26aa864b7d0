/** A failing upstream results in one typed error, without anything that was sent. */
import * as Effect from "effect/Effect"
import * as Stream from "effect/Stream"
import { inspect } from "node:util"
import type { UpstreamError } from "../../errors/GatewayError.ts"
import type { UpstreamRequest } from "../../forward/GatewayClient.ts"
import { canary, oneOf } from "../arbitrary.ts"
import * as assert from "../assert.ts"
import { makeRecords } from "../records.ts"
import * as arbitraries from "./arbitraries.ts"
import { clientRequirement } from "./clientRequirement.ts"
import { bodyOf, chunksOf, connect, request, Subject } from "./Subject.ts"
import { ok, type Responder, startUpstream } from "./Upstream.ts"

const how = oneOf(["End", "Reset"])

/** Uses the same responder for every request, or an ordinary response for the first: then the connection is reused. */
const afterGood = (warm: boolean, responder: Responder): Responder => {
  let good = warm
  return (exchange) => {
    const chosen = good ? ok : responder
    good = false
    return chosen(exchange)
  }
}

/** Sends a request, after an ordinary exchange if `warm`, and checks the number of requests that arrived. */
const failing = Effect.fnUntraced(function*(warm: boolean, responder: Responder, given?: UpstreamRequest) {
  const { send, upstream } = yield* connect(afterGood(warm, responder))
  if (warm) yield* Effect.scoped(Effect.flatMap(send(request()), bodyOf))
  const error = yield* send(given ?? request()).pipe(Effect.flatMap(bodyOf), Effect.flip)
  assert.lengthOf(upstream.exchanges, warm ? 2 : 1, "a request has arrived again")
  return error
})

/** A message that may do something, and must not do so twice. */
const call = new TextEncoder().encode(
  `{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"pay","arguments":{}}}`
)

/** Bytes that no HTTP client may accept as a response, or as the rest of one. */
const nonsense = [
  "SSH-2.0-OpenSSH_9.6\r\n",
  "HTTP/1.1 abc OK\r\n\r\n",
  "HTTP/1.1 200 OK\r\nContent-Length: 2\r\nContent-Length: 3\r\n\r\n{} ",
  "HTTP/1.1 200 OK\r\nContent-Length: two\r\n\r\n{}",
  "HTTP/1.1 200 OK\r\nno colon\r\n\r\n",
  "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nxyz\r\n{}",
  "\0\0\0\0\0\0\0\0"
]

const troubles = ["unwritable", "head", "body", "encoded", "closed"] as const

export const failures = [
  clientRequirement(
    {
      id: "CLIENT-40",
      title: "MUST fail with UpstreamUnavailable when nothing listens at the address",
      source: "RFC 9110, section 15.6.3",
      runs: 3
    },
    { method: arbitraries.method },
    Effect.fnUntraced(function*({ method }) {
      const { origin } = yield* Effect.scoped(startUpstream(ok))
      const { connect } = yield* Subject
      const { send } = yield* connect(`${origin}/mcp`)
      const error = yield* Effect.flip(send(request({ method, body: undefined })))
      assert.strictEqual(error._tag, "UpstreamUnavailable")
    })
  ),

  clientRequirement(
    {
      id: "CLIENT-41",
      title: "MUST fail with UpstreamUnavailable, without a retry, when the connection closes before the head",
      source: "RFC 9110, sections 9.2.2 and 15.6.3"
    },
    {
      beginning: oneOf(["", "HTTP/1.1", "HTTP/1.1 200 OK\r\nContent-Ty"]),
      how,
      method: arbitraries.method,
      warm: oneOf([true, false])
    },
    Effect.fnUntraced(function*({ beginning, how, method, warm }) {
      const responder: Responder = Effect.fnUntraced(function*(exchange) {
        yield* exchange.body
        if (beginning !== "") yield* exchange.raw(beginning)
        yield* exchange.cut(how)
      })
      const error = yield* failing(warm, responder, request({ method, body: method === "POST" ? call : undefined }))
      assert.strictEqual(error._tag, "UpstreamUnavailable")
    })
  ),

  clientRequirement(
    {
      id: "CLIENT-42",
      title: "MUST fail with UpstreamUnavailable when the response is not valid HTTP",
      source: "RFC 9112, sections 2.2, 4 and 6.3"
    },
    { bytes: arbitraries.garbage(nonsense), how, warm: oneOf([true, false]) },
    Effect.fnUntraced(function*({ bytes, how, warm }) {
      const error = yield* failing(
        warm,
        Effect.fnUntraced(function*(exchange) {
          yield* exchange.body
          yield* exchange.raw(bytes)
          yield* exchange.cut(how)
        })
      )
      assert.strictEqual(error._tag, "UpstreamUnavailable")
    })
  ),

  clientRequirement(
    {
      id: "CLIENT-43",
      title: "MUST report a body that breaks off as broken, after the bytes that came before",
      source: "RFC 9112, section 8",
      runs: 15
    },
    { chunks: arbitraries.chunks, how, late: oneOf([true, false]) },
    ({ chunks, how, late }) =>
      Effect.forEach(
        ["length", "chunked"],
        Effect.fnUntraced(function*(framing) {
          const sent = Buffer.concat(chunks)
          const { send, upstream } = yield* connect(Effect.fnUntraced(function*(exchange) {
            yield* exchange.head(200, framing === "length" ? [["content-length", String(sent.length + 1)]] : [])
            for (const chunk of chunks) yield* exchange.write(chunk)
            yield* exchange.cut(how)
          }))
          const received: Array<Uint8Array> = []
          const error = yield* Effect.flip(Effect.gen(function*() {
            const response = yield* send(request())
            // The failure has arrived before the body is read.
            if (late) yield* Effect.flatMap(upstream.first, ({ ended }) => ended)
            yield* Stream.runForEach(chunksOf(response), (chunk) => Effect.sync(() => received.push(chunk)))
          }))
          assert.strictEqual(error._tag, "UpstreamUnavailable")
          const whole = Buffer.concat(received)
          assert.isTrue(sent.subarray(0, whole.length).equals(whole), framing)
          assert.lengthOf(upstream.exchanges, 1)
        }),
        { discard: true }
      )
  ),

  clientRequirement(
    {
      id: "CLIENT-44",
      title: "MUST fail with UpstreamTimeout, and close the connection, when the head or a short body is late",
      source: "src/config/README.md, Settings; RFC 9110, section 15.6.5",
      runs: 1
    },
    {},
    Effect.fnUntraced(function*() {
      const beginnings = ["", "HTTP/1.1 200 OK\r\nContent-Ty", "HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\n{"]
      const { send, upstream } = yield* connect(
        Effect.fnUntraced(function*(exchange) {
          yield* exchange.raw(beginnings[Number(exchange.values("x-beginning"))] ?? "")
          return yield* Effect.never
        }),
        { upstreamTimeout: 1 }
      )
      const errors = yield* Effect.forEach(
        beginnings,
        (_, index) => Effect.flip(send(request({ headers: { "x-beginning": String(index) } }))),
        { concurrency: "unbounded" }
      )
      for (const error of errors) assert.deepInclude(error, { _tag: "UpstreamTimeout", millis: 1000 })
      assert.lengthOf(upstream.exchanges, beginnings.length)
      for (const { ended } of upstream.exchanges) assert.strictEqual(yield* ended, "Left")
    })
  ),

  clientRequirement(
    {
      id: "CLIENT-45",
      title:
        "MUST NOT show the URL, nor anything sent or received, in an error, nor anything sent in the log or a span",
      source: "CWE-209; CWE-532",
      runs: 3
    },
    { canary },
    ({ canary }) =>
      Effect.forEach(
        troubles,
        Effect.fnUntraced(function*(trouble) {
          const responder: Responder = Effect.fnUntraced(function*(exchange) {
            yield* exchange.raw(
              trouble === "head"
                ? `${canary} ${canary}\r\n\r\n`
                : trouble === "body"
                ? `HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n${canary}`
                : trouble === "encoded"
                ? `HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nContent-Length: 24\r\n\r\n${canary}`
                : `HTTP/1.1 200 ${canary}\r\nX-Name: ${canary}\r\nContent-Length: 100\r\n\r\n${canary}`
            )
            yield* exchange.cut("End")
          })
          const { send, upstream } = yield* connect(responder)
          const { record, texts } = makeRecords()
          const secret = `secret-${canary}`
          const outcome: UpstreamError | undefined = yield* send(request({
            target: `/mcp?key=${canary}`,
            headers: {
              authorization: `Bearer ${secret}`,
              "x-auth-user-id": secret,
              "x-name": trouble === "unwritable" ? `${secret}\n` : secret
            },
            body: Buffer.from(secret)
          })).pipe(
            Effect.flatMap(bodyOf),
            Effect.as(undefined),
            Effect.catch(Effect.succeed),
            Effect.withSpan("a request"),
            record
          )
          for (const written of texts()) assert.notInclude(written, secret, trouble)
          // An encoded response may be returned unchanged.
          if (outcome === undefined) return assert.strictEqual(trouble, "encoded")
          assert.notInclude(inspect(outcome, { depth: Infinity, showHidden: true }), canary, trouble)
          // A cause, for programs that embed the client, may name the address.
          const shown = `${outcome} ${"detail" in outcome ? outcome.detail : ""}`
          assert.notInclude(shown, new URL(upstream.origin).host, trouble)
        }),
        { discard: true }
      )
  )
]
