import { assert, describe, it } from "@effect/vitest"
import { advices } from "../../src/admin/advice/advices.ts"
import { adviceOf, rejectionKey } from "../../src/admin/rejections.ts"
import { settingNames } from "../../src/config/settings.ts"
import {
  AccessDenied,
  HeaderMismatch,
  InvalidRequest,
  InvalidToken,
  invalidTokenReasons,
  NotFound
} from "../../src/errors/GatewayError.ts"

describe("what rejections mean", () => {
  it("every kind of error has its own key, and advice of its own", () => {
    const keys = [
      ...invalidTokenReasons.map((reason) => rejectionKey(new InvalidToken({ reason, provider: "p", detail: "d" }))),
      rejectionKey(new InvalidRequest({ reason: "MalformedHost", detail: "d" })),
      rejectionKey(new HeaderMismatch({ field: "Mcp-Name", id: 1, detail: "d" })),
      rejectionKey(new AccessDenied({ reason: "Origin", detail: "d" })),
      rejectionKey(new NotFound())
    ]
    assert.strictEqual(new Set(keys).size, keys.length)
    for (const key of keys) assert.isTrue(advices.has(key), key)
  })

  it("each says what it means and what to do, in sentences, and no two have the same title", () => {
    const titles = [...advices.values()].map(({ title }) => title)
    assert.strictEqual(new Set(titles).size, titles.length)
    for (const [key, { fix, meaning }] of advices) {
      for (const text of [fix, meaning]) assert.match(text, /^[A-Z“].{20,}\.$/, key)
    }
  })

  it("names only settings that exist", () => {
    const named = [...advices.values()].flatMap(({ fix, meaning }) => `${fix} ${meaning}`.match(/\bMCP_[A-Z_]+/g) ?? [])
    assert.isAbove(named.length, 20)
    for (const name of named) assert.include(settingNames, name)
  })

  it("an error that a later version has is shown by its name", () => {
    assert.strictEqual(adviceOf("SomethingNew").title, "SomethingNew")
  })
})
