import { assert, describe, it } from "@effect/vitest"
import * as Arbitrary from "effect/Arbitrary"
import * as Effect from "effect/Effect"
import * as Result from "effect/Result"
import * as Schema from "effect/Schema"
import { JsonScanner, type JsonToken } from "../../src/message/json/scanJson.ts"
import { maxTokenBytes } from "../../src/message/json/scanScalars.ts"
import { initializeWith, toolCall } from "../fixtures/messages.ts"
import { clear, message } from "./clientMessages.ts"
import { assertPiecesAgree, cut, send, sizes } from "./inPieces.ts"
import { accepted, rejected } from "./jsonCorpus.ts"
import { jsonText, render, spaces } from "./jsonText.ts"
import { call, context, decoder, encoder, options, rejection, sent, summary } from "./rewriting.ts"

/** Every token of a text with its bytes, as far as those are kept together. */
const tokens = (pieces: ReadonlyArray<Uint8Array>): ReadonlyArray<readonly [JsonToken, string, number, string]> => {
  const scanner = new JsonScanner(new Uint8Array(0), 256, false)
  const found: Array<readonly [JsonToken, string, number, string]> = []
  const read = (): JsonToken => {
    for (;;) {
      const token = scanner.next()
      if (token === "More" || token === "End" || token === "Malformed" || token === "TooDeep") return token
      const text = scanner.long ? "" : decoder.decode(scanner.bytes.subarray(scanner.start, scanner.end))
      found.push([token, text, scanner.depth, `${scanner.plain} ${scanner.loneSurrogate} ${scanner.nul}`])
    }
  }
  for (const piece of pieces) {
    scanner.push(piece)
    const token = read()
    if (token !== "More") return [...found, [token, "", 0, ""]]
  }
  scanner.push(new Uint8Array(0))
  scanner.finish()
  return [...found, [read(), "", 0, ""]]
}

const idOf = (id: string) => summary(`{"method":"initialize","id":"${id}"}`).initializeId

const at = Schema.Int.check(Schema.isBetween({ minimum: 0, maximum: 1_000_000 }))
const byte = Schema.Int.check(Schema.isBetween({ minimum: 0, maximum: 255 }))
const batch = Arbitrary.array(message, { minLength: 1, maxLength: 3 })
const clearBatch = Arbitrary.array(Arbitrary.map(message, (message) => clear(message)), { minLength: 1, maxLength: 3 })

const piece = 65_536

/** Sends a text that is repeated in the middle of a message so often that it fills `pieces` pieces. */
const sendLong = (before: string, repeated: string, after: string, pieces = 16) => {
  const bytes = encoder.encode(before + repeated.repeat(Math.ceil(pieces * piece / repeated.length)) + after)
  return { ...send(cut(bytes, [piece]), options), length: bytes.length }
}

describe("JsonScanner on pieces", () => {
  it("MCP-13 gives the same verdict as on the whole text", () => {
    for (const [name, bytes] of [...accepted, ...rejected]) {
      const whole = tokens([bytes])
      for (const size of [1, 2, 3, 5]) assert.deepStrictEqual(tokens(cut(bytes, [size])), whole, name)
    }
    for (const [, bytes] of accepted) assert.strictEqual(tokens(cut(bytes, [1])).at(-1)?.[0], "End")
    for (const [, bytes] of rejected) assert.strictEqual(tokens(cut(bytes, [1])).at(-1)?.[0], "Malformed")
  })

  it.effect.prop(
    "MCP-13 finds the same tokens for every division of a text with any byte changed",
    { text: jsonText, at, byte, sizes },
    ({ at, byte, sizes, text }) =>
      Effect.sync(() => {
        const bytes = encoder.encode(text)
        assert.deepStrictEqual(tokens(cut(bytes, sizes)), tokens([bytes]))
        bytes[at % bytes.length] = byte
        const whole = tokens([bytes])
        const inPieces = tokens(cut(bytes, sizes))
        assert.deepStrictEqual(inPieces.at(-1), whole.at(-1))
      }),
    { arbitrary: { runs: 1500 } }
  )
})

