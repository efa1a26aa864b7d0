/** What must be returned of a response. */
import * as Arbitrary from "effect/Arbitrary"
import * as Deferred from "effect/Deferred"
import * as Effect from "effect/Effect"
import { brotliCompressSync, deflateSync, gzipSync } from "node:zlib"
import type { UpstreamResponse } from "../../forward/GatewayClient.ts"
import { oneOf } from "../arbitrary.ts"
import * as assert from "../assert.ts"
import * as arbitraries from "./arbitraries.ts"
import { clientRequirement } from "./clientRequirement.ts"
import { bodyOf, connect, request } from "./Subject.ts"
import { type Fields, respond, type Responder, startUpstream } from "./Upstream.ts"

const assertCarries = ({ headers }: UpstreamResponse, fields: Readonly<Record<string, string>>): void => {
  for (const [name, value] of Object.entries(fields)) assert.strictEqual(headers[name], value, name)
}

/** Fields that belong to the connection, or that the upstream's own server writes. */
const ofTheConnection: ReadonlySet<string> = new Set([
  "connection",
  "content-length",
  "date",
  "keep-alive",
  "transfer-encoding"
])

/** The three ways to delimit a body: RFC 9112, section 6.3. */
const framings = {
  length: (status, fields, body) =>
    respond(status, [...fields, ["content-length", String(Buffer.concat(body).length)]], body),
  chunked: respond,
  close: (status, fields, body) =>
    Effect.fnUntraced(function*(exchange) {
      yield* exchange.body
      const lines = fields.map(([name, value]) => `${name}: ${value}\r\n`)
      yield* exchange.raw(`HTTP/1.1 ${status} Status\r\nConnection: close\r\n${lines.join("")}\r\n`)
      for (const chunk of body) yield* exchange.raw(chunk)
      yield* exchange.cut("End")
    })
} as const satisfies Record<string, (status: number, fields: Fields, body: ReadonlyArray<Uint8Array>) => Responder>

const encoders = { gzip: gzipSync, deflate: deflateSync, br: brotliCompressSync }

/** Statuses of responses with a body. */
const statuses = [200, 404, 201, 500, 409]

const text = new TextEncoder()

