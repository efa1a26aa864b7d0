import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Redacted from "effect/Redacted"
import * as Result from "effect/Result"
import * as Schema from "effect/Schema"
import { parseAuthorization } from "../../src/credential/parseAuthorization.ts"

const limit = 8192

const parse = (...authorization: ReadonlyArray<string>) => parseAuthorization({ authorization, query: "" }, limit)

const verdict = (...authorization: ReadonlyArray<string>): string =>
  Result.match(parse(...authorization), {
    onSuccess: (token) => `token ${Redacted.value(token)}`,
    onFailure: (error) => error._tag
  })

describe("parseAuthorization", () => {
  it("CRED-01 distinguishes a request without credentials from a rejected one", () => {
    assert.strictEqual(verdict(), "MissingCredential")
    assert.strictEqual(verdict("Bearer abc"), "token abc")
  })

  it("CRED-02 rejects two Authorization fields, in any order, and values that a platform joined", () => {
    for (
      const lines of [
        ["Bearer a", "Bearer b"],
        ["Bearer a", "Bearer a"],
        ["Basic a", "Bearer b"],
        ["Bearer a, Bearer b"],
        ["Bearer a,bearer b"],
        ["Bearer a, Basic b"]
      ]
    ) {
      assert.strictEqual(verdict(...lines), "InvalidRequest", lines.join(" + "))
    }
    assert.strictEqual(verdict("Bearer a"), "token a")
  })

  it("CRED-03 reads the scheme in any case", () => {
    for (const scheme of ["Bearer", "bearer", "BEARER", "BeArEr"]) {
      assert.strictEqual(verdict(`${scheme} abc`), "token abc")
    }
  })

  it("CRED-04 accepts several spaces after the scheme and nothing else that looks like one", () => {
    assert.strictEqual(verdict("Bearer    abc"), "token abc")
    for (const value of ["Bearer\tabc", "Bearer\u00a0abc", "Bearerabc"]) {
      assert.strictEqual(verdict(value), "UnsupportedCredential", JSON.stringify(value))
    }
  })

  it("CRED-05 ignores white space around the value and rejects it inside the token", () => {
    assert.strictEqual(verdict("  Bearer abc \t"), "token abc")
    assert.strictEqual(verdict("Bearer a bc"), "InvalidToken")
    assert.strictEqual(verdict("Bearer a\tbc"), "InvalidToken")
  })

  it("CRED-06, CRED-07 reject an empty token and every other scheme", () => {
    for (const value of ["Bearer", "Bearer ", "Basic dXNlcg==", "DPoP abc", "Negotiate abc", "Token x", ""]) {
      assert.strictEqual(verdict(value), "UnsupportedCredential", value)
    }
  })

  it("CRED-08, CRED-09 reject a token in the query, alone and together with a header", () => {
    for (const query of ["access_token=a", "x=1&access_token=", "access%5Ftoken=a"]) {
      for (const authorization of [[], ["Bearer abc"]]) {
        const result = parseAuthorization({ authorization, query }, limit)
        assert.strictEqual(Result.isFailure(result) && result.failure._tag, "InvalidRequest", query)
      }
    }
    assert.isTrue(Result.isSuccess(parseAuthorization({ authorization: ["Bearer abc"], query: "token=a" }, limit)))
  })

  it("CRED-12 checks a token up to the limit and rejects a longer one unread", () => {
    assert.strictEqual(verdict(`Bearer ${"a".repeat(limit)}`), `token ${"a".repeat(limit)}`)
    assert.strictEqual(verdict(`Bearer ${"a".repeat(limit + 1)}`), "CredentialTooLarge")
  })

  it("CRED-13 rejects characters outside of token68", () => {
    for (const character of ["\"", "%", "\\", "é", "😀", "\u0000", ";", "{"]) {
      assert.strictEqual(verdict(`Bearer a${character}b`), "InvalidToken", character)
    }
    assert.strictEqual(verdict("Bearer a,b"), "InvalidToken")
    assert.strictEqual(verdict("Bearer aB0-._~+/=="), "token aB0-._~+/==")
  })

  const sent = Schema.String.check(Schema.isPattern(/^[ -~]{4,40}$/))

  it.effect.prop(
    "never throws, returns what followed the scheme, and never quotes what it rejects",
    { sent },
    ({ sent }) =>
      Effect.sync(() =>
        Result.match(parse(`Bearer ${sent}`), {
          onSuccess: (token) => assert.strictEqual(Redacted.value(token), sent.trim()),
          onFailure: (error) => assert.notInclude(JSON.stringify(error), sent)
        })
      )
  )
})
