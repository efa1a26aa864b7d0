import { assert, describe, it } from "@effect/vitest"
import { parseChallenge } from "../../src/testing/parseChallenge.ts"

describe("parseChallenge", () => {
  it("reads scheme and parameters", () => {
    const { parameters, scheme } = parseChallenge("Bearer error=invalid_token , Scope=\"a b\",x=\"q\\\"\\\\, =\"")
    assert.strictEqual(scheme, "Bearer")
    assert.deepStrictEqual([...parameters], [["error", "invalid_token"], ["scope", "a b"], ["x", "q\"\\, ="]])
    assert.deepStrictEqual(parseChallenge("Bearer"), { scheme: "Bearer", parameters: new Map() })
  })

  it.each([
    "",
    "Bearer ",
    " Bearer a=b",
    "Bearer a",
    "Bearer a=",
    "Bearer a=\"b",
    "Bearer a=b,",
    "Bearer a=b c=d",
    "Bearer a=b, a=c",
    "Bearer a=b, A=c",
    "Bearer a=\"b\"c",
    "Bearer a = b",
    "Bearer a=\"é\"",
    "Bearer a=\"b\nc\"",
    "Bearer a=b, Basic realm=\"x\"",
    "Bearer,a=b"
  ])("rejects %j", (value) => {
    assert.throws(() => parseChallenge(value))
  })
})
