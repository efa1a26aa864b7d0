import { assert, describe, it } from "@effect/vitest"
import * as Result from "effect/Result"
import { initializeWith, message } from "../fixtures/messages.ts"
import { attempt, call, rejection, sent, summary, toolCallWith } from "./rewriting.ts"

const nested = (depth: number) => `{"method":"x","params":${"[".repeat(depth)}${"]".repeat(depth)}}`

describe("rewriteRequest", () => {
  describe("rejects what parsers could read differently", () => {
    it("MCP-01 repeated members", () => {
      for (
        const text of [
          `{"method":"ping","method":"initialize"}`,
          `{"method":"ping","m\\u0065thod":"initialize"}`,
          `{"id":1,"id":1,"method":"ping"}`,
          `{"jsonrpc":"2.0","jsonrpc":"2.0"}`,
          `{"method":"ping","params":{},"params":{}}`,
          `{"_authContext":1,"_authContext":2}`,
          call(`{"_authContext":1,"a":0,"_authContext":2}`),
          call(`{"_authContext":1,"_AUTHCONTEXT":2}`),
          call(`{"a":[{"_authContext":1,"\\u005fauthContext":2}]}`),
          call(`{"a":{"_authContext":{"_authContext":1,"_authContext":2}}}`),
          initializeWith(`{"_authContext":1,"_authContext":2}`),
          call(`{"name":"a","name":"b"}`),
          call(`{"name":"a","Name":"b"}`),
          call(`{"name":"a","n\\u0061me":"b"}`),
          call(`{"arguments":{},"arguments":{}}`),
          call(`{"uri":"a","uri":"b"}`),
          `[{"method":"a"},{"method":"a","method":"b"}]`
        ]
      ) {
        assert.strictEqual(rejection(text), "AmbiguousMessage", text)
      }
    })

    it("MCP-01 accepts repeated members that decide nothing", () => {
      for (
        const text of [
          `{"method":"ping","x":1,"x":2}`,
          call(`{"a":1,"a":2}`),
          call(`{"arguments":{"name":1,"name":2,"method":1,"method":2}}`),
          call(`[{"name":1,"name":2}]`),
          `{"id":1,"result":{"name":1,"name":2}}`,
          `{"method":"ping","params":{"method":"a","id":1}}`,
          `[{"method":"a"},{"method":"b"}]`
        ]
      ) {
        assert.strictEqual(sent(text), text)
      }
    })

    it("MCP-02 members in another case", () => {
      for (
        const name of [
          "Method",
          "METHOD",
          "m\\u0045thod",
          "paramſ",
          "Params",
          "ID",
          "iD",
          "Jsonrpc",
          "ıd",
          "İd",
          "id\\u0000",
          "j\\u017fonrpc"
        ]
      ) {
        assert.strictEqual(rejection(`{"${name}":1}`), "AmbiguousMessage", name)
        assert.strictEqual(rejection(`{"method":"ping","${name}":1}`), "AmbiguousMessage", name)
      }
      for (const name of ["methods", "metho", "param", "i", "ids", "m\\u0301ethod", "\\u0000id"]) {
        assert.isUndefined(rejection(`{"${name}":1}`), name)
      }
    })

    it("MCP-15 what a message is about in another case, or twice", () => {
      const aboutName = ["tools/call", "prompts/get"]
      const aboutUri = ["resources/read", "resources/subscribe", "resources/unsubscribe"]
      const texts = [
        ...aboutName.flatMap((method) =>
          ["Name", "NAME", "nam\\u0045", "name\\u0000", "Arguments", "argumentſ"].map((name) =>
            message(method, `{"name":"a","arguments":{},"x":1}`).replace(
              name.startsWith("n") || name.startsWith("N") ? "name" : "arguments",
              name
            )
          )
        ),
        ...aboutUri.map((method) => message(method, `{"URI":"a"}`)),
        ...aboutUri.map((method) => `{"params":{"urı":"a"},"method":"${method}"}`)
      ]
      for (const text of texts) assert.strictEqual(rejection(text), "AmbiguousMessage", text)
      for (
        const text of [
          call(`{"Name":"a"}`),
          call(`{"URI":1,"Arguments":[]}`),
          message("resources/read", `{"Name":1,"uri":"a"}`)
        ]
      ) {
        assert.strictEqual(sent(text), text)
      }
    })

    it("MCP-15 the revision of a message in another case, or twice, for every method", () => {
      const version = `"io.modelcontextprotocol/protocolVersion"`
      for (
        const params of [
          `{"_meta":{},"_meta":{}}`,
          `{"_Meta":{}}`,
          `{"_m\\u0045ta":{}}`,
          `{"_meta":{${version}:"a",${version}:"a"}}`,
          `{"_meta":{"io.modelcontextprotocol/ProtocolVersion":"a"}}`,
          `{"_meta":{"x":1,"io.modelcontextprotocol/protocolVerſion":"a"}}`
        ]
      ) {
        assert.strictEqual(rejection(call(params)), "AmbiguousMessage", params)
      }
      for (
        const params of [
          `{"a":{"_Meta":1,"_meta":2}}`,
          `{"_meta":{"a":{${version}:1,"IO.modelcontextprotocol/protocolVersion":2}}}`,
          `{"_meta":[{${version}:1,${version}:2}]}`,
          `{"arguments":{${version}:1,"_Meta":2}}`
        ]
      ) {
        assert.strictEqual(sent(call(params)), call(params))
      }
    })

    it("MCP-03 initialize inside a batch", () => {
      assert.strictEqual(rejection(`[${initializeWith("{}")}]`), "AmbiguousMessage")
      assert.strictEqual(rejection(`[{"method":"ping"},${initializeWith("[]")}]`), "AmbiguousMessage")
      assert.strictEqual(rejection(`[{"method":"init\\u0069alize"}]`), "AmbiguousMessage")
      assert.isUndefined(rejection(`[{"method":"ping"},{"method":"initialized"}]`))
    })
  })

  describe("rejects what is not a message", () => {
    it("FWD-13 MCP-13 other documents", () => {
      for (
        const text of [
          "",
          " ",
          "null",
          "1",
          `"initialize"`,
          "true",
          "[]",
          "[ ]",
          "[1]",
          "[[]]",
          "[{},[]]",
          "[null]",
          "[{}] x",
          "{} {}",
          "{}x",
          "[{}][{}]",
          "\ufeff{}",
          `{"method":"ping"`,
          `{"method":"ping",}`,
          "{'method':'ping'}",
          `{"method":NaN}`,
          `{/**/}`
        ]
      ) {
        assert.strictEqual(rejection(text), "MalformedMessage", text)
      }
      assert.isUndefined(rejection("{}"))
      assert.isUndefined(rejection(" [ {} , {} ] "))
    })

    it("FWD-13 other encodings", () => {
      const text = initializeWith("{}")
      const utf16 = Uint8Array.from([...text].flatMap((character) => [character.charCodeAt(0), 0]))
      for (const bytes of [utf16, Uint8Array.of(0xff, 0xfe, ...utf16), Uint8Array.of(0x1f, 0x8b, 8, 0)]) {
        const rewritten = attempt("", bytes)
        assert.isTrue(Result.isFailure(rewritten) && rewritten.failure.reason === "MalformedMessage")
      }
    })

    it("FWD-13 a method that is not a string, or has characters that some parsers drop", () => {
      for (
        const method of [
          "1",
          "null",
          `["initialize"]`,
          "{}",
          "true",
          `"initialize\\ud800"`,
          `"initialize\\u0000"`,
          `"initialize\\u0000x"`
        ]
      ) {
        assert.strictEqual(rejection(`{"method":${method}}`), "MalformedMessage", method)
      }
      assert.isUndefined(rejection(`{"method":"é😀\\ud83d\\ude00\\u0001","x":"\\u0000"}`))
    })

    it("MCP-15 what a message is about that is not a string, or has characters that some parsers drop", () => {
      for (
        const [method, name] of [["tools/call", "name"], ["prompts/get", "name"], ["resources/read", "uri"]] as const
      ) {
        for (const value of ["1", "null", "true", `["a"]`, `{"a":"b"}`, `"a\\ud800"`, `"a\\u0000b"`]) {
          const text = message(method, `{"${name}":${value}}`)
          assert.strictEqual(rejection(text), "MalformedMessage", text)
          assert.strictEqual(rejection(`[${text}]`), "MalformedMessage", text)
          assert.strictEqual(
            rejection(`{"params":{"${name}":${value}},"method":"${method}"}`),
            "MalformedMessage",
            text
          )
          assert.isUndefined(rejection(message("x/y", `{"${name}":${value}}`)))
        }
        for (const params of [`["a"]`, `"a"`, "null", "1"]) {
          assert.strictEqual(rejection(message(method, params)), "MalformedMessage", `${method} ${params}`)
        }
        for (const params of [undefined, "{}", `{"x":1}`, `{"${name}":"\\u0061 é😀"}`]) {
          assert.isUndefined(rejection(message(method, params)), `${method} ${params}`)
        }
      }
    })

    it("FWD-14 a lone surrogate in a name, but accepts it in a value", () => {
      assert.strictEqual(rejection(call(`{"_auth\\ud800Context":1}`)), "MalformedMessage")
      const text = call(`{"a":"\\ud800"}`)
      assert.strictEqual(sent(text), text)
    })

    it("MCP-14 too many levels", () => {
      assert.isUndefined(rejection(nested(255)))
      assert.strictEqual(rejection(nested(256)), "MessageTooDeep")
      assert.strictEqual(rejection(nested(100_000)), "MessageTooDeep")
      assert.strictEqual(rejection("[".repeat(100_000)), "MalformedMessage")
      assert.strictEqual(rejection(`{"a":`.repeat(100_000)), "MessageTooDeep")
    })

    it("MCP-14 accepts large messages", () => {
      const names = Array.from({ length: 100_000 }, (_, index) => `"\\u005fauthContex${index}":${index}`)
      const text = call(`{${names.join(",")}}`)
      assert.strictEqual(sent(text), text)
      const cuts = `{"_authContext":1,"a":0}`
      assert.strictEqual(
        sent(call(`[${Array.from({ length: 50_000 }, () => cuts).join(",")}]`)),
        call(`[${Array.from({ length: 50_000 }, () => `{"a":0}`).join(",")}]`)
      )
      const batch = Array.from({ length: 100_000 }, (_, index) => toolCallWith(`{"name":"tool-${index}"}`))
      assert.lengthOf(summary(`[${batch.join(",")}]`).tools, 100_000)
    })

    it("ERR-04 repeats nothing of the message in its detail", () => {
      const rewritten = attempt(`{"secret":"s3cret","method":"a","method":"s3cret"}`)
      assert.isTrue(Result.isFailure(rewritten))
      if (Result.isFailure(rewritten)) assert.notInclude(JSON.stringify(rewritten.failure), "s3cret")
    })
  })
})
