import { assert, describe, it } from "@effect/vitest"
import { readRejection } from "../../src/remote/bearerChallenge.ts"
import { errorCode, hintOf } from "../../src/remote/failureCause.ts"

const coded = (code: unknown, cause?: unknown) => Object.assign(new Error("canary", { cause }), { code })

describe("the code of a failed request", () => {
  it("is that of the innermost error that has one", () => {
    assert.strictEqual(errorCode(coded("ECONNREFUSED")), "ECONNREFUSED")
    assert.strictEqual(errorCode(new Error("a", { cause: new Error("b", { cause: coded("EPROTO") }) })), "EPROTO")
    assert.strictEqual(errorCode(coded("UND_ERR_SOCKET", coded("ECONNRESET"))), "ECONNRESET")
    assert.strictEqual(errorCode(coded("UND_ERR_SOCKET", new Error("other side closed"))), "UND_ERR_SOCKET")
    // A host name with several addresses.
    const several = new AggregateError([coded("ECONNREFUSED"), coded("EHOSTUNREACH")])
    assert.strictEqual(errorCode(new Error("fetch failed", { cause: several })), "ECONNREFUSED")
  })

  it("is not taken from anything else", () => {
    for (const code of ["", 5, null, {}, "with blanks", "canary: text", "a".repeat(65), "E-DASH", "<b>"]) {
      assert.isUndefined(errorCode(coded(code)), String(code))
    }
    for (const error of [undefined, null, "ECONNREFUSED", 7, new Error("ECONNREFUSED")]) {
      assert.isUndefined(errorCode(error))
    }
    const circle = coded("EPIPE")
    circle.cause = circle
    assert.strictEqual(errorCode(circle), "EPIPE")
  })

  it("has advice where there is any", () => {
    assert.include(hintOf("UNABLE_TO_VERIFY_LEAF_SIGNATURE"), "MCP_CA_FILE")
    assert.include(hintOf("ERR_SSL_WRONG_VERSION_NUMBER"), "TLS")
    assert.include(hintOf("HPE_INVALID_CONSTANT"), "HTTP")
    for (const code of ["constructor", "__proto__", "EUNKNOWN"]) assert.isUndefined(hintOf(code))
  })
})

describe("the rejection by a provider", () => {
  it("is read from the challenge, then from the body", () => {
    const challenge = "Basic realm=\"a, error=\\\"no\\\"\", Bearer realm=x, error=\"invalid_token\", scope=\"a b\""
    assert.deepStrictEqual(readRejection(challenge, { error: "invalid_client" }), {
      error: "invalid_token",
      scope: ["a", "b"],
      inactive: false
    })
    assert.deepStrictEqual(readRejection(undefined, { error: "invalid_client" }), {
      error: "invalid_client",
      scope: [],
      inactive: false
    })
    assert.deepStrictEqual(readRejection("Bearer", { scope: "c" }), { error: undefined, scope: ["c"], inactive: false })
    assert.isTrue(readRejection(undefined, { active: false }).inactive)
    assert.isFalse(readRejection(undefined, { active: "false" }).inactive)
  })

  it("yields no unknown code and no malformed scope", () => {
    for (const error of ["canary", 7, null, ["invalid_token"], "__proto__"]) {
      assert.deepStrictEqual(readRejection(undefined, { error }), { error: undefined, scope: [], inactive: false })
    }
    for (const scope of ["a \"b", "\u00e9", "a".repeat(129), "a ".repeat(33), 7, ["a"]]) {
      assert.deepStrictEqual(readRejection(undefined, { scope }).scope, [])
    }
    assert.deepStrictEqual(readRejection(`Bearer ${"x".repeat(100_000)}`, {}).scope, [])
  })
})
