import { assert, describe, it } from "@effect/vitest"
import * as Redacted from "effect/Redacted"
import * as Result from "effect/Result"
import { shapeMistake } from "../../src/credential/mistakes.ts"
import { parseAuthorization } from "../../src/credential/parseAuthorization.ts"
import type { GatewayError } from "../../src/errors/GatewayError.ts"
import { rejectionFields } from "../../src/http/accessLog.ts"

const limit = 16_384
const canary = "c4n4ryTokenOfSomebody"

const errorOf = (authorization: string): GatewayError | undefined =>
  Result.match(parseAuthorization({ authorization: [authorization], query: "" }, limit), {
    onSuccess: () => undefined,
    onFailure: (error) => error
  })

const detailOf = (authorization: string): string => {
  const error = errorOf(authorization)
  return error === undefined ? "accepted" : String(rejectionFields(error)["detail"])
}

const called: ReadonlyArray<readonly [authorization: string, called: string]> = [
  [`Bearer Bearer ${canary}`, "the word Bearer is there twice"],
  [`bearer  BEARER ${canary}`, "the word Bearer is there twice"],
  [`Bearer Bearer: ${canary}`, "the word Bearer is there twice"],
  ["Bearer null", "the word null in place of a token"],
  ["Bearer undefined", "the word undefined in place of a token"],
  ["Bearer None", "the word None in place of a token"],
  ["Bearer nil", "the word nil in place of a token"],
  ["Bearer false", "the word false in place of a token"],
  ["Bearer (null)", "the word (null) in place of a token"],
  ["Bearer [object Object]", "an object of the client's program"],
  [`Bearer {"access_token":"${canary}"}`, "a JSON object in place of the token"],
  [`Bearer Optional(${canary})`, "the token is wrapped"],
  [`Bearer b'${canary}'`, "quotation marks around the token"],
  ["Bearer ${MCP_TOKEN}", "a placeholder"],
  ["Bearer ${input:token}", "a placeholder"],
  ["Bearer {{token}}", "a placeholder"],
  ["Bearer {{ token }}", "a placeholder"],
  ["Bearer $MCP_TOKEN", "a placeholder"],
  ["Bearer $(cat token)", "a placeholder"],
  ["Bearer %MCP_TOKEN%", "a placeholder"],
  ["Bearer <your token>", "a placeholder"],
  [`Bearer "${canary}"`, "quotation marks around the token"],
  [`Bearer '${canary}'`, "quotation marks around the token"],
  [`Bearer ${canary}"`, "quotation marks around the token"],
  [`Bearer ${canary}\u2026`, "it ends with dots"],
  [`Bearer ${canary} ${canary}`, "there is white space in the token, of 43 characters"],
  [`Bearer ${canary}!`, "the token, of 22 characters, has one outside token68 at place 22"],
  [`Bearer ${canary}=A`, "the token has = before its end"],
  [`Basic ${canary}`, "the scheme is basic, not Bearer"],
  [`DPoP ${canary}`, "the scheme is dpop, not Bearer"],
  [`Token ${canary}`, "the scheme is token, not Bearer"],
  [`Bearer: ${canary}`, "the scheme is written with a colon"],
  [`Bearer${canary}`, "there is no space between Bearer and the token"],
  [canary, "the scheme Bearer is missing before the token"],
  [`${canary} ${canary}`, "the scheme is not Bearer"],
  ["Bearer ", "no token after the scheme"]
]

describe("what the log calls a malformed credential", () => {
  for (const [authorization, text] of called) {
    it(`${authorization.replaceAll(canary, "…")}: ${text}`, () => {
      const error = errorOf(authorization)
      assert.include(["InvalidToken", "UnsupportedCredential"], error?._tag)
      assert.include(detailOf(authorization), text)
      assert.notInclude(
        JSON.stringify(error === undefined ? "" : rejectionFields(error)).toLowerCase(),
        canary.toLowerCase()
      )
    })
  }

  it("accepts tokens that only resemble such words", () => {
    for (const token of ["nullable", "undefined.1", "NULL", "none", "Bearer", "a=", "null=", "Bearer-1", "{"]) {
      const parsed = parseAuthorization({ authorization: [`Bearer ${token}`], query: "" }, limit)
      const isToken = /^[\w.~+/=-]+$/.test(token)
      assert.strictEqual(
        Result.isSuccess(parsed) ? Redacted.value(parsed.success) : "rejected",
        isToken ? token : "rejected"
      )
    }
  })

  it("names size, limit and setting of a token that is too long, and accepts one of the limit", () => {
    assert.strictEqual(
      detailOf(`Bearer ${"a".repeat(limit + 1)}`),
      "the token has 16385 bytes, the limit is 16384; MCP_MAX_TOKEN_BYTES raises it"
    )
    assert.strictEqual(detailOf(`Bearer ${"a".repeat(limit)}`), "accepted")
  })

  it("recognizes placeholders from documentation", () => {
    for (const token of ["YOUR_ACCESS_TOKEN", "your-token-here", "xxxxxxxx", "..."]) {
      assert.include(shapeMistake(token), "a placeholder of the documentation")
    }
    for (const token of ["yourtoken", "mytoken", "opaque-1", "xX"]) assert.include(shapeMistake(token), "it is no JWT")
  })

  it("is bounded for every input", () => {
    for (
      const hostile of ["$".repeat(limit), `{{${"a".repeat(8_000)}`, `${" x".repeat(8_000)}`, "\u0085".repeat(limit)]
    ) {
      assert.isBelow(detailOf(`Bearer a${hostile}`).length, 200)
      assert.match(detailOf(`Bearer a${hostile}`), /^[\x20-\x7e]*$/)
    }
  })
})
