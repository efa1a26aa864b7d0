import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Schema from "effect/Schema"
import { settingNames, type settings, spellingsOf } from "../../../src/config/settings.ts"
import { configFile } from "../../../src/config/sources/variables.ts"
import { complete, onlyProblemOf, problemsOf, settingsOf } from "../resolving.ts"

/** Each setting with a value, and all names for it. */
const samples: ReadonlyArray<readonly [name: keyof typeof settings, value: string]> = [
  ["MCP_SERVER_URL", "http://mcp.internal/x"],
  ["MCP_TRACE_HEADER", "X-Request-Id"],
  ["MCP_PROVIDER_TYPE", "authkit"],
  ["MCP_PROVIDER_NAME", "workforce"],
  ["MCP_JWT_ISSUER", "https://tenant.authkit.app"],
  ["MCP_JWT_AUDIENCE", "a, b"],
  ["MCP_JWT_JWKS_URI", "https://tenant.authkit.app/keys"],
  ["MCP_REQUIRED_SCOPES", "mcp:read mcp:write"],
  ["MCP_OAUTH_AUTHORIZE_ENDPOINT", "https://tenant.authkit.app/a"],
  ["MCP_OAUTH_TOKEN_ENDPOINT", "https://tenant.authkit.app/t"],
  ["MCP_OAUTH_USERINFO_ENDPOINT", "https://tenant.authkit.app/u"],
  ["MCP_PROVIDER_HOSTS", "*.authkit.app"]
]

const spellings = (name: keyof typeof settings): ReadonlyArray<string> =>
  spellingsOf(name).flatMap((spelling) =>
    [spelling, spelling.toLowerCase()].flatMap((cased) => [
      cased,
      `SPIN_VARIABLE_${cased}`,
      `spin_variable_${cased}`
    ])
  )

const expected = settingsOf(Object.fromEntries(samples))

const mixed = (spelling: string, flips: ReadonlyArray<boolean>): string =>
  [...spelling].map((char, i) => flips[i % flips.length] === true ? char.toLowerCase() : char.toUpperCase()).join("")

