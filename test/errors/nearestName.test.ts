import { assert, describe, it } from "@effect/vitest"
import { nearestName } from "../../src/errors/nearestName.ts"

const known = ["MCP_CA_FILE", "MCP_CONFIG_FILE", "MCP_MAX_WAITING", "MCP_MAX_LIST_BYTES", "MCP_SERVER_URL", "port"]

describe("the name that a misspelt one stands for", () => {
  it("is the one with the fewest edits", () => {
    assert.strictEqual(nearestName("MCP_SERVR_URL", known), "MCP_SERVER_URL")
    assert.strictEqual(nearestName("prot", known), "port")
    assert.isUndefined(nearestName("something_else", known))
  })

  it("is the one that has a word more, where only one has", () => {
    assert.strictEqual(nearestName("MCP_CONFIG", known), "MCP_CONFIG_FILE")
    assert.strictEqual(nearestName("MCP_SERVER", known), "MCP_SERVER_URL")
    assert.isUndefined(nearestName("MCP_MAX", known))
    assert.isUndefined(nearestName("MCP", ["MCP_SERVER_URL"]))
  })
})
