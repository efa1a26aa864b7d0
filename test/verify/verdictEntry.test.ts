import { describe, expect, it } from "vitest"
import type { Identity } from "../../src/identity/Identity.ts"
import { accepted, written } from "../../src/verify/verdictEntry.ts"

const identity: Identity = {
  subject: "user-1",
  principal: "user",
  clientId: "desk",
  issuer: "https://idp.example",
  scopes: ["read"],
  email: "ann@example.com",
  emailVerified: true,
  name: "Ann",
  provider: "idp",
  expiresAt: 2_000,
  groups: ["admins", "finance"],
  incomplete: ["claims"],
  claims: { sub: "user-1", level: 3 }
}

const readBack = (stored: object): Identity | undefined =>
  accepted(
    written("digest", { until: 2_000_000, identity: stored as Identity, keys: undefined }).replace(
      ",\"keys\":null",
      ""
    ),
    "digest",
    1_000_000
  )?.identity

describe("a verdict that instances share", () => {
  it("has all that rules look at", () => {
    expect(readBack(identity)).toEqual(identity)
  })

  it.each([
    [{ groups: "admins" }],
    [{ groups: ["admins", 7] }],
    [{ groups: { 0: "admins" } }],
    [{ emailVerified: "true" }],
    [{ incomplete: "groups" }],
    [{ incomplete: ["everything"] }]
  ])("is not believed with %j, which the gateway does not write", (change) => {
    expect(readBack({ ...identity, ...change })).toBeUndefined()
  })
})
