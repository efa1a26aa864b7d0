import { assert, describe, it } from "@effect/vitest"
import * as Result from "effect/Result"
import { rewriteRequest } from "../../src/message/requestMessage.ts"
import { initializeWith, toolCall } from "../fixtures/messages.ts"
import {
  attempt,
  call,
  context,
  decoder,
  encoder,
  options,
  rejection,
  sent,
  summary,
  toolCallWith
} from "./rewriting.ts"

/** The tools that a `tools/call` with these parameters calls. */
const named = (params: string) => summary(toolCallWith(params)).tools

describe("rewriteRequest", () => {
  describe("injects the caller into initialize", () => {
    it("FWD-11 puts the caller last into params", () => {
      assert.strictEqual(
        sent(initializeWith(`{"protocolVersion":"2025-06-18"}`)),
        initializeWith(`{"protocolVersion":"2025-06-18","_authContext":${context}}`)
      )
      assert.strictEqual(sent(initializeWith("{}")), initializeWith(`{"_authContext":${context}}`))
      assert.strictEqual(sent(initializeWith(" { } ")), initializeWith(` { "_authContext":${context}} `))
    })

    it("FWD-11 creates params if they are missing", () => {
      assert.strictEqual(
        sent(`{ "jsonrpc":"2.0", "method":"initialize" }`),
        `{ "jsonrpc":"2.0", "method":"initialize" ,"params":{"_authContext":${context}}}`
      )
    })

    it("FWD-12 replaces the client's, wherever it stands", () => {
      for (
        const params of [
          `{"_authContext":1}`,
          `{"_authContext":1,"a":2}`,
          `{"a":2,"_authContext":1}`,
          `{"_AUTHCONTEXT":{"_authContext":{"a":3}},"a":2}`,
          `{"_auth\\u0043ontext":"}","a":2}`
        ]
      ) {
        const kept = params === `{"_authContext":1}` ? "" : `"a":2,`
        assert.strictEqual(sent(initializeWith(params)), initializeWith(`{${kept}"_authContext":${context}}`), params)
      }
    })

    it("FWD-12 recognizes the method and params however they are escaped", () => {
      assert.strictEqual(
        sent(`{"m\\u0065thod":"\\u0069nitialize","par\\u0061ms":{}}`),
        `{"m\\u0065thod":"\\u0069nitialize","par\\u0061ms":{"_authContext":${context}}}`
      )
    })

    it("FWD-12 whether params or method come first", () => {
      assert.strictEqual(
        sent(`{"params":{"a":1},"method":"initialize","_authContext":0}`),
        `{"params":{"a":1,"_authContext":${context}},"method":"initialize"}`
      )
      assert.strictEqual(
        sent(`{"_authContext":0,"params":{"a":1},"method":"initialize"}`),
        `{"params":{"a":1,"_authContext":${context}},"method":"initialize"}`
      )
      assert.strictEqual(
        sent(`{"_authContext":0,"method":"initialize"}`),
        `{"method":"initialize","params":{"_authContext":${context}}}`
      )
    })

    it("FWD-11 injects into nothing else, and not when it is switched off", () => {
      for (
        const text of [call("{}"), initializeWith("{}").replace("initialize", "Initialize"), `{"result":"initialize"}`]
      ) {
        assert.strictEqual(sent(text), text)
      }
      const bytes = encoder.encode(initializeWith(`{"_authContext":1}`))
      const rewritten = rewriteRequest(bytes, { ...options, authContext: undefined })
      assert.isTrue(Result.isSuccess(rewritten))
      if (Result.isFailure(rewritten)) return
      assert.strictEqual(decoder.decode(rewritten.success.bytes), initializeWith("{}"))
      assert.strictEqual(rewritten.success.initializeId, 1)
    })

    it("FWD-13 rejects initialize with params that cannot carry the caller", () => {
      for (const params of ["[]", "null", "1", `"a"`, "true", `[{"_authContext":1}]`]) {
        assert.strictEqual(rejection(initializeWith(params)), "MalformedMessage", params)
        assert.isUndefined(rejection(call(params)), params)
      }
    })
  })

  describe("removes what clients claim about themselves", () => {
    it("FWD-11 at every depth of every method", () => {
      const cases: ReadonlyArray<readonly [string, string]> = [
        [`{"_authContext":{},"method":"ping"}`, `{"method":"ping"}`],
        [`{"method":"ping","_authContext":{}}`, `{"method":"ping"}`],
        [`{"_authContext":{}}`, `{}`],
        [call(`{"_authContext":{"a":[1,{}]},"name":"x"}`), call(`{"name":"x"}`)],
        [call(`{"arguments":{"_authContext":1}}`), call(`{"arguments":{}}`)],
        [call(`{"_meta":{"a":1,"_authContext":1,"b":2}}`), call(`{"_meta":{"a":1,"b":2}}`)],
        [call(`[[{"_authContext":1},{"_authContext":2,"a":3}]]`), call(`[[{},{"a":3}]]`)],
        [
          call(`{"__proto__":{"_authContext":1},"constructor":{"_authContext":1}}`),
          call(`{"__proto__":{},"constructor":{}}`)
        ],
        [`{"result":{"_authContext":1},"id":1}`, `{"result":{},"id":1}`],
        [
          `[{"method":"a","_authContext":1},{"method":"b","params":{"_authContext":1}}]`,
          `[{"method":"a"},{"method":"b","params":{}}]`
        ]
      ]
      for (const [text, expected] of cases) assert.strictEqual(sent(text), expected)
    })

    it("FWD-12 in every spelling that some parser reads as _authContext", () => {
      for (
        const name of [
          "_auth\\u0043ontext",
          "\\u005FauthContext",
          "_authcontext",
          "_AUTHCONTEXT",
          "_\\u0041UTHContext",
          "_authContext\\u0000",
          "_authContext\\u0000x"
        ]
      ) {
        assert.strictEqual(sent(call(`{"${name}":1,"a":2}`)), call(`{"a":2}`), name)
      }
    })

    it("FWD-12 keeps what is only similar", () => {
      for (
        const name of ["authContext", "_authContex", "_authContextt", "_auth_context", " _authContext", "_authСontext"]
      ) {
        const text = call(`{"${name}":1}`)
        assert.strictEqual(sent(text), text, name)
      }
      const text = call(`{"a":"_authContext","b":["_authContext"],"c":"{\\"_authContext\\":1}"}`)
      assert.strictEqual(sent(text), text)
    })

    it("FWD-14 keeps white space, numbers, order and escapes", () => {
      const before = `\t{"z":-0,"a":1e400 `
      const after = `,\r\n"n":12345678901234567890, "f":1.10,"s":"\\u0041\\/\\ud800é", "a":[ ] }\n`
      assert.strictEqual(
        sent(`{"method":"x","params":${before},\n "_auth\\u0043ontext" : [ 1 ]\t${after}}`),
        `{"method":"x","params":${before}\t${after}}`
      )
      assert.strictEqual(
        sent(`{"params" : ${before}${after}, "method":"initialize" }`),
        `{"params" : ${before}${after.replace("}", `,"_authContext":${context}}`)}, "method":"initialize" }`
      )
    })

    it("FWD-14 returns the same bytes, not a copy, where nothing changes", () => {
      for (const text of [call(`{"name":"x"}`), `[${call("{}")}]`, `{"result":{},"id":1}`]) {
        const bytes = encoder.encode(text)
        const rewritten = attempt(text, bytes)
        assert.isTrue(Result.isSuccess(rewritten) && rewritten.success.bytes === bytes)
      }
      const bytes = encoder.encode(initializeWith("{}"))
      const rewritten = attempt("", bytes)
      assert.isFalse(Result.isSuccess(rewritten) && rewritten.success.bytes === bytes)
    })
  })

  describe("reports the content of the message", () => {
    it("MCP-04 the name of the called tool, however it is escaped", () => {
      assert.deepStrictEqual(named(`{"name":"add"}`), ["add"])
      assert.deepStrictEqual(named(`{"arguments":{"name":"inner"},"n\\u0061me":"\\u0061dd"}`), ["add"])
      assert.deepStrictEqual(named(`{"_authContext":{"name":"x"},"name":"add","x":["y"]}`), ["add"])
      assert.deepStrictEqual(named(`{"name":"add","_authContext":"x"}`), ["add"])
      assert.deepStrictEqual(named(`{}`), [])
    })

    it("MCP-04 no tool where none is called, in any order of members", () => {
      assert.deepStrictEqual(summary(`{"method":"prompts/get","params":{"name":"add"}}`).tools, [])
      assert.deepStrictEqual(summary(`{"name":"add","method":"ping"}`).tools, [])
      assert.deepStrictEqual(summary(`{"params":{"name":"add"},"method":"tools/call"}`).tools, ["add"])
      assert.deepStrictEqual(summary(`{"result":{"name":"add"}}`).tools, [])
    })

    it("MCP-04 every tool of a batch, once", () => {
      assert.deepStrictEqual(
        summary(`[${toolCall("b")},{"method":"ping"},${toolCall("a")},${toolCall("b")}]`).tools,
        ["b", "a"]
      )
    })

    it("MCP-04 the id of initialize", () => {
      const cases: ReadonlyArray<readonly [string, string | number | null | undefined]> = [
        ["1", 1],
        ["1.0", 1],
        [`"a\\u0062"`, "ab"],
        ["null", null],
        ["true", undefined],
        ["{}", undefined],
        ["[1]", undefined]
      ]
      for (const [text, id] of cases) {
        assert.strictEqual(summary(`{"method":"initialize","id":${text}}`).initializeId, id)
      }
      assert.isUndefined(summary(`{"method":"initialize"}`).initializeId)
    })
  })
})
