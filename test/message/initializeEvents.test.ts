import { assert, describe, it } from "@effect/vitest"
import * as Arbitrary from "effect/Arbitrary"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Fiber from "effect/Fiber"
import * as Queue from "effect/Queue"
import * as Schema from "effect/Schema"
import * as Stream from "effect/Stream"
import { initializeEvents } from "../../src/message/initializeEvents.ts"
import { joinBytes } from "../../src/message/json/spliceBytes.ts"
import { EventFramer } from "../../src/message/sse/eventFramer.ts"

const encoder = new TextEncoder()
const decoder = new TextDecoder("utf-8", { ignoreBOM: true })

const info = `{"authenticated_user":"user_1"}`
const options = { authInfo: encoder.encode(info), id: 1 }

const response = `{"jsonrpc":"2.0","id":1,"result":{"serverInfo":{"name":"s"}}}`
const rewritten = `{"jsonrpc":"2.0","id":1,"result":{"serverInfo":{"authInfo":${info},"name":"s"}}}`
const notification = `{"jsonrpc":"2.0","method":"notifications/message","params":{}}`

const joined = (chunks: Iterable<Uint8Array>): string => decoder.decode(joinBytes([...chunks]))

const through = (chunks: ReadonlyArray<Uint8Array>, overrides: { readonly maxEventBytes?: number } = {}) =>
  Stream.fromIterable(chunks).pipe(initializeEvents({ ...options, ...overrides }), Stream.runCollect)

const transformed = (text: string, overrides: { readonly maxEventBytes?: number } = {}) =>
  Effect.map(through([encoder.encode(text)], overrides), joined)

/** The bytes in pieces of the given lengths, used in turn. */
const pieces = (bytes: Uint8Array, lengths: ReadonlyArray<number>): ReadonlyArray<Uint8Array> => {
  const chunks: Array<Uint8Array> = []
  for (let at = 0, next = 0; at < bytes.length; next++) {
    const end = at + (lengths[next % lengths.length] ?? 1)
    chunks.push(bytes.subarray(at, end))
    at = end
  }
  return chunks
}

const fragments = [
  `data: ${response}`,
  `data:${response}`,
  `data: ${response.replace(`"result"`, `\ndata: "result"`)}`,
  `data: ${notification}`,
  "data",
  "data:",
  "data: x",
  "database: 1",
  "dat",
  "da: 1",
  ": heartbeat",
  ":",
  "id: 1",
  "event: message",
  "retry: 10",
  "é😀",
  ""
] as const

const lineEnds = ["\n", "\r\n", "\r"] as const

