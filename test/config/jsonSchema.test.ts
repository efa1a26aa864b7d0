import { assert, describe, it } from "@effect/vitest"
import * as JsonSchema from "effect/JsonSchema"
import * as Result from "effect/Result"
import * as Schema from "effect/Schema"
import * as SchemaRepresentation from "effect/SchemaRepresentation"
import { readFileSync } from "node:fs"
import { configFileSchema } from "../../src/config/jsonSchema.ts"
import { providerFieldNames } from "../../src/config/providers/providerFields.ts"
import { providerReference, settingsReference } from "../../src/config/reference.ts"
import { fileKey, fileKeysOf, gatewayNames, propertyOf, settingNames } from "../../src/config/settings.ts"
import { fileSettings } from "../../src/config/sources/settingFiles.ts"
import { inputModule, resolvedModule } from "../../src/config/writtenTypes.ts"
import { problemsOf, settingsOf } from "./resolving.ts"

// A small validator for the published JSON Schema.
const published = SchemaRepresentation.fromJsonSchemaDocument(
  JsonSchema.fromSchemaDraft2020_12(JSON.parse(JSON.stringify(configFileSchema)))
)

const isValid = (document: unknown): boolean =>
  Result.isSuccess(
    // The published schema needs no services.
    Schema.decodeUnknownResult(published as Schema.Codec<unknown>)(document, { onExcessProperty: "error" })
  )

const issuer = "https://issuer.example"

describe("the JSON Schema of the config file", () => {
  it("accepts documents that the gateway accepts", () => {
    for (
      const document of [
        { jwt_issuer: issuer },
        { $schema: "https://example.com/schema.json", jwt_issuer: issuer, jwt_audience: ["a", "b"], port: 0 },
        { jwt_issuer: issuer, jwt_audience: "a,b", jwt_algorithm: ["ES256"], allowed_origins: "*" },
        { auth_enabled: false, clock_skew: 300, error_style: "jsonrpc", trusted_proxies: ["10.0.0.0/8"] },
        { static_tokens: "t:c:s:read" },
        { jwt_issuer: issuer, workers: 4 },
        { jwt_issuer: issuer, gateway_url: "http://127.0.0.1:8080/mcp", allowed_domains: ["issuer.example"] },
        { jwt_issuer: issuer, workers: "auto" },
        { static_tokens: [{ token: "t", client_id: "c", subject: "s", scopes: ["a"], expires_at: 1 }] },
        {
          required_scopes: ["a"],
          providers: [
            { issuer, required_scopes: ["b"], require_at_jwt: true },
            { type: "static", tokens: [{ token: "t", client_id: "c", subject: "s" }] }
          ]
        }
      ]
    ) {
      assert.isTrue(isValid(document), JSON.stringify(document))
      settingsOf({}, document)
    }
  })

  it("CFG-01 rejects what the gateway rejects: unknown members, wrong types, values out of bounds", () => {
    for (
      const document of [
        [],
        "x",
        { jwt_issuer: issuer, gatewayUrl: "http://x" },
        { jwt_issuer: issuer, MCP_PATH: "/mcp" },
        { jwt_issuer: issuer, config_file: "x" },
        { jwt_issuer: issuer, auth_config: {} },
        { jwt_issuer: issuer, auth_enabled: "true" },
        { jwt_issuer: issuer, clock_skew: 301 },
        { jwt_issuer: issuer, clock_skew: 1.5 },
        { jwt_issuer: issuer, port: "3000" },
        { jwt_issuer: issuer, workers: 0 },
        { jwt_issuer: issuer, workers: "4" },
        { jwt_issuer: issuer, error_style: "html" },
        { jwt_issuer: issuer, log_level: "INFO" },
        { jwt_issuer: issuer, required_scopes: [] },
        { jwt_issuer: issuer, required_scopes: [1] },
        { jwt_issuer: "" },
        { static_tokens: [{ token: "t", client_id: "c" }] },
        { static_tokens: [{ token: "t", client_id: "c", subject: "s", scope: "x" }] },
        { providers: { issuer } },
        { providers: [issuer] },
        { providers: [{ issuer, audiences: "x" }] },
        { providers: [{ type: "saml", issuer }] },
        { providers: [{ issuer, require_at_jwt: "yes" }] }
      ]
    ) {
      assert.isFalse(isValid(document), JSON.stringify(document))
      assert.isNotEmpty(problemsOf({}, document), JSON.stringify(document))
    }
  })

  it("describes every setting that a file can have, with its default", () => {
    const { properties } = configFileSchema
    const members = Object.entries(properties as Record<string, JsonSchema.JsonSchema>)
    assert.deepStrictEqual(
      members.map(([name]) => name),
      [
        "$schema",
        ...settingNames.flatMap((name) =>
          fileSettings.includes(name) && fileKeysOf(name).length > 0
            ? [fileKey(name), `${fileKey(name)}_file`]
            : fileKeysOf(name)
        )
      ]
    )
    for (const [name, { description }] of members) assert.isString(description, name)
    const defaults = Object.fromEntries(
      members.flatMap(([name, schema]) => schema["default"] === undefined ? [] : [[name, schema["default"]]])
    )
    assert.strictEqual(defaults["port"], 3000)
    assert.strictEqual(defaults["auth_enabled"], true)
    assert.strictEqual(defaults["path"], "/mcp")
    assert.isTrue(isValid(defaults))
    assert.deepStrictEqual(
      members.flatMap(([name, schema]) => schema["writeOnly"] === true ? [name] : []),
      ["session_key", "upstream_auth", "signing_key", "static_tokens", "client_secret", "store_password", "admin_token"]
    )
    assert.deepStrictEqual(
      members.flatMap(([name, schema]) => schema["deprecated"] === true ? [name] : []),
      ["gateway_url", "allowed_domains"]
    )
  })
})

describe("the reference", () => {
  it("is a Markdown table without padding, with a row for each setting", () => {
    for (
      const [text, names] of [
        [settingsReference(), settingNames],
        [providerReference(), providerFieldNames]
      ] as const
    ) {
      const [head = "", rule = "", ...rows] = text.split("\n")
      assert.match(rule, /^\|( --- \|)+$/)
      assert.deepStrictEqual(rows.map((row) => row.split("`")[1]), [...names])
      for (const row of rows) {
        assert.notMatch(row, / {3}/)
        assert.strictEqual(row.replaceAll("\\|", "").split("|").length, head.split("|").length, row)
      }
    }
    assert.match(
      settingsReference(),
      /`MCP_JWT_ISSUER` +\| `AUTH_PROVIDER_ISSUER`, `AUTHKIT_ISSUER`, `AUTHKIT_DOMAIN` \|/
    )
  })
})

describe("the types of settings", () => {
  it("are those of the table, with a comment at each member that editors show (npm run readme)", () => {
    for (
      const [file, text, members] of [
        ["GatewayConfigInput.ts", inputModule(), settingNames.flatMap(fileKeysOf)],
        ["ResolvedSettings.ts", resolvedModule(), gatewayNames.map(propertyOf)]
      ] as const
    ) {
      assert.strictEqual(readFileSync(new URL(`../../src/config/${file}`, import.meta.url), "utf8"), text, file)
      const lines = text.split("\n")
      for (const member of members) {
        const at = lines.findIndex((line) => new RegExp(`^  readonly ${member}\\??: `).test(line))
        assert.match(lines[at - 1] ?? "", /\*\/$/, member)
      }
    }
    assert.include(inputModule(), "/** @deprecated The former name of `server_url`. */")
  })
})
