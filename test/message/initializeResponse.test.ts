import { assert, describe, it } from "@effect/vitest"
import * as Arbitrary from "effect/Arbitrary"
import * as Effect from "effect/Effect"
import * as Schema from "effect/Schema"
import { injectAuthInfo } from "../../src/message/initializeResponse.ts"
import type { RequestId } from "../../src/message/json/scalarValue.ts"
import { members, render, spaces } from "./jsonText.ts"
import { compact, isEntries, lookups, parseEntries } from "./naiveJson.ts"

const encoder = new TextEncoder()
const decoder = new TextDecoder()

const info = `{"authenticated_user":"user_1","email":null,"provider":"authkit"}`

const injected = (text: string, id: RequestId = 1): string =>
  decoder.decode(injectAuthInfo(encoder.encode(text), encoder.encode(info), id))

const assertUnchanged = (bytes: Uint8Array, id: RequestId = 1) =>
  assert.strictEqual(injectAuthInfo(bytes, encoder.encode(info), id), bytes, decoder.decode(bytes))

const response = (serverInfo: string, id = "1") =>
  `{"jsonrpc":"2.0","id":${id},"result":{"protocolVersion":"2025-06-18","serverInfo":${serverInfo},"capabilities":{}}}`

describe("injectAuthInfo", () => {
  it("FWD-11 puts the caller into serverInfo", () => {
    assert.strictEqual(injected(response(`{"name":"s"}`)), response(`{"authInfo":${info},"name":"s"}`))
    assert.strictEqual(injected(response(`{}`)), response(`{"authInfo":${info}}`))
    assert.strictEqual(
      injected(`{ "result" : { "serverInfo" : { "version":1.10 } } , "id":1 }`),
      `{ "result" : { "serverInfo" : {"authInfo":${info}, "version":1.10 } } , "id":1 }`
    )
  })

  it("FWD-11 replaces what the server put there, in every case and as often as it occurs", () => {
    for (
      const [serverInfo, kept] of [
        [`{"authInfo":1}`, ""],
        [`{"authInfo":1,"authInfo":{}}`, ""],
        [`{"authInfo":1,"a":0}`, `,"a":0`],
        [`{"a":0,"authInfo":1}`, `,"a":0`],
        [`{"a":0,"authInfo":1,"authInfo":2}`, `,"a":0`],
        [`{"authInfo":1,"authInfo":2,"a":0}`, `,"a":0`],
        [`{"authInfo":1,"a":0,"authinfo":[],"AUTH\\u0049NFO":3,"b":1,"authInfo":4}`, `,"a":0,"b":1`]
      ] as const
    ) {
      assert.strictEqual(injected(response(serverInfo)), response(`{"authInfo":${info}${kept}}`), serverInfo)
    }
  })

  it("FWD-14 leaves authInfo elsewhere alone", () => {
    assert.strictEqual(
      injected(`{"id":1,"authInfo":1,"result":{"authInfo":2,"serverInfo":{"x":{"authInfo":3}}}}`),
      `{"id":1,"authInfo":1,"result":{"authInfo":2,"serverInfo":{"authInfo":${info},"x":{"authInfo":3}}}}`
    )
  })

  it("FWD-15 compares ids by value", () => {
    const cases: ReadonlyArray<readonly [string, RequestId, boolean]> = [
      ["1", 1, true],
      ["1.0", 1, true],
      ["10e-1", 1, true],
      [`"a\\u0062"`, "ab", true],
      [`"1"`, "1", true],
      ["null", null, true],
      ["2", 1, false],
      [`"1"`, 1, false],
      ["1", "1", false],
      ["null", 0, false],
      ["true", 1, false],
      ["[1]", 1, false],
      [`"null"`, null, false]
    ]
    for (const [text, id, same] of cases) {
      const bytes = encoder.encode(response(`{}`, text))
      assert.strictEqual(injectAuthInfo(bytes, encoder.encode(info), id) !== bytes, same, text)
    }
  })

  it("FWD-14 returns the same instance for anything else", () => {
    const good = response(`{"name":"s"}`)
    assert.notStrictEqual(injected(good), good)
    for (
      const text of [
        "",
        "{}",
        "null",
        "1",
        `"a"`,
        "[]",
        `[${good}]`,
        `${good} x`,
        `${good}${good}`,
        good.slice(0, -1),
        `\ufeff${good}`,
        good.replace(`"id":1,`, ""),
        good.replace(`"id":1`, `"id":1,"id":1`),
        good.replace(`"id":1`, `"Id":1`),
        good.replace("result", "error"),
        good.replace(`"result":`, `"result":{"serverInfo":{}},"result":`),
        good.replace(`"result":`, `"result":1,"result":`),
        good.replace(/\}$/, `,"result":{}}`),
        good.replace(`"serverInfo":`, `"serverInfo":{},"serverInfo":`),
        good.replace(`"serverInfo":`, `"serverinfo":`),
        good.replace(`"serverInfo":`, `"x":{"serverInfo":`).replace("}}}", "}}}}"),
        response("null"),
        response(`"s"`),
        response(`[{"name":"s"}]`),
        `{"id":1,"result":[{"serverInfo":{}}]}`,
        `{"id":1,"result":null}`,
        `{"id":1,"serverInfo":{}}`,
        `{"id":1,"params":{"serverInfo":{}},"method":"x"}`,
        `{"id":1,"error":{"code":1,"message":"x"}}`,
        `{"id":1,"result":{"serverInfo":{"a":1,}}}`,
        `{"id":1,"result":{"serverInfo":{}},"x":${"[".repeat(256)}${"]".repeat(256)}}`,
        `{"id":1,"result":{"serverInfo":{}},"x":${"[".repeat(100_000)}`
      ]
    ) {
      assertUnchanged(encoder.encode(text))
    }
  })

  it.effect.prop(
    "FWD-11 sets exactly one authInfo, which every parser finds, and changes nothing else; cut short, nothing at all",
    { serverInfo: members, result: members, message: members, spaces },
    ({ message, result, serverInfo, spaces }) =>
      Effect.sync(() => {
        const document = (withInfo: boolean, spaces: ReadonlyArray<string>) =>
          render({
            _tag: "Object",
            members: [
              ...message.filter(({ name }) => name !== `"id"`),
              { name: `"id"`, value: { _tag: "Scalar", text: "7" } },
              {
                name: `"result"`,
                value: {
                  _tag: "Object",
                  members: [...result, {
                    name: `"serverInfo"`,
                    value: {
                      _tag: "Object",
                      members: [
                        ...(withInfo ? [{ name: `"authInfo"`, value: { _tag: "Scalar", text: info } } as const] : []),
                        ...serverInfo
                      ]
                    }
                  }]
                }
              }
            ]
          }, spaces)
        const text = document(false, spaces).trimEnd()
        const bytes = encoder.encode(text)
        const output = decoder.decode(injectAuthInfo(bytes, encoder.encode(info), 7))
        assert.strictEqual(compact(output), document(true, [""]))
        for (const lookup of lookups) {
          let value = parseEntries(output)
          for (const step of ["result", "serverInfo", "authInfo"]) {
            if (!isEntries(value)) return assert.fail(step)
            value = lookup(value, step) ?? null
          }
          assert.deepStrictEqual(value, parseEntries(info))
        }
        for (let length = 0; length < bytes.length; length++) assertUnchanged(bytes.subarray(0, length), 7)
      }),
    { arbitrary: { runs: 200 } }
  )

  it.effect.prop(
    "FWD-14 never fails, for any bytes",
    {
      bytes: Arbitrary.schema(Schema.Array(Schema.Int.check(Schema.isBetween({ minimum: 0, maximum: 255 })))),
      at: Schema.Int
    },
    ({ at, bytes }) =>
      Effect.sync(() => {
        const good = encoder.encode(response(`{"name":"s"}`))
        const from = Math.abs(at) % good.length
        const mixed = Uint8Array.from([...good.subarray(0, from), ...bytes, ...good.subarray(from)])
        const output = injectAuthInfo(mixed, encoder.encode(info), 1)
        if (output !== mixed) assert.doesNotThrow(() => parseEntries(decoder.decode(output)))
      }),
    { arbitrary: { runs: 500 } }
  )
})
