import { assert, describe, it } from "@effect/vitest"
import * as Result from "effect/Result"
import { readSettings } from "../../src/spin/settings.ts"

const read = (variables: Readonly<Record<string, string>>) =>
  readSettings({ variables: () => Object.entries({ mcp_static_tokens: "dev-token:c:s:", ...variables }) })

describe("the settings of the component", () => {
  it("have no admin port, which would stay silent on Spin", () => {
    const rejected = read({ mcp_admin_port: "9464" })
    assert.isTrue(Result.isFailure(rejected))
    assert.include(Result.getOrThrow(Result.flip(rejected)).message, "MCP_ADMIN_PORT: cannot be used on Spin")
    // An empty variable is one that is not given, as a manifest declares it.
    assert.isTrue(Result.isSuccess(read({ mcp_admin_port: "" })))
    assert.isTrue(Result.isSuccess(read({})))
  })
})
