import { assert, describe, it } from "vitest"
import { Admission } from "../../src/authorize/Admission.ts"
import type { Identity } from "../../src/identity/Identity.ts"

const forward = ({ admission }: { readonly admission: Admission }): Identity | undefined => admission.identity

const identity: Identity = {
  issuer: "https://issuer.example",
  subject: "ada",
  clientId: "app",
  scopes: [],
  email: undefined,
  name: undefined,
  provider: "authkit",
  expiresAt: undefined,
  claims: {}
}

describe("Admission", () => {
  it("carries the caller that was authorized", () => {
    assert.strictEqual(forward({ admission: Admission.authenticated(identity) }), identity)
    assert.isUndefined(forward({ admission: Admission.authenticationDisabled() }))
  })

  it("cannot be written as a literal, nor be anything else that has an identity", () => {
    // @ts-expect-error a literal proves nothing
    assert.strictEqual(forward({ admission: { identity } }), identity)
    class Lookalike {
      readonly identity = identity
    }
    // @ts-expect-error another class proves nothing
    assert.strictEqual(forward({ admission: new Lookalike() }), identity)
    // @ts-expect-error its constructor is private
    assert.isUndefined(new Admission(undefined).identity)
  })
})
