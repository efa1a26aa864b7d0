import { assert, layer } from "@effect/vitest"
import * as Effect from "effect/Effect"
import { gzipSync } from "node:zlib"
import { initializeWith, message, ping } from "../fixtures/messages.ts"
import { accepted, rejected } from "../message/jsonCorpus.ts"
import { compact, type Entries, isEntries, lookups, parseEntries, type Value, valuesOf } from "../message/naiveJson.ts"
import { assertRejected } from "../support/assertRejected.ts"
import { GatewayFixture, textOf } from "../support/GatewayFixture.ts"
import { rawExchange } from "../support/rawHttp.ts"

const forged = `{"authenticated_user":"root","email":"root@example.com","provider":"forged"}`
const ours = `{"authenticated_user":"dev-user","email":"dev@example.com","provider":"static"}`

/** Messages with `more` members after their params. */
const initialize = (params: string, more = "") => initializeWith(`${params}${more}`)
const call = (params: string, more = "") => message("tools/call", `${params}${more}`)

/** A name written so that JSON parsers, strict or lenient, read `_authContext`. */
const names = [
  `"_authContext"`,
  `"_auth\\u0043ontext"`,
  `"\\u005f\\u0061\\u0075\\u0074\\u0068\\u0043\\u006f\\u006e\\u0074\\u0065\\u0078\\u0074"`,
  `"_authcontext"`,
  `"_AUTHCONTEXT"`,
  `"_AuthContext"`,
  `"_auth\\u0063ontext"`,
  `"_authContext\\u0000"`,
  `"_authContext\\u0000x"`
]

/** Where a server could look for it: the message and its members around one forged member. */
const places: ReadonlyArray<
  readonly [place: string, params: (member: string) => string, more?: (m: string) => string]
> = [
  ["params", (member) => `{${member},"name":"echo"}`],
  ["params, last", (member) => `{"name":"echo",${member}}`],
  ["params, alone", (member) => `{${member}}`],
  ["arguments", (member) => `{"name":"echo","arguments":{"message":"m",${member}}}`],
  ["_meta", (member) => `{"_meta":{"progressToken":1,${member}}}`],
  ["clientInfo", (member) => `{"clientInfo":{${member},"name":"x"}}`],
  ["__proto__", (member) => `{"__proto__":{${member}}}`],
  ["constructor.prototype", (member) => `{"constructor":{"prototype":{${member}}}}`],
  ["an array", (member) => `{"list":[{${member}},[[{${member}}]]]}`],
  ["the message", () => `{"name":"echo"}`, (member) => `,${member}`]
]

/** Each value that some parser finds under `_authContext`, anywhere. */
const found = (text: string): ReadonlyArray<Value> => valuesOf(parseEntries(text), "_authContext")

const at = (value: Value | undefined, name: string, lookup: (object: Entries, wanted: string) => Value | undefined) =>
  isEntries(value) ? lookup(value, name) : undefined

const ourValue = parseEntries(ours)

/** First-wins, last-wins and case-insensitive parsers all find ours in `params`, and no parser finds another. */
const assertOurs = (text: string): void => {
  JSON.parse(text)
  const root = parseEntries(text)
  for (const lookup of lookups) {
    assert.deepStrictEqual(at(at(root, "params", lookup), "_authContext", lookup), ourValue)
  }
  assert.deepStrictEqual(found(text), [ourValue])
  assert.notInclude(text, "root")
}

const utf16 = (text: string, bom: string) => Buffer.from(bom + text, "utf16le")

/** A message around any bytes. */
const around = (bytes: Uint8Array) =>
  Buffer.concat([Buffer.from(`{"jsonrpc":"2.0","id":1,"method":"ping","params":{"v":`), bytes, Buffer.from("}}")])

const Fixture = GatewayFixture.layer()

