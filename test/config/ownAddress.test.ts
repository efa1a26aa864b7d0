import { assert, describe, it } from "@effect/vitest"
import * as Result from "effect/Result"
import { resolveService, resolveSources, type Sources } from "../../src/config/resolve.ts"
import { complete, onlyProblemOf, settingsOf } from "./resolving.ts"

const server = { MCP_SERVER_URL: "http://127.0.0.1:8080/mcp" }

const problemsOfService = (variables: Sources["variables"]): ReadonlyArray<string> => {
  const resolved = resolveService({ variables: { ...complete, ...variables } })
  return Result.isSuccess(resolved)
    ? []
    : resolved.failure.problems.map(({ problem, setting }) => `${setting} ${problem}`)
}

const own =
  "MCP_SERVER_URL is the address on which the gateway itself listens, so that it would forward requests to itself"

const at = (gatewayUrl: string, more = {}) => ({
  ...complete,
  MCP_PUBLIC_URL: "https://mcp.example.com",
  MCP_SERVER_URL: gatewayUrl,
  ...more
})

describe("the MCP server's URL", () => {
  it("is required for a service that listens; Spin's default is for Spin only", () => {
    assert.deepStrictEqual(problemsOfService({}), ["MCP_SERVER_URL is missing"])
    assert.deepStrictEqual(problemsOfService(server), [])
    assert.deepStrictEqual(problemsOfService({ MCP_CONFIG_FILE: "x", mcp_gateway_url: server.MCP_SERVER_URL }), [])
    const onSpin = Result.getOrThrow(resolveSources({ variables: complete }))
    assert.strictEqual(onSpin.gatewayUrl, "http://ftl-mcp-gateway.spin.internal/mcp-internal")
  })

  it("may be set under the names that users look for", () => {
    for (
      const name of ["MCP_SERVER_URL", "MCP_GATEWAY_URL", "MCP_UPSTREAM_URL", "AUTH_GATEWAY_URL", "mcp_server_url"]
    ) {
      assert.strictEqual(
        settingsOf({ ...complete, [name]: "http://mcp.internal/mcp" }).gatewayUrl,
        "http://mcp.internal/mcp"
      )
    }
    assert.include(
      onlyProblemOf({ ...complete, MCP_SERVER_URL: "http://a", MCP_UPSTREAM_URL: "http://b" }).problem,
      "given twice with different values"
    )
    for (const name of ["MCP_PROVIDER_HOSTS", "MCP_ALLOWED_DOMAINS"]) {
      const hosts = settingsOf({ ...complete, [name]: "issuer.example" })
      assert.deepStrictEqual(hosts.providers[0]?.allowedDomains, ["issuer.example"])
    }
  })

  it("may have its former names in the file too, and problems name the current one", () => {
    const provider = { issuer: "https://issuer.example" }
    for (const key of ["server_url", "gateway_url"]) {
      assert.strictEqual(
        settingsOf(complete, { [key]: "http://mcp.internal/mcp" }).gatewayUrl,
        "http://mcp.internal/mcp"
      )
      const { setting, source } = onlyProblemOf(complete, { [key]: "mcp.internal" })
      assert.deepStrictEqual([setting, source], ["MCP_SERVER_URL", `${key} in the config file`])
    }
    for (const key of ["provider_hosts", "allowed_domains"]) {
      const { providers } = settingsOf(complete, { [key]: ["issuer.example"] })
      assert.deepStrictEqual(providers[0]?.allowedDomains, ["issuer.example"])
    }
    for (const field of ["hosts", "allowed_domains"]) {
      const { providers } = settingsOf({}, { providers: [{ ...provider, [field]: ["issuer.example"] }] })
      assert.deepStrictEqual(providers[0]?.allowedDomains, ["issuer.example"])
      const problem = onlyProblemOf({}, { providers: [{ ...provider, [field]: ["https://issuer.example"] }] })
      assert.strictEqual(problem.setting, "MCP_PROVIDERS[0].hosts")
    }
    assert.strictEqual(
      onlyProblemOf(complete, { server_url: "http://a", gateway_url: "http://a" }).problem,
      "is given twice, as server_url in the config file and as gateway_url in the config file"
    )
    assert.strictEqual(
      onlyProblemOf({}, {
        providers: [{ ...provider, hosts: ["issuer.example"], allowed_domains: ["issuer.example"] }]
      })
        .problem,
      "is given twice, as hosts and as allowed_domains"
    )
    assert.strictEqual(
      onlyProblemOf({ ...complete, MCP_SERVER_URL: "http://a", MCP_GATEWAY_URL: "http://b" }).problem,
      "is given twice with different values, as MCP_SERVER_URL and as MCP_GATEWAY_URL"
    )
    assert.strictEqual(onlyProblemOf({ ...complete, MCP_GATEWAY_UR: "http://a" }).fix, "Did you mean MCP_SERVER_URL?")
    assert.strictEqual(onlyProblemOf(complete, { gatewayurl: "http://a" }).fix, "Did you mean server_url?")
  })

  it("cannot be the gateway's own listening address", () => {
    for (
      const [host, port, url] of [
        ["127.0.0.1", "3000", "http://127.0.0.1:3000/mcp"],
        ["127.0.0.1", "3000", "http://localhost:3000"],
        ["localhost", "3000", "http://[::1]:3000/other"],
        ["::1", "3000", "http://[::1]:3000/mcp"],
        ["0.0.0.0", "3000", "http://127.0.0.2:3000/mcp"],
        ["::", "80", "http://localhost/mcp"],
        ["gateway.internal", "8443", "https://GATEWAY.internal:8443/mcp"]
      ] as const
    ) assert.deepStrictEqual(problemsOfService({ HOST: host, PORT: port, MCP_SERVER_URL: url }), [own], url)
    for (
      const [host, port, url] of [
        ["127.0.0.1", "3000", "http://127.0.0.1:3001/mcp"],
        ["127.0.0.1", "3000", "http://[::1]:3000/mcp"],
        ["127.0.0.1", "3000", "http://10.0.0.7:3000/mcp"],
        ["0.0.0.0", "3000", "http://mcp:3000/mcp"],
        ["127.0.0.1", "0", "http://127.0.0.1/mcp"],
        ["0.0.0.0", "3000", "http+unix://%2Frun%2Fmcp.sock/mcp"]
      ] as const
    ) assert.deepStrictEqual(problemsOfService({ HOST: host, PORT: port, MCP_SERVER_URL: url }), [], url)
  })

  it("cannot be the gateway's MCP endpoint, on any host", () => {
    for (
      const url of [
        "https://mcp.example.com/mcp",
        "https://MCP.example.com:443/mcp/",
        "https://mcp.example.com/mcp/v1"
      ]
    ) {
      assert.match(onlyProblemOf(at(url)).problem, /^is the gateway's own public URL/, url)
    }
    assert.match(onlyProblemOf(at("https://mcp.example.com/x", { MCP_PATH: "/" })).problem, /own public URL/)
    for (
      const url of [
        "https://mcp.example.com/internal",
        "https://mcp.example.com/mcp2",
        "http://mcp.example.com:81/mcp"
      ]
    ) {
      settingsOf(at(url))
    }
  })
})