export const responses = [
  clientRequirement(
    {
      id: "CLIENT-10",
      title:
        "MUST return the status, the fields and the bytes of the body unchanged, with nothing added, however they are framed, and send the request once",
      source: "RFC 9110, sections 7.7 and 9.2.2",
      runs: 40
    },
    {
      status: arbitraries.status,
      fields: arbitraries.fields,
      chunks: arbitraries.chunks,
      framing: oneOf(["length", "chunked", "close"])
    },
    Effect.fnUntraced(function*({ chunks, fields, framing, status }) {
      const whole = Buffer.concat(chunks)
      // Errors that some clients treat specially are tried in every case, one of them without a type.
      for (const each of new Set([status, 404, 503])) {
        const type = each === 404 ? {} : { "content-type": "text/plain; charset=utf-8; x=\"a;b\"" }
        const sent: Readonly<Record<string, string>> = { ...type, ...fields, "retry-after": "0" }
        const { send, upstream } = yield* connect(framings[framing](each, Object.entries(sent), chunks))
        const response = yield* send(request())
        assert.strictEqual(response.status, each)
        assertCarries(response, sent)
        const made = Object.keys(response.headers).filter((name) =>
          !ofTheConnection.has(name) && !Object.hasOwn(sent, name)
        )
        assert.deepStrictEqual(made, [], "fields that the upstream has not sent")
        assert.isTrue(whole.equals(yield* bodyOf(response)))
        assert.lengthOf(upstream.exchanges, 1, "the request was sent again")
      }
    })
  ),

  clientRequirement(
    {
      id: "CLIENT-11",
      title: "MUST return no body for responses that have none by definition, with the fields unchanged",
      source: "RFC 9112, section 6.3"
    },
    {
      bodiless: oneOf([["HEAD", 200], ["HEAD", 404], ["GET", 304], ["POST", 204], ["DELETE", 204]]),
      fields: arbitraries.fields
    },
    Effect.fnUntraced(function*({ bodiless: [method, status], fields }) {
      const { send, upstream } = yield* connect(
        respond(status, [
          ...Object.entries(fields),
          ...(method === "HEAD" || status === 304 ? [["content-length", "70000"] as const] : [])
        ])
      )
      // Twice: bytes that are mistaken for a body would consume the next response.
      for (let count = 0; count < 2; count++) {
        const response = yield* send(request({ method, body: method === "POST" ? new Uint8Array() : undefined }))
        assert.strictEqual(response.status, status)
        assertCarries(response, fields)
        assert.lengthOf(yield* bodyOf(response), 0)
      }
      assert.lengthOf(upstream.exchanges, 2)
    })
  ),

  clientRequirement(
    {
      id: "CLIENT-12",
      title: "MUST keep repeated Set-Cookie fields apart",
      source: "RFC 9110, section 5.3; RFC 6265, section 3"
    },
    { cookies: arbitraries.cookies },
    Effect.fnUntraced(function*({ cookies }) {
      const fields = cookies.map((cookie) => ["set-cookie", cookie] as const)
      const { send } = yield* connect(respond(200, [["content-length", "0"], ...fields]))
      const { headers } = yield* send(request())
      assert.deepStrictEqual([headers["set-cookie"] ?? []].flat(), cookies)
    })
  ),

  clientRequirement(
    {
      id: "CLIENT-13",
      title: "MUST NOT follow redirects: it returns the response unchanged, or fails with UpstreamUnavailable",
      source: "RFC 9110, section 15.4; CWE-918"
    },
    {
      status: oneOf([300, 301, 302, 303, 307, 308]),
      method: arbitraries.method,
      elsewhere: oneOf([true, false]),
      target: arbitraries.target
    },
    Effect.fnUntraced(function*({ elsewhere, method, status, target }) {
      const other = yield* startUpstream(respond(200, []))
      const location = elsewhere ? `${other.origin}${target}` : target
      const { send, upstream } = yield* connect(respond(status, [["location", location], ["content-length", "0"]]))
      const outcome = yield* Effect.result(send(request({ method, target, body: undefined })))
      if (outcome._tag === "Failure") assert.strictEqual(outcome.failure._tag, "UpstreamUnavailable")
      else {
        assert.strictEqual(outcome.success.status, status)
        assertCarries(outcome.success, { location })
      }
      assert.lengthOf(upstream.exchanges, 1)
      assert.lengthOf(other.exchanges, 0)
    })
  ),

  clientRequirement(
    {
      id: "CLIENT-14",
      title: "MUST return an encoded body with its Content-Encoding, undecoded, or fail",
      source: "RFC 9110, section 8.4",
      runs: 10
    },
    {
      plain: arbitraries.body,
      length: oneOf([true, false]),
      accepted: oneOf([{}, { "accept-encoding": "gzip, deflate, br" }])
    },
    Effect.fnUntraced(function*({ accepted, length, plain }) {
      for (const [coding, encoder] of Object.entries(encoders)) {
        const encoded = encoder(plain)
        const { send } = yield* connect(respond(200, [
          ["content-encoding", coding],
          ...(length ? [["content-length", String(encoded.length)] as const] : [])
        ], [encoded]))
        const outcome = yield* Effect.result(send(request({ headers: accepted })))
        if (outcome._tag === "Failure") assert.strictEqual(outcome.failure._tag, "UpstreamUnavailable")
        else {
          assertCarries(outcome.success, { "content-encoding": coding })
          assert.isTrue(encoded.equals(yield* bodyOf(outcome.success)), coding)
        }
      }
    })
  ),

  clientRequirement(
    {
      id: "CLIENT-15",
      title: "MUST skip interim responses",
      source: "RFC 9110, section 15.2"
    },
    {
      interim: oneOf(["102 Processing", "103 Early Hints\r\nlink: </style.css>; rel=preload"]),
      status: arbitraries.status
    },
    Effect.fnUntraced(function*({ interim, status }) {
      const { send } = yield* connect(Effect.fnUntraced(function*(exchange) {
        yield* exchange.body
        yield* exchange.raw(`HTTP/1.1 ${interim}\r\n\r\n`)
        yield* exchange.head(status, [["content-length", "2"]])
        yield* exchange.write(text.encode("{}"))
        yield* exchange.end
      }))
      const response = yield* send(request())
      assert.strictEqual(response.status, status)
      assert.notProperty(response.headers, "link")
      assert.strictEqual(new TextDecoder().decode(yield* bodyOf(response)), "{}")
    })
  ),

  clientRequirement(
    {
      id: "CLIENT-16",
      title: "MUST NOT mix up the responses to concurrent requests",
      source: "CWE-488; CVE-2026-25536"
    },
    { bodies: arbitraries.bodies },
    Effect.fnUntraced(function*({ bodies }) {
      const all = yield* Deferred.make<void>()
      const { send, upstream } = yield* connect(Effect.fnUntraced(function*(exchange) {
        const body = yield* exchange.body
        // Every request waits for the others, and all responses are sent at once.
        if (upstream.exchanges.length === bodies.length) yield* Deferred.succeed(all, undefined)
        yield* Deferred.await(all)
        yield* respond(200, [["x-caller", exchange.values("x-caller").join()]], [text.encode("echo: "), body])(exchange)
      }))
      yield* Effect.forEach(
        bodies,
        Effect.fnUntraced(function*(body, index) {
          const response = yield* send(request({ headers: { "x-caller": String(index) }, body }))
          assertCarries(response, { "x-caller": String(index) })
          assert.isTrue(Buffer.concat([text.encode("echo: "), body]).equals(yield* bodyOf(response)))
        }),
        { concurrency: "unbounded" }
      )
      assert.lengthOf(upstream.exchanges, bodies.length)
    })
  ),

  clientRequirement(
    {
      id: "CLIENT-17",
      title: "MUST NOT change a response that it has returned",
      source: "CWE-362; CWE-488",
      runs: 8
    },
    { bodies: Arbitrary.array(arbitraries.fields, { minLength: 2, maxLength: 5 }), concurrent: oneOf([true, false]) },
    Effect.fnUntraced(function*({ bodies, concurrent }) {
      const { send } = yield* connect(Effect.fnUntraced(function*(exchange) {
        const body = yield* exchange.body
        const index = Number(exchange.values("x-caller").join())
        yield* respond(statuses[index] ?? 200, Object.entries({ ...bodies[index], "x-index": String(index) }), [body])(
          exchange
        )
      }))
      const returned = yield* Effect.forEach(bodies, (_, index) =>
        Effect.map(
          send(request({ headers: { "x-caller": String(index) }, body: text.encode(`body-${index}`) })),
          (response) => ({ response, status: response.status, headers: { ...response.headers } })
        ), { concurrency: concurrent ? "unbounded" : 1 })
      for (const [index, { headers, response, status }] of returned.entries()) {
        assert.deepStrictEqual([response.status, { ...response.headers }], [status, headers])
        assertCarries(response, { "x-index": String(index) })
        assert.strictEqual(Buffer.from(yield* bodyOf(response)).toString(), `body-${index}`)
      }
    })
  )
]
