/** Tokens in the field of a proxy that signs callers in itself. */
import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Headers from "effect/http/Headers"
import { warnings } from "../../src/config/warnings.ts"
import { handlerFields } from "../../src/embed/handlerFields.ts"
import { complete, onlyProblemOf, settingsOf } from "../config/resolving.ts"
import { GatewayFixture } from "../support/GatewayFixture.ts"

const field = "cf-access-jwt-assertion"

describe("a gateway that takes tokens from another field", () => {
  it.live("verifies the token in it, and ignores Authorization", () =>
    Effect.gen(function*() {
      const { forwarded, logs, reset, send, token, upstream } = yield* GatewayFixture.make({ tokenHeader: field })
      for (const line of [`${field}: ${token}`, `CF-Access-JWT-Assertion: ${token}`, `${field}: Bearer ${token}`]) {
        yield* reset
        const { headers, rawHeaders } = yield* forwarded({ authorization: null, lines: [line] })
        assert.deepStrictEqual(headers("x-auth-user-id"), ["dev-user"])
        assert.notInclude(JSON.stringify(rawHeaders).toLowerCase(), field)
        assert.notInclude(JSON.stringify(rawHeaders) + logs.entries().join(), token)
      }
      const rejected = [
        // The token where MCP clients send it.
        [{}, 401],
        [{ lines: [`${field}: made-up-token`] }, 401],
        [{ authorization: null }, 401],
        [{ authorization: null, lines: [`${field}:`] }, 401],
        [{ authorization: null, lines: [`${field}: ${token}`, `${field}: ${token}`] }, 400],
        [{ authorization: null, lines: [`cf_access_jwt_assertion: ${token}`] }, 401],
        [{ authorization: null, lines: [`Cookie: CF_Authorization=${token}`] }, 401]
      ] as const
      for (const [request, status] of rejected) {
        yield* reset
        const { responses: [response] } = yield* send(request)
        assert.strictEqual(response?.status, status, JSON.stringify(request))
        assert.lengthOf(upstream.requests(), 0)
        assert.notInclude(logs.entries().join(), token)
      }
    }))

  it.live("forwards no Authorization that it has not verified", () =>
    Effect.gen(function*() {
      const { forwarded, token } = yield* GatewayFixture.make({ tokenHeader: field, forwardAuthorization: true })
      const { rawHeaders } = yield* forwarded({ authorization: "Bearer another-token", lines: [`${field}: ${token}`] })
      assert.notMatch(JSON.stringify(rawHeaders), /another-token|authorization/i)
    }))
})

const read = (name: string) => settingsOf({ ...complete, MCP_TOKEN_HEADER: name })

const about = (name: string) => warnings(read(name)).filter((warning) => warning.includes("MCP_TOKEN_HEADER"))

describe("MCP_TOKEN_HEADER", () => {
  it.each([
    "Authorization",
    "Cf-Access-Jwt-Assertion",
    "X-Goog-Iap-Jwt-Assertion",
    "X-Forwarded-Access-Token",
    "x-id-token"
  ])(
    "can be %s",
    (name) => assert.strictEqual(read(name).tokenHeader, name.toLowerCase())
  )

  it.each([
    "Cookie",
    "Cookie2",
    "Proxy-Authorization",
    "Host",
    "Content-Type",
    "X-Token",
    "x_auth_token",
    "X-Http-Method",
    "a b"
  ])(
    "cannot be %s",
    (name) => assert.strictEqual(onlyProblemOf({ ...complete, MCP_TOKEN_HEADER: name }).setting, "MCP_TOKEN_HEADER")
  )

  it("is worth a warning", () => {
    assert.lengthOf(about("Cf-Access-Jwt-Assertion"), 1)
    assert.lengthOf(about("Authorization"), 0)
  })

  it("is not shown to handlers of a program that embeds the gateway", () => {
    const headers = Headers.fromInput({ [field]: "token", authorization: "Bearer other", "x-kept": "yes" })
    const settings = { forwardAuthorization: false, tokenHeader: field }
    assert.deepStrictEqual({ ...handlerFields(headers, settings) }, { "x-kept": "yes" })
  })
})
