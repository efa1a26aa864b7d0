import { assert, describe, it } from "@effect/vitest"
import { redirectTarget } from "../../src/forward/redirect.ts"
import { ServerPath } from "../../src/forward/ServerPath.ts"

const redirect = (location: string, status = 307) => ({ status, headers: { location } })

/** How the configured URL changes after a response. */
const learnt = (
  gatewayUrl: string,
  head: { status: number; headers: Record<string, string | ReadonlyArray<string>> }
) => {
  const server = new ServerPath(gatewayUrl)
  return [server.learns("", server.target("", ""), head), server.target("", "")] as const
}

describe("the path of the MCP server", () => {
  it("is the configured one followed by what followed the MCP path, slashes included", () => {
    const cases = [
      ["/mcp-internal", "", "", "/mcp-internal"],
      ["/mcp-internal", "/", "", "/mcp-internal/"],
      ["/mcp-internal", "/x/tool", "a=%20b&c", "/mcp-internal/x/tool?a=%20b&c"],
      ["/", "", "", "/"],
      ["/", "/", "", "/"],
      ["/", "/x", "", "/x"],
      ["/base/", "", "q", "/base/?q"],
      ["/base/", "/", "", "/base/"],
      ["/base/", "/x", "", "/base/x"]
    ] as const
    for (const [base, rest, query, expected] of cases) {
      assert.strictEqual(new ServerPath(`http://h${base}`).target(rest, query), expected)
    }
  })

  it("adopts only the form that the server redirects to", () => {
    for (const status of [301, 302, 307, 308]) {
      assert.deepStrictEqual(learnt("http://h/mcp", redirect("http://h/mcp/", status)), [true, "/mcp/"])
      assert.deepStrictEqual(learnt("http://h:80/mcp/", redirect("/mcp", status)), [true, "/mcp"])
    }
    assert.deepStrictEqual(learnt("http://h/mcp", redirect("mcp/")), [true, "/mcp/"])
    assert.deepStrictEqual(learnt("http://h/mcp", redirect("//h/mcp/#x")), [true, "/mcp/"])
    assert.deepStrictEqual(learnt("http+unix://%2Frun%2Fmcp.sock/mcp", redirect("http://localhost/mcp/")), [
      true,
      "/mcp/"
    ])
    const server = new ServerPath("http://h/mcp")
    assert.isTrue(server.learns("", "/mcp?a=1", redirect("/mcp/?a=1")))
    assert.strictEqual(server.target("", "b"), "/mcp/?b")
    // Paths below it are not changed.
    assert.strictEqual(server.target("/x", ""), "/mcp/x")
  })

  it("stays as configured on every other redirect", () => {
    const others = [
      redirect("/mcp/", 303),
      redirect("/mcp/", 300),
      redirect("/mcp/", 200),
      redirect("http://other/mcp/"),
      redirect("https://h/mcp/"),
      redirect("http://h:8080/mcp/"),
      redirect("http://user@h/mcp/"),
      redirect("/mcp//"),
      redirect("/MCP/"),
      redirect("/mcp/x"),
      redirect("/login"),
      redirect("/mcp/?next=1"),
      redirect("/mcp"),
      redirect("http://[h/"),
      { status: 307, headers: {} },
      { status: 307, headers: { location: ["/mcp/", "/mcp/"] } }
    ]
    for (const head of others) {
      assert.deepStrictEqual(learnt("http://h/mcp", head), [false, "/mcp"], JSON.stringify(head))
    }
    assert.deepStrictEqual(learnt("http://h/", redirect("http://h")), [false, "/"])
  })

  it("is not changed by what a client added", () => {
    const server = new ServerPath("http://h/mcp")
    assert.isFalse(server.learns("/", "/mcp/", redirect("/mcp")))
    assert.isFalse(server.learns("/x", "/mcp/x", redirect("/mcp/x/")))
    assert.strictEqual(server.target("", ""), "/mcp")
  })
})

describe("where a redirect leads", () => {
  it("is logged by origin and path, without query, user information or possible tokens", () => {
    const targets = [
      ["http://h:8080/mcp/?code=secret#x", "http://h:8080/mcp/"],
      ["/mcp/", "/mcp/"],
      ["https://user:secret@h/login", "https://h/login"],
      ["https://h/3f9a8b7c6d5e4f3a2b1c0d9e8f7a6b5c", "https://h/…"],
      ["http://[", "nowhere"]
    ] as const
    for (const [location, expected] of targets) assert.strictEqual(redirectTarget(redirect(location)), expected)
    assert.strictEqual(redirectTarget({ status: 307, headers: {} }), "nowhere")
  })
})
