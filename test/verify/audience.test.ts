import { assert, describe, it } from "@effect/vitest"
import { checkAudience } from "../../src/verify/claims/audience.ts"

const reasonOf = (aud: unknown, ...accepted: ReadonlyArray<string>) =>
  checkAudience({ aud }, { audience: accepted, allowedClients: [] })?.reason

describe("the audience of a token", () => {
  it("CLM-10 is the same with and without the slash at the root of a URL, on either side", () => {
    for (
      const host of ["https://api.example", "https://api.example:8443", "http://[::1]:3000", "https://API.example"]
    ) {
      assert.isUndefined(reasonOf(host, `${host}/`), host)
      assert.isUndefined(reasonOf(`${host}/`, host), host)
      assert.isUndefined(reasonOf(`${host}/`, `${host}/`), host)
      assert.isUndefined(reasonOf(["other", `${host}/`], "another", host), host)
    }
  })

  it("CLM-10 is another one with a slash anywhere else, or with two", () => {
    const others = [
      ["https://api.example/mcp", "https://api.example/mcp/"],
      ["https://api.example//", "https://api.example"],
      ["https://api.example/", "https://api.example//"],
      ["https://api.example?/", "https://api.example?"],
      ["https://api.example#/", "https://api.example#"],
      ["https:///", "https://"],
      ["https://api.example\\/", "https://api.example\\"],
      ["https://API.example/", "https://api.example"],
      ["api.example/", "api.example"],
      ["client/", "client"],
      ["urn:api/", "urn:api"],
      ["/", ""]
    ] as const
    for (const [one, other] of others) {
      assert.strictEqual(reasonOf(one, other), "InvalidAudience", `${one} for ${other}`)
      assert.strictEqual(reasonOf(other, one), "InvalidAudience", `${other} for ${one}`)
      assert.isUndefined(reasonOf(one, one), one)
    }
  })
})