describe("initializeEvents", () => {
  it.effect("FWD-11 rewrites the response in an event", () =>
    Effect.gen(function*() {
      assert.strictEqual(yield* transformed(`data: ${response}\n\n`), `data: ${rewritten}\n\n`)
      assert.strictEqual(yield* transformed(`data:${response}\n\n`), `data: ${rewritten}\n\n`)
      assert.strictEqual(
        yield* transformed(`event: message\nid: 7\nretry: 1\ndata: ${response}\nx: y\n: c\n\n`),
        `event: message\nid: 7\nretry: 1\ndata: ${rewritten}\nx: y\n: c\n\n`
      )
    }))

  it.effect("FWD-11 rewrites an event with any line ends, and with a byte order mark", () =>
    Effect.gen(function*() {
      for (const end of lineEnds) {
        assert.strictEqual(
          yield* transformed(`\ufeffdata: ${response}${end}id: 1${end}${end}data: x${end}${end}`),
          `\ufeffdata: ${rewritten}${end}id: 1${end}${end}data: x${end}${end}`
        )
      }
      const marked = `\ufeff\ufeffdata: ${response}\n\n`
      assert.strictEqual(yield* transformed(marked), marked)
      const late = `: x\n\ufeffdata: ${response}\n\n`
      assert.strictEqual(yield* transformed(late), late)
    }))

  it.effect("FWD-11 rewrites an event with data on several lines", () =>
    Effect.gen(function*() {
      assert.strictEqual(
        yield* transformed(`data\ndata: {"id":1,\nid: 7\ndata:"result":{"serverInfo":{\ndata:  }}}\ndata\n\n`),
        `data: \ndata: {"id":1,\ndata: "result":{"serverInfo":{"authInfo":${info}\ndata:  }}}\ndata: \nid: 7\n\n`
      )
      // A line end is white space between tokens, but not within one.
      const broken = `data: {"id":1,"result":{"server\ndata: Info":{}}}\n\n`
      assert.strictEqual(yield* transformed(broken), broken)
    }))

  it.effect("FWD-11 rewrites the first response only, also after other events", () =>
    Effect.gen(function*() {
      const before = `: hello\n\nevent: x\n\ndata: ${notification}\n\ndata: ${response.replace(`"id":1`, `"id":2`)}\n\n`
      const after = `data: ${response}\n\ndata: ${notification}\n\n`
      assert.strictEqual(
        yield* transformed(`${before}data: ${response}\n\n${after}`),
        `${before}data: ${rewritten}\n\n${after}`
      )
    }))

  it.effect("FWD-14 changes nothing else", () =>
    Effect.gen(function*() {
      for (
        const text of [
          "",
          "\n\n\n",
          `data: ${notification}\n\n`,
          `data: ${response}\n`,
          `data: ${response}`,
          `DATA: ${response}\n\n`,
          ` data: ${response}\n\n`,
          `data : ${response}\n\n`,
          `dataa: ${response}\n\n`,
          `: data: ${response}\n\n`,
          `data: x${response}\n\n`,
          `data: ${response}\ndata: ${response}\n\n`,
          `event: data: ${response}\n\n`,
          `data: [${response}]\n\n`,
          "data\n\ndata:\n\ndata: \r\rdata\r\n\r\n"
        ]
      ) {
        const bytes = encoder.encode(text)
        assert.deepStrictEqual(joined(yield* through([bytes])), text)
      }
      // Part of a byte order mark is ordinary data, and changes the line.
      const event = encoder.encode(`data: ${response}\n\n`)
      for (const mark of [[0xef], [0xef, 0xbb], [0xef, 0xbb, 0xbb]]) {
        const bytes = Uint8Array.from([...mark, ...event])
        assert.deepStrictEqual(joinBytes(yield* through([bytes])), bytes)
      }
    }))

  it.effect("MCP-14 passes on unread an event that is too long, and all that follow", () =>
    Effect.gen(function*() {
      const event = `data: ${response}\n\n`
      const limit = event.length
      assert.strictEqual(yield* transformed(event, { maxEventBytes: limit }), `data: ${rewritten}\n\n`)
      assert.strictEqual(yield* transformed(event, { maxEventBytes: limit - 1 }), event)
      // Bytes before the data of an event are not held and do not count.
      const long = `: ${"x".repeat(1000)}\n`
      assert.strictEqual(
        yield* transformed(`${long}${event}`, { maxEventBytes: limit }),
        `${long}data: ${rewritten}\n\n`
      )
      const longData = `data: ${"x".repeat(1000)}\n\n`
      assert.strictEqual(yield* transformed(`${longData}${event}`, { maxEventBytes: limit }), `${longData}${event}`)
      const framer = new EventFramer((event) => event, 100)
      assert.lengthOf(framer.push(encoder.encode(`data: ${"x".repeat(94)}`)), 0)
      assert.strictEqual(joined(framer.push(encoder.encode("y"))), `data: ${"x".repeat(94)}y`)
      const chunk = encoder.encode("z")
      assert.strictEqual(framer.push(chunk)[0], chunk)
    }))

  it.effect("MCP-14 accepts an event of 4 MiB in small chunks", () =>
    Effect.gen(function*() {
      const padding = " ".repeat(4 * 1024 * 1024 - 200)
      const bytes = encoder.encode(`data: ${response.replace("{", `{${padding}`)}\n\n`)
      const output = yield* through(pieces(bytes, [97]))
      assert.strictEqual(
        joined(output.map((chunk) => chunk.subarray(0, 4)).slice(0, 1)),
        "data"
      )
      assert.strictEqual(
        output.reduce((sum, { length }) => sum + length, 0),
        bytes.length + `"authInfo":${info},`.length
      )
      const larger = encoder.encode(`data: ${response.replace("{", `{${padding}${padding}`)}\n\n`)
      const same = yield* through(pieces(larger, [65536]))
      assert.strictEqual(same.reduce((sum, { length }) => sum + length, 0), larger.length)
    }))

  it.effect("MCP-18 passes on every event when it is complete, and heartbeats at once", () =>
    Effect.gen(function*() {
      const queue = yield* Queue.unbounded<Uint8Array>()
      const pull = yield* Stream.toPull(initializeEvents(options)(Stream.fromQueue(queue)))
      const expectNext = (text: string) => Effect.map(pull, (chunks) => assert.strictEqual(joined(chunks), text))
      const send = (text: string) => Queue.offer(queue, encoder.encode(text))

      yield* send(": ping\n")
      yield* expectNext(": ping\n")
      yield* send(": pi")
      yield* expectNext(": pi")
      yield* send("ng\n\nid: 7\nda")
      yield* expectNext("ng\n\nid: 7\n")
      yield* send("tabase: 1\nda")
      yield* expectNext("database: 1\n")
      yield* send(`ta: ${notification}\n`)
      const held = yield* Effect.forkChild(pull, { startImmediately: true })
      yield* Effect.yieldNow
      assert.isUndefined(held.pollUnsafe())
      yield* send("\r")
      assert.strictEqual(joined(yield* Fiber.join(held)), `data: ${notification}\n\r`)
      yield* send("\n")
      yield* expectNext("\n")
      yield* send(`data: ${response}\r\n\r`)
      yield* expectNext(`data: ${rewritten}\r\n\r`)
      yield* send("\ndata: un")
      yield* expectNext("\ndata: un")
    }))

  it.effect("MCP-19 passes on what it holds when the stream fails, and fails with it", () =>
    Effect.gen(function*() {
      const seen: Array<Uint8Array> = []
      const exit = yield* Stream.make(encoder.encode("data: {")).pipe(
        Stream.concat(Stream.fail("broken" as const)),
        initializeEvents(options),
        Stream.runForEach((chunk) => Effect.sync(() => seen.push(chunk))),
        Effect.exit
      )
      assert.strictEqual(joined(seen), "data: {")
      assert.deepStrictEqual(exit, Exit.fail("broken" as const))
    }))

  it("FWD-14 copies only chunks that it holds back", () => {
    const framer = new EventFramer((event) => event, 1000)
    const comment = encoder.encode(": ping\n\n")
    assert.strictEqual(framer.push(comment)[0], comment)
    const event = encoder.encode("data: 1\n\n")
    assert.strictEqual(framer.push(event)[0]?.buffer, event.buffer)
    assert.lengthOf(framer.end(), 0)
  })

  it.effect.prop(
    "FWD-11 produces the same for every division into chunks",
    {
      lines: Arbitrary.array(
        Arbitrary.schema(
          Schema.Tuple([Schema.Literals(fragments), Schema.Literals(lineEnds), Schema.Literals(["", "end"])])
        ),
        { maxLength: 8 }
      ),
      mark: Arbitrary.schema(Schema.Literals(["", "\ufeff"])),
      lengths: Arbitrary.schema(
        Schema.Array(Schema.Int.check(Schema.isBetween({ minimum: 1, maximum: 9 }))).check(
          Schema.isMinLength(1),
          Schema.isMaxLength(5)
        )
      ),
      limit: Arbitrary.schema(Schema.Literals([20, 80, 1000]))
    },
    ({ lengths, limit, lines, mark }) =>
      Effect.gen(function*() {
        const text = mark + lines.map(([line, end, blank]) => `${line}${end}${blank === "" ? "" : end}`).join("")
        const bytes = encoder.encode(text)
        const whole = joined(yield* through([bytes], { maxEventBytes: limit }))
        for (const split of [lengths, [1]]) {
          const output = yield* through(pieces(bytes, split), { maxEventBytes: limit })
          assert.isTrue(output.every(({ length }) => length > 0))
          assert.strictEqual(joined(output), whole)
        }
        // Against a reader of whole texts that knows nothing of chunks.
        assert.strictEqual(whole, reference(text, limit))
      }),
    { arbitrary: { runs: 1500 } }
  )
})

/** The transform of a whole text. */
const reference = (text: string, limit: number): string => {
  let passed = text.startsWith("\ufeff") ? "\ufeff" : ""
  const events = text.slice(passed.length).matchAll(/(?:[^\r\n]+(?:\r\n|\n|\r(?!\n)))*(?:\r\n|\n|\r(?!\n))/gy)
  for (const [event] of events) {
    const from = event.search(/(?<=^|[\r\n])data(?=[:\r\n])/)
    const held = from < 0 ? "" : event.slice(from)
    // A blank line that ends in CRLF is over at its CR.
    if (encoder.encode(held.replace(/\r\n$/, "\r")).length > limit) return text
    const lines = held.match(/[^\r\n]*(?:\r\n|\r|\n)/g) ?? []
    const data = lines.filter((line) => /^data[:\r\n]/.test(line))
    const json = data.map((line) => line.replace(/[\r\n]+$/, "").replace(/^data(?:: ?)?/, "")).join("\n")
    if (json.replaceAll("\n", "") === response) {
      const end = /[\r\n]+$/.exec(held.slice(0, data[0]?.length))?.[0] ?? ""
      const changed = json.replace(`{"name"`, `{"authInfo":${info},"name"`)
      const others = lines.filter((line) => !data.includes(line))
      const rewrittenData = changed.split("\n").map((line) => `data: ${line}${end}`)
      return passed + event.slice(0, event.length - held.length) + [...rewrittenData, ...others].join("")
        + text.slice(passed.length + event.length)
    }
    passed += event
  }
  return text
}
