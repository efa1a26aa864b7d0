import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Result from "effect/Result"
import * as Schema from "effect/Schema"
import { requireScopes } from "../../src/authorize/requireScopes.ts"
import type { Identity } from "../../src/identity/Identity.ts"
import { staticProvider } from "../fixtures/providers.ts"

const identity = (scopes: ReadonlyArray<string>, provider = "main"): Identity => ({
  subject: "ada",
  clientId: undefined,
  issuer: "static",
  scopes,
  email: undefined,
  name: undefined,
  provider,
  expiresAt: undefined,
  claims: {}
})

const settings = {
  requiredScopes: ["mcp:read"],
  providers: [
    staticProvider([], { name: "main", requiredScopes: ["mcp:main", "mcp:read"] }),
    staticProvider([], { name: "other", requiredScopes: ["mcp:other"] })
  ]
}

/** The required scopes; `undefined` if none is missing. */
const missing = (scopes: ReadonlyArray<string>, provider?: string): ReadonlyArray<string> | undefined =>
  Result.match(requireScopes(settings, identity(scopes, provider)), {
    onFailure: ({ required }) => required,
    onSuccess: () => undefined
  })

const scopes = Schema.Array(Schema.Literals(["a", "b", "c", "ab", "A"]))

describe("requireScopes", () => {
  it("requires the scopes of the gateway and of the identity's provider, and names all of them", () => {
    assert.isUndefined(missing(["mcp:main", "x", "mcp:read"]))
    assert.deepStrictEqual(missing(["mcp:read"]), ["mcp:read", "mcp:main"])
    assert.deepStrictEqual(missing([]), ["mcp:read", "mcp:main"])
    assert.isUndefined(missing(["mcp:read", "mcp:other"], "other"))
    assert.deepStrictEqual(missing(["mcp:read", "mcp:main"], "other"), ["mcp:read", "mcp:other"])
    assert.isUndefined(missing(["mcp:read"], "of an embedding application"))
  })

  it("CLM-15 compares whole elements", () => {
    for (const near of ["mcp:readwrite", "mcp:rea", "MCP:READ", "mcp:read ", "mcp", "mcp:*", "mcp:read mcp:other"]) {
      assert.deepStrictEqual(missing([near, "mcp:other"], "other"), ["mcp:read", "mcp:other"])
    }
  })

  it.effect.prop(
    "accepts exactly the supersets",
    { required: scopes, held: scopes },
    ({ held, required }) =>
      Effect.sync(() => {
        const result = requireScopes({ requiredScopes: required, providers: [] }, identity(held))
        // Adding the required ones to a superset adds nothing.
        const union = new Set([...held, ...required])
        assert.strictEqual(Result.isSuccess(result), union.size === new Set(held).size)
      })
  )
})
