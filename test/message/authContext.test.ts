import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Schema from "effect/Schema"
import type { Identity } from "../../src/identity/Identity.ts"
import { authContext } from "../../src/message/authContext.ts"

const identity: Identity = {
  subject: "user_1",
  clientId: "client",
  issuer: "https://issuer.test",
  scopes: ["a"],
  email: undefined,
  name: "A Name",
  provider: "authkit",
  expiresAt: 1,
  claims: { sub: "user_1" }
}

const serialised = (overrides: Partial<Identity>) =>
  new TextDecoder().decode(authContext({ ...identity, ...overrides }))

describe("authContext", () => {
  it("FWD-11 names the caller, and nothing else", () => {
    assert.strictEqual(serialised({}), `{"authenticated_user":"user_1","email":null,"provider":"authkit"}`)
    assert.strictEqual(
      serialised({ email: "a@b.test" }),
      `{"authenticated_user":"user_1","email":"a@b.test","provider":"authkit"}`
    )
  })

  it("FWD-12 cannot be broken out of", () => {
    assert.strictEqual(
      serialised({ subject: `"},"\\\n\u007f\u2028é😀\ud800` }),
      `{"authenticated_user":"\\"},\\"\\\\\\n\\u007f\\u2028\\u00e9\\ud83d\\ude00\\ud800","email":null,"provider":"authkit"}`
    )
  })

  it.effect.prop(
    "FWD-12 is one line of ASCII with exactly what the identity says",
    { subject: Schema.String, email: Schema.UndefinedOr(Schema.String), unit: Schema.Int },
    ({ email, subject, unit }) =>
      Effect.sync(() => {
        const hard = subject + String.fromCharCode(Math.abs(unit) % 0x10000)
        const bytes = authContext({ ...identity, subject: hard, email })
        assert.isTrue(bytes.every((byte) => byte >= 0x20 && byte < 0x7f))
        assert.deepStrictEqual(JSON.parse(new TextDecoder().decode(bytes)), {
          authenticated_user: hard,
          email: email ?? null,
          provider: "authkit"
        })
      }),
    { arbitrary: { runs: 500 } }
  )
})