describe("RequestRewriter", () => {
  it.effect.prop(
    "FWD-11 FWD-12 FWD-14 rewrites any message in pieces as rewriteRequest does",
    { message, spaces, sizes },
    ({ message, sizes, spaces }) =>
      Effect.sync(() => {
        const bytes = encoder.encode(render(message, spaces))
        assertPiecesAgree(bytes, options, sizes)
        assertPiecesAgree(bytes, { authContext: undefined, ignoreTools: true }, sizes)
        const unambiguous = encoder.encode(render(clear(message), spaces))
        assertPiecesAgree(unambiguous, options, sizes)
        assertPiecesAgree(unambiguous, options, [1])
      }),
    { arbitrary: { runs: 500, size: 60 } }
  )

  it.effect.prop(
    "MCP-03 rewrites any batch in pieces as rewriteRequest does",
    { batch, clearBatch, spaces, sizes },
    ({ batch, clearBatch, sizes, spaces }) =>
      Effect.sync(() => {
        for (const items of [batch, clearBatch]) {
          assertPiecesAgree(encoder.encode(render({ _tag: "Array", items }, spaces)), options, sizes)
        }
      }),
    { arbitrary: { runs: 500 } }
  )

  it.effect.prop(
    "MCP-13 rejects in pieces what rewriteRequest rejects: truncated, changed or extended messages",
    { message: Arbitrary.map(message, (message) => clear(message)), spaces, sizes, at, byte },
    ({ at, byte, message, sizes, spaces }) =>
      Effect.sync(() => {
        const bytes = encoder.encode(render(message, spaces))
        const place = at % bytes.length
        assertPiecesAgree(bytes.subarray(0, place), options, sizes)
        assertPiecesAgree(Uint8Array.of(...bytes, byte), options, sizes)
        assertPiecesAgree(bytes.with(place, byte), options, sizes)
      }),
    { arbitrary: { runs: 1000 } }
  )

  it("FWD-12 rewrites a message with every kind of edit in any two pieces", () => {
    const text =
      ` { "_authContext" : {"_authContext":[1]} , "params" : { "a" : 1 , "_auth\\u0043ontext" : "x\\ud83d\\ude00é😀" , "b":[{"_authContext":-1.5e+3},{"_AUTHCONTEXT":null,"c":true}] , "x" : {"y":0 ,"_authContext":false } } , "id" : "\\u0061" , "method" : "\\u0069nitialize" } `
    const bytes = encoder.encode(text)
    for (let first = 1; first < bytes.length; first++) assertPiecesAgree(bytes, options, [first, bytes.length])
    assert.strictEqual(
      sent(text),
      ` {  "params" : { "a" : 1  , "b":[{},{"c":true}] , "x" : {"y":0  } ,"_authContext":${context}} , "id" : "\\u0061" , "method" : "\\u0069nitialize" } `
    )
  })

  describe("holds back little", () => {
    const before = `{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"x","arguments":{"a":`

    it("FWD-15 of any long value", () => {
      const cases: ReadonlyArray<readonly [what: string, before: string, repeated: string, after: string]> = [
        ["a string", `${before}"`, "QUJDRA==", `"}}}`],
        ["escapes", `${before}"`, `\\ud83d\\ude00\\n`, `"}}}`],
        ["text", `${before}"`, "é😀字", `"}}}`],
        ["a number", `${before}1`, "1", "}}}"],
        ["numbers", `${before}[0`, ",12.5", "]}}}"],
        ["objects", `${before}[0`, `,{"a":"b","c":[null,true]}`, "]}}}"],
        ["a name", `${before}{"`, "a", `":1}}}}`],
        ["names", `${before}{"x":0`, `,"\\u005fauthContex":0`, "}}}}"],
        ["white space before a value", before, " ", "1}}}"],
        ["white space after a value", `${before}1`, " ", "}}}"],
        ["a batch", `[{}`, `,${call("{}")}`, "]"],
        ["an id", `{"id":"`, "a", `","method":"ping"}`],
        ["a method", `{"method":"`, "a", `"}`],
        ["params before the method", `{"params":{"a":[0`, ",0", `]},"method":"initialize"}`],
        ["a response", `{"jsonrpc":"2.0","id":1,"result":{"a":[0`, ",0", "]}}"],
        ["params of initialize", `{"method":"initialize","params":{"a":[0`, ",0", "]}}"]
      ]
      for (const [what, before, repeated, after] of cases) {
        const { early, length, maxHeld, outcome } = sendLong(before, repeated, after)
        assert.isTrue(Result.isSuccess(outcome), what)
        assert.isAtMost(maxHeld, maxTokenBytes + 128, what)
        assert.isAtLeast(early.length, length - maxHeld - 128, what)
      }
    })

    it("FWD-12 FWD-15 nothing of what is removed", () => {
      for (
        const [before, repeated, after] of [
          [`{"_authContext":"`, "a", `","method":"ping"}`],
          [`{"_authContext":[0`, ",0", `],"method":"ping"}`],
          [`{"method":"ping","_authContext":[0`, `,{"a":{"b":0}}`, `]}`],
          [`{"_authContext\\u0000`, "a", `":0,"method":"ping"}`]
        ] as const
      ) {
        const { maxHeld, outcome } = sendLong(before, repeated, after)
        assert.isTrue(
          Result.isSuccess(outcome) && decoder.decode(outcome.success.bytes) === `{"method":"ping"}`,
          before
        )
        assert.isAtMost(maxHeld, maxTokenBytes + 128, before)
      }
    })

    it("FWD-15 everything where an edit may still come", () => {
      for (
        const [before, repeated, after] of [
          [`{"params":{},"a":[0`, ",0", `],"method":"initialize"}`],
          [`{"a":0,`, " ", `"_authContext":0}`],
          [`{"_authContext":0`, " ", `,"a":0}`],
          [`{"method":"ping"}`, "\n", ""]
        ] as const
      ) {
        const { maxHeld, outcome } = sendLong(before, repeated, after, 4)
        assert.isTrue(Result.isSuccess(outcome), before)
        assert.isAtLeast(maxHeld, 3 * piece, before)
      }
    })
  })

  it("MCP-01 passes nothing on from the rejected byte on", () => {
    const before = `{"method":"ping","x":"`
    const after = encoder.encode(`${"a".repeat(10_000)}","method":"initialize","y":1}`)
    const { early, outcome } = send([encoder.encode(before), after], options)
    assert.isTrue(Result.isFailure(outcome) && outcome.failure.reason === "AmbiguousMessage")
    assert.isTrue(before.startsWith(decoder.decode(early)))
    // The same without the fault leaves in full.
    const text = `${before}","y":1}`
    const { outcome: allowed } = send([encoder.encode(text)], options)
    assert.isTrue(Result.isSuccess(allowed) && decoder.decode(allowed.success.bytes) === text)
  })

  it("MCP-13 holds the byte that completes the message until the end", () => {
    for (const text of [`{"method":"ping"}`, `[{"method":"ping"}]`, `{"method":"ping"} \n`]) {
      const { early } = send([encoder.encode(text)], options)
      assert.strictEqual(decoder.decode(early), text.trimEnd().slice(0, -1))
      assert.strictEqual(sent(text), text)
      const followed = send([encoder.encode(text), encoder.encode("x")], options)
      assert.isTrue(Result.isFailure(followed.outcome))
      assert.strictEqual(decoder.decode(followed.early), text.trimEnd().slice(0, -1))
    }
  })

  it("MCP-04 keeps no id and no tool name that is too long", () => {
    // As many as fit between two quotes.
    const fits = "a".repeat(maxTokenBytes - 2)
    assert.strictEqual(idOf(fits), fits)
    assert.isUndefined(idOf(`${fits}a`))
    assert.deepStrictEqual(summary(toolCall(fits)).tools, [fits])
    const tooLong = toolCall(`${fits}a`)
    assert.strictEqual(rejection(tooLong), "MalformedMessage")
    assert.isUndefined(rejection(tooLong.replace("tools/call", "prompts/get")))
  })

  it("MCP-04 remembers what came in earlier pieces", () => {
    const text = initializeWith("{}").replace(`"id":1,`, "").replace("}}", `},"id":"\\u0061b"}`)
    assert.strictEqual(summary(text).initializeId, "ab")
    assert.deepStrictEqual(summary(`{"params":{"name":"\\u0061b"},"method":"tools/call"}`).tools, ["ab"])
  })

  it("MCP-04 reports no tools unless asked to", () => {
    const bytes = encoder.encode(`[${toolCall("a")},${toolCall("b")}]`)
    const asked = send([bytes], options).outcome
    const unasked = send([bytes], { ...options, ignoreTools: true }).outcome
    assert.deepStrictEqual(Result.isSuccess(asked) && asked.success.tools, ["a", "b"])
    assert.deepStrictEqual(Result.isSuccess(unasked) && unasked.success.tools, [])
  })
})