describe("variables", () => {
  it("every alias, case and prefix means the same setting", () => {
    for (const [name, value] of samples) {
      for (const spelling of spellings(name)) {
        const others = samples.filter(([other]) => other !== name)
        assert.deepStrictEqual(settingsOf({ ...Object.fromEntries(others), [spelling]: value }), expected, spelling)
      }
    }
  })

  it("has exactly the documented aliases", () => {
    assert.deepStrictEqual(
      Object.fromEntries(settingNames.flatMap((name) => {
        const others = spellingsOf(name).slice(1)
        return others.length === 0 ? [] : [[name, others]]
      })),
      {
        MCP_AUTH_ENABLED: ["AUTH_ENABLED"],
        MCP_SERVER_URL: ["MCP_GATEWAY_URL", "AUTH_GATEWAY_URL", "MCP_UPSTREAM_URL"],
        MCP_TRACE_HEADER: ["AUTH_TRACE_HEADER"],
        MCP_PROVIDER_TYPE: ["AUTH_PROVIDER_TYPE"],
        MCP_PROVIDER_NAME: ["AUTH_PROVIDER_NAME"],
        MCP_JWT_ISSUER: ["AUTH_PROVIDER_ISSUER", "AUTHKIT_ISSUER", "AUTHKIT_DOMAIN"],
        MCP_JWT_AUDIENCE: ["AUTH_PROVIDER_AUDIENCE", "AUTHKIT_AUDIENCE"],
        MCP_JWT_JWKS_URI: ["AUTH_PROVIDER_JWKS_URI", "AUTHKIT_JWKS_URI"],
        MCP_REQUIRED_SCOPES: ["MCP_JWT_REQUIRED_SCOPES"],
        MCP_OAUTH_AUTHORIZE_ENDPOINT: ["AUTH_PROVIDER_AUTHORIZE_ENDPOINT"],
        MCP_OAUTH_TOKEN_ENDPOINT: ["AUTH_PROVIDER_TOKEN_ENDPOINT"],
        MCP_OAUTH_USERINFO_ENDPOINT: ["AUTH_PROVIDER_USERINFO_ENDPOINT"],
        MCP_PROVIDER_HOSTS: ["MCP_ALLOWED_DOMAINS", "AUTH_PROVIDER_ALLOWED_DOMAINS"]
      }
    )
  })

  it.effect.prop(
    "any mix of case, prefix, padding and company resolves to the same settings",
    {
      choices: Schema.Array(Schema.Int.check(Schema.isBetween({ minimum: 0, maximum: 1_000_000 })))
        .check(Schema.isMinLength(samples.length), Schema.isMaxLength(samples.length)),
      padding: Schema.Literals(["", " ", "\n", "\r\n", "\t "]),
      flips: Schema.Array(Schema.Boolean).check(Schema.isMinLength(8), Schema.isMaxLength(8))
    },
    ({ choices, flips, padding }) =>
      Effect.sync(() => {
        const variables = samples.flatMap(([name, value], index) => {
          const all = spellings(name)
          const choice = choices[index] ?? 0
          // The same value may also be there under a second name.
          const names = [choice, choice + index].map((i) => mixed(all[i % all.length] ?? name, flips))
          return names.map((spelling) => [spelling, padding + value + padding])
        })
        assert.deepStrictEqual(settingsOf({ PATH: "/bin", MCP: "x", ...Object.fromEntries(variables) }), expected)
      })
  )

  it("CFG-02 rejects two spellings with different values, naming both but neither value", () => {
    const variables = { AUTHKIT_DOMAIN: "https://one.authkit.app", MCP_JWT_ISSUER: "https://two.authkit.app" }
    const problem = onlyProblemOf(variables)
    assert.strictEqual(problem.setting, "MCP_JWT_ISSUER")
    assert.include(problem.problem, "AUTHKIT_DOMAIN")
    assert.include(problem.problem, "MCP_JWT_ISSUER")
    assert.notMatch(problem.problem, /authkit\.app/)

    assert.strictEqual(problemsOf({ ...complete, MCP_CLOCK_SKEW: "1", mcp_clock_skew: "2" }).length, 1)
    assert.strictEqual(
      problemsOf({ ...complete, MCP_CLOCK_SKEW: "1", SPIN_VARIABLE_MCP_CLOCK_SKEW: "2", mcp_clock_skew: "3" }).length,
      2
    )
  })

  it("CFG-02 positive control: equal values, and booleans that mean the same, may be repeated", () => {
    assert.isFalse(
      settingsOf({ ...complete, MCP_AUTH_ENABLED: "no", auth_enabled: "FALSE", AUTH_ENABLED: " 0 " }).authEnabled
    )
    assert.strictEqual(settingsOf({ ...complete, MCP_CLOCK_SKEW: "7", mcp_clock_skew: "7\n" }).clockSkewSeconds, 7)
  })

  it("an empty value counts as not given", () => {
    for (const empty of ["", " ", "\n", "\t\r\n"]) {
      assert.deepStrictEqual(
        settingsOf({
          ...complete,
          MCP_PATH: empty,
          MCP_CLOCK_SKEWW: empty,
          AUTHKIT_ISSUER: empty,
          AUTH_CONFIG: empty
        }),
        settingsOf(complete)
      )
    }
    assert.deepStrictEqual(settingsOf({ ...complete, MCP_PATH: undefined }), settingsOf(complete))
  })

  it("CFG-01 rejects misspelled names and names the nearest one", () => {
    for (
      const [spelling, meant] of [
        ["MCP_JWT_ISUER", "MCP_JWT_ISSUER"],
        ["mcp_gatway_url", "MCP_SERVER_URL"],
        ["MCP_GATEWAY", "MCP_SERVER_URL"],
        ["AUTHKIT_DOMIAN", "AUTHKIT_DOMAIN"],
        ["AUTH_PROVIDER_TYP", "AUTH_PROVIDER_TYPE"],
        ["SPIN_VARIABLE_AUTH_PROVIDER_AUDIENC", "AUTH_PROVIDER_AUDIENCE"],
        ["spin_variable_mcp_required_scope", "MCP_REQUIRED_SCOPES"],
        ["MCP_PORT", "PORT"],
        ["MCP_HOST", "HOST"]
      ] as const
    ) {
      const problem = onlyProblemOf({ ...complete, [spelling]: "1" })
      assert.strictEqual(problem.setting, spelling)
      assert.strictEqual(problem.fix, `Did you mean ${meant}?`)
    }
  })

  it("CFG-01 rejects unknown names with the gateway's prefix", () => {
    for (const spelling of ["MCP_POLICY", "MCP_AUTH_ALLOWED_SUBJECTS", "AUTHKIT_COOKIE_PASSWORD", "MCP_"]) {
      const problem = onlyProblemOf({ ...complete, [spelling]: "1" })
      assert.strictEqual(problem.setting, spelling)
      assert.match(problem.fix, /unknown/)
    }
    // An invalid name is not repeated.
    assert.strictEqual(problemsOf({ ...complete, "MCP_\nx: y": "1" })[0]?.setting, "(not shown)")
  })

  it("CFG-01 positive control: other programs' variables are ignored", () => {
    const others = { PATH: "/bin", MY_MCP_PATH: "x", AUTH_TOKEN: "x", SPIN_VARIABLE_OTHER: "y", __proto__: "z" }
    assert.deepStrictEqual(settingsOf({ ...complete, ...others }), settingsOf(complete))
  })

  it("names the spelling that the operator used", () => {
    const problem = onlyProblemOf({ spin_variable_authkit_domain: "http://tenant.authkit.app" })
    assert.strictEqual(problem.setting, "MCP_JWT_ISSUER")
    assert.strictEqual(problem.source, "spin_variable_authkit_domain")
  })

  it("finds the config file's name", () => {
    assert.strictEqual(configFile({ mcp_config_file: " /etc/mcp.json\n" }), "/etc/mcp.json")
    assert.isUndefined(configFile({ MCP_CONFIG_FILE: "" }))
    assert.isUndefined(configFile({}))
  })
})
