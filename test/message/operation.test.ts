import { assert, describe, it } from "@effect/vitest"
import * as Result from "effect/Result"
import { maxOperations, readOperations } from "../../src/message/operation.ts"

const encoder = new TextEncoder()

const read = (text: string, argumentsDecide = false) => readOperations(encoder.encode(text), { argumentsDecide })

const operations = (text: string) => {
  const found = read(text)
  return Result.isSuccess(found) ? found.success : assert.fail(found.failure.detail)
}

const rejection = (text: string, argumentsDecide = false): string | undefined => {
  const found = read(text, argumentsDecide)
  return Result.isFailure(found) ? found.failure.reason : undefined
}

const message = (method: string, params: string): string =>
  `{"jsonrpc":"2.0","id":1,"method":"${method}","params":${params}}`

const pings = (count: number) => `[${Array.from({ length: count }, () => `{"method":"ping"}`).join(",")}]`

describe("readOperations", () => {
  it.each([
    [message("tools/call", `{"name":"pay","arguments":{"amount":1}}`), { kind: "tool", name: "pay" }, { amount: 1 }],
    [message("prompts/get", `{"name":"greet"}`), { kind: "prompt", name: "greet" }, undefined],
    [message("resources/read", `{"uri":"file:///a"}`), { kind: "resource", name: "file:///a" }, undefined],
    [message("resources/subscribe", `{"uri":"file:///a"}`), { kind: "resource", name: "file:///a" }, undefined],
    [message("resources/unsubscribe", `{"uri":"file:///a"}`), { kind: "resource", name: "file:///a" }, undefined],
    [
      message("completion/complete", `{"ref":{"type":"ref/prompt","name":"greet"},"argument":{}}`),
      { kind: "prompt", name: "greet" },
      undefined
    ],
    [
      message("completion/complete", `{"ref":{"type":"ref/resource","uri":"file:///{path}"}}`),
      { kind: "resource", name: "file:///{path}" },
      undefined
    ],
    [message("tools/list", `{}`), undefined, undefined],
    [`{"jsonrpc":"2.0","method":"notifications/initialized"}`, undefined, undefined],
    [message("tools\\u002fcall", `{"n\\u0061me":"p\\u0061y"}`), { kind: "tool", name: "pay" }, undefined]
  ])("%s", (text, subject, given) => {
    const [operation, ...others] = operations(text)
    assert.deepStrictEqual(operation?.subject, subject as never)
    assert.deepStrictEqual(operation?.arguments, given as never)
    assert.deepStrictEqual(others, [])
  })

  it("a batch has one for each request and notification, and none for responses", () => {
    const batch = `[${message("tools/call", `{"name":"a"}`)},{"jsonrpc":"2.0","id":7,"result":{}},${
      message("ping", "{}")
    },
      {"jsonrpc":"2.0","id":8,"error":{"code":1,"message":""}}]`
    assert.deepStrictEqual(operations(batch).map(({ method, subject }) => [method, subject?.name]), [
      ["tools/call", "a"],
      ["ping", undefined]
    ])
  })

  it("a stream of notifications has one more for each resource", () => {
    const listen = message("subscriptions/listen", `{"notifications":{"resourceSubscriptions":["a://1","a://2"]}}`)
    assert.deepStrictEqual(operations(listen).map(({ subject }) => subject?.name), [undefined, "a://1", "a://2"])
  })

  it.each([
    ["a name twice", message("tools/call", `{"name":"a","name":"b"}`)],
    ["a name twice, once with an escape", message("tools/call", `{"name":"a","n\\u0061me":"b"}`)],
    ["a name in another case", message("tools/call", `{"Name":"a"}`)],
    ["a name in both cases", message("tools/call", `{"name":"a","NAME":"b"}`)],
    ["a URI with the dotless i", message("resources/read", `{"uri":"a","ur\\u0131":"b"}`)],
    [
      "a method in another case",
      `{"jsonrpc":"2.0","id":1,"method":"ping","Method":"tools/call","params":{"name":"a"}}`
    ],
    ["params twice", `{"method":"tools/call","params":{"name":"a"},"params":{"name":"b"}}`],
    ["params ended at U+0000", `{"method":"tools/call","params":{"name":"a"},"params\\u0000":{"name":"b"}}`],
    ["a request that is a response", `{"id":1,"method":"tools/call","params":{"name":"a"},"result":{}}`],
    ["an argument twice", message("tools/call", `{"name":"a","arguments":{"amount":1,"amount":1000}}`)],
    ["a reference twice", message("completion/complete", `{"ref":{"type":"ref/prompt","name":"a","Name":"b"}}`)],
    ["a filter in another case", message("subscriptions/listen", `{"notifications":{"ResourceSubscriptions":["a"]}}`)]
  ])("ambiguous: %s", (_, text) => {
    assert.strictEqual(rejection(text), "AmbiguousMessage")
    assert.strictEqual(rejection(`[${text}]`), "AmbiguousMessage")
  })

  it("arguments that differ in case are ambiguous where something is decided by them", () => {
    const text = message("tools/call", `{"name":"a","arguments":{"deep":[{"amount":1,"Amount":1000}]}}`)
    assert.strictEqual(rejection(text, true), "AmbiguousMessage")
    assert.isUndefined(rejection(text, false))
  })

  it.each([
    ["no name", message("tools/call", `{}`)],
    ["a name that is a number", message("tools/call", `{"name":1}`)],
    ["a name with half a surrogate pair", message("tools/call", `{"name":"a\\ud800"}`)],
    ["a name with U+0000", message("tools/call", `{"name":"delete\\u0000x"}`)],
    ["a prompt that is no string", message("prompts/get", `{"name":["a"]}`)],
    ["a URI that is no string", message("resources/read", `{"uri":null}`)],
    ["no params", `{"jsonrpc":"2.0","id":1,"method":"tools/call"}`],
    ["params by position", message("tools/call", `["a"]`)],
    ["params that are null", message("tools/list", `null`)],
    ["a method that is no string", `{"jsonrpc":"2.0","id":1,"method":5}`],
    ["a method with U+0000", message("tools/call\\u0000", `{"name":"a"}`)],
    ["neither request nor response", `{"jsonrpc":"2.0","id":1}`],
    ["junk in a batch", `[${message("ping", "{}")},1]`],
    ["an empty batch", `[]`],
    ["a batch in a batch", `[[${message("ping", "{}")}]]`],
    ["a string", `"tools/call"`],
    ["no JSON", `{"method":"ping"`],
    ["a reference that is no object", message("completion/complete", `{"ref":"greet"}`)],
    [
      "resources that are no strings",
      message("subscriptions/listen", `{"notifications":{"resourceSubscriptions":[1]}}`)
    ]
  ])("malformed: %s", (_, text) => assert.strictEqual(rejection(text), "MalformedMessage"))

  it("nesting is bounded", () => {
    const deep = message("tools/call", `{"name":"a","arguments":${"[".repeat(300)}${"]".repeat(300)}}`)
    assert.strictEqual(rejection(deep), "MessageTooDeep")
  })

  it("the number of operations is bounded", () => {
    assert.lengthOf(operations(pings(maxOperations)), maxOperations)
    assert.strictEqual(rejection(pings(maxOperations + 1)), "MalformedMessage")
    const uris = Array.from({ length: 300_000 }, () => `""`).join(",")
    assert.strictEqual(
      rejection(message("subscriptions/listen", `{"notifications":{"resourceSubscriptions":[${uris}]}}`)),
      "MalformedMessage"
    )
  })
})