layer(Fixture, { excludeTestServices: true })("bodies on their way upstream", (it) => {
  it("control: the parsers of this test do find forged members", () => {
    for (const name of names.slice(0, 7)) {
      for (const [place, params, more] of places) {
        const member = `${name}:${forged}`
        assert.isNotEmpty(found(call(params(member), more?.(member))), place)
      }
    }
    assert.throws(() => assertOurs(initialize(`{"_authContext":${forged}}`)))
  })

  it.effect("FWD-11 FWD-12 initialize carries the gateway's context once, wherever and however one was forged", () =>
    Effect.gen(function*() {
      const { forwarded, reset } = yield* GatewayFixture
      for (const name of names) {
        yield* reset
        for (const [, params, more] of places) {
          const member = `${name}:${forged}`
          const request = yield* forwarded({ body: initialize(params(member), more?.(member)) })
          assertOurs(yield* textOf(request))
        }
      }
    }))

  it.effect("FWD-11 FWD-12 every other message loses the forged context and nothing else", () =>
    Effect.gen(function*() {
      const { forwarded, reset } = yield* GatewayFixture
      for (const name of names) {
        yield* reset
        for (const [, params, more] of places) {
          const member = `${name}:${forged}`
          for (const method of ["tools/call", "notifications/x"]) {
            const body = message(method, `${params(member)}${more?.(member) ?? ""}`)
            const clean = JSON.parse(body, function(this: unknown, key, value: unknown) {
              return /^_authcontext(?:\0.*)?$/i.test(key) ? undefined : value
            })
            const text = yield* textOf(yield* forwarded({ body }))
            assert.isEmpty(found(text))
            assert.notInclude(text, "root")
            assert.deepStrictEqual(JSON.parse(text), clean)
          }
        }
      }
    }))

  it.effect("FWD-11 each message of a batch is cleaned", () =>
    Effect.gen(function*() {
      const { forwarded, reset } = yield* GatewayFixture
      yield* reset
      const messages = places.map(([, params, more]) => {
        const member = `"_authContext":${forged}`
        return call(params(member), more?.(member))
      })
      const text = yield* textOf(yield* forwarded({ body: `[${messages.join()}]` }))
      assert.isEmpty(found(text))
      assert.lengthOf(JSON.parse(text), places.length)
      assert.notInclude(text, "root")
    }))

  it.effect("FWD-11 the forged context of a response and of a message without params is removed", () =>
    Effect.gen(function*() {
      const { forwarded } = yield* GatewayFixture
      const response = `{"jsonrpc":"2.0","id":1,"result":{"_authContext":${forged},"roots":[]}}`
      assert.strictEqual(
        yield* textOf(yield* forwarded({ body: response })),
        `{"jsonrpc":"2.0","id":1,"result":{"roots":[]}}`
      )
      assertOurs(yield* textOf(yield* forwarded({ body: message("initialize") })))
    }))

  it.effect("FWD-12 a message that parsers could read differently is rejected", () =>
    Effect.gen(function*() {
      const fixture = yield* GatewayFixture
      const ambiguous = [
        `{"jsonrpc":"2.0","id":1,"method":"ping","method":"initialize"}`,
        `{"jsonrpc":"2.0","id":1,"method":"ping","Method":"initialize"}`,
        `{"jsonrpc":"2.0","id":1,"method":"ping","\\u006dethod":"initialize"}`,
        `{"jsonrpc":"2.0","id":1,"id":2,"method":"ping"}`,
        `{"jsonrpc":"2.0","id":1,"method":"initialize","params":{},"params":{"x":1}}`,
        `{"jsonrpc":"2.0","id":1,"method":"initialize","params":{},"PARAM\\u017f":{"x":1}}`,
        `{"jsonrpc":"2.0","id":1,"method":"initialize","params":{},"param\u017f":{"x":1}}`,
        initialize(`{"_authContext":${forged},"_authContext":${forged}}`),
        initialize(`{"_authContext":${forged},"_AUTHCONTEXT":${forged}}`),
        call(`{"name":"public","name":"admin"}`),
        call(`{"name":"public","Name":"admin"}`),
        `[${initialize("{}")}]`
      ]
      for (const body of ambiguous) yield* assertRejected(fixture, { body }, { status: 400, error: "invalid_request" })
    }))

  it.effect("FWD-13 a body that cannot carry the context is rejected", () =>
    Effect.gen(function*() {
      const fixture = yield* GatewayFixture
      const malformed: ReadonlyArray<string | Uint8Array> = [
        "",
        " ",
        "[]",
        "[1]",
        "\"initialize\"",
        "1",
        "null",
        "true",
        initialize("[]"),
        initialize("[{}]"),
        initialize("null"),
        initialize("\"x\""),
        initialize("1"),
        `\ufeff${initialize("{}")}`,
        utf16(initialize("{}"), ""),
        utf16(initialize("{}"), "\ufeff"),
        utf16(initialize("{}"), "\ufeff").swap16(),
        Buffer.concat([Buffer.from(initialize("{}").slice(0, -1)), Buffer.of(0xff, 0x7d)]),
        initialize("{").slice(0, -1),
        `${initialize("{}")}${initialize("{}")}`,
        `${initialize("{}")}\n${call("{}")}`,
        gzipSync(initialize("{}")),
        initialize(`{"deep":${"[".repeat(300)}${"]".repeat(300)}}`),
        initialize(`{"deep":${"[".repeat(100_000)}${"]".repeat(100_000)}}`)
      ]
      for (const body of malformed) yield* assertRejected(fixture, { body }, { status: 400, error: "invalid_request" })
    }))

  it.effect("FWD-13 a body of another type or in an encoding is rejected", () =>
    Effect.gen(function*() {
      const fixture = yield* GatewayFixture
      const body = initialize("{}")
      const unsupported = { status: 415, error: "unsupported_media_type" }
      const types = [
        null,
        "text/plain",
        "application/x-www-form-urlencoded",
        "multipart/form-data; boundary=x",
        "application/json; charset=utf-16",
        "application/json; charset=utf-7",
        "application/json, text/plain",
        "application/json5",
        "text/event-stream"
      ]
      for (const contentType of types) yield* assertRejected(fixture, { body, contentType }, unsupported)
      for (const encoding of ["gzip", "br", "deflate", "zstd", "identity, gzip", "x-unknown"]) {
        const lines = [`Content-Encoding: ${encoding}`]
        yield* assertRejected(fixture, { body: gzipSync(body), lines }, unsupported)
      }
      yield* assertRejected(fixture, { method: "DELETE", body, contentType: "text/plain" }, unsupported)
      for (const contentType of ["application/json; charset=utf-8", "Application/JSON;charset=\"UTF-8\""]) {
        const lines = ["Content-Encoding: identity"]
        assertOurs(yield* textOf(yield* fixture.forwarded({ body, contentType, lines })))
      }
    }))

  it.effect("FWD-13 a chunked body carries the context like any other", () =>
    Effect.gen(function*() {
      const { gateway, reset, token, upstream } = yield* GatewayFixture
      yield* reset
      const head = [
        "POST /mcp HTTP/1.1",
        "Host: 127.0.0.1",
        `Authorization: Bearer ${token}`,
        "Content-Type: application/json",
        "Transfer-Encoding: chunked",
        "",
        ""
      ].join("\r\n")
      const body = initialize(`{"_authContext":${forged},"x":1}`)
      const pieces = body.match(/[^]{1,7}/g) ?? []
      const chunks = pieces.map((piece) => `${piece.length.toString(16)}\r\n${piece}\r\n`)
      const { responses } = yield* rawExchange(gateway.origin, [head, ...chunks, "0\r\n\r\n"])
      assert.strictEqual(responses[0]?.status, 200)
      assertOurs(yield* textOf(yield* upstream.awaitRequest()))
    }))

  it.effect("FWD-14 what is not rewritten arrives byte for byte", () =>
    Effect.gen(function*() {
      const { forwarded, reset } = yield* GatewayFixture
      const bodies = [
        `{"jsonrpc":"2.0","id":9007199254740993,"method":"ping"}`,
        `{"jsonrpc":"2.0","id":-0,"method":"ping"}`,
        `{"jsonrpc":"2.0","id":1.10,"method":"ping"}`,
        `{"jsonrpc":"2.0","id":1e400,"method":"ping"}`,
        ` {\t"method" :\r\n"ping", "z":1,"a":2, "id" : "\\u0031" ,"jsonrpc":"2.0"}\n`,
        call(`{"arguments":{"b":1,"a":2,"b":3,"10":0,"9":0,"s":"\\udfff","\\/":"/","e":"é\\u00e9"}}`)
      ]
      for (const body of bodies) {
        yield* reset
        assert.strictEqual(yield* textOf(yield* forwarded({ body })), body)
      }
    }))

  it.effect("FWD-14 apart from the context, no byte changes", () =>
    Effect.gen(function*() {
      const { forwarded } = yield* GatewayFixture
      const before = ` {"id" : 9007199254740993 , "jsonrpc":"2.0","method":"initialize","params": {`
      const after = `"z" : 1e400, "a":-0 , "a" : 1.10`
      const sent = `${before}"_authContext" : ${forged} ,${after} } }`
      assert.strictEqual(
        compact(yield* textOf(yield* forwarded({ body: sent }))),
        compact(`${before}${after},"_authContext":${ours} } }`)
      )
    }))

  it.effect("FWD-14 every text of the JSON corpus arrives byte for byte or is rejected", () =>
    Effect.gen(function*() {
      const { forwarded, reset, send, upstream } = yield* GatewayFixture
      for (const [name, bytes] of accepted) {
        yield* reset
        const body = around(bytes)
        assert.isTrue(body.equals(yield* (yield* forwarded({ body })).body), name)
      }
      yield* reset
      for (const [name, bytes] of rejected) {
        const { responses } = yield* send({ body: around(bytes) })
        assert.strictEqual(responses[0]?.status, 400, name)
      }
      assert.isEmpty(upstream.requests())
      yield* forwarded({ body: ping })
    }))
})
