import { assert, describe, it } from "@effect/vitest"
import { execFileSync } from "node:child_process"
import { readFileSync } from "node:fs"
import { join } from "node:path"
import { root } from "../node/support/builtProgram.ts"
import { settingsOf } from "./resolving.ts"

const page = readFileSync(join(root, "src/config/README.md"), "utf8")

const blocksOf = (language: string): ReadonlyArray<string> =>
  Array.from(page.matchAll(new RegExp(`^\`\`\`${language}\n([^]*?)^\`\`\`$`, "gm")), ([, block = ""]) => block)

/** The environment after a shell has run the lines of a recipe. */
const environmentOf = (recipe: string): Record<string, string> => {
  // A secret is left out of the page: a reader writes the one of the provider.
  const script = `set -a\n${recipe.replace("SECRET=…", "SECRET=secret-of-my-gateway")}\nexec env -0`
  const printed = execFileSync("env", ["-i", "/bin/sh", "-c", script], { encoding: "utf8" })
  const entries = printed.split("\0").map((entry) => entry.split(/=([^]*)/, 2))
  return Object.fromEntries(entries.filter(([name = ""]) => /^(?:MCP|AUTHKIT)_/.test(name)))
}

const recipes = blocksOf("sh").filter((block) =>
  /^(?:export )?(?:MCP|AUTHKIT)_\w+=/.test(block) && !block.includes("_FILE=")
)

const common = { MCP_SERVER_URL: "http://127.0.0.1:8080/mcp", MCP_PUBLIC_URL: "https://mcp.example.com" }

describe("the recipes of src/config/README.md", () => {
  it("are there for each type of provider", () => {
    const types = recipes.flatMap((recipe) =>
      settingsOf({ ...common, ...environmentOf(recipe) }).providers.map(({ type }) => type)
    )
    assert.includeMembers<string>(types, ["authkit", "oidc", "userinfo", "introspection", "static"])
  })

  it.each(recipes)("are settings that the gateway starts with: %s", (recipe) => {
    const variables = environmentOf(recipe)
    assert.isAbove(Object.keys(variables).length, 0)
    assert.isAbove(settingsOf({ ...common, ...variables }).providers.length, 0)
  })

  it("have a config file that the gateway starts with", () => {
    const [file = "", severalServers = ""] = blocksOf("json")
    assert.strictEqual(settingsOf({}, JSON.parse(file)).providers.length, 1)
    assert.deepStrictEqual(
      settingsOf({}, JSON.parse(severalServers)).servers.map(({ path, publicUrl }) => `${publicUrl}${path}`),
      ["https://mcp.example.com/notes/mcp", "https://mcp.example.com/search/mcp", "https://files.example.com/mcp"]
    )
  })
})
