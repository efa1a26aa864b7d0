/** The application for SpinKube sets variables that the manifest declares, and they amount to a configuration. */
import { assert, describe, it } from "@effect/vitest"
import * as Result from "effect/Result"
import { readFileSync } from "node:fs"
import { readSettings } from "../../src/spin/settings.ts"
import { readManifest, variablesFor } from "./support/manifest.ts"

const read = (path: string) => readFileSync(new URL(`../../src/spin/${path}`, import.meta.url), "utf8")

const app = read("spinapp.yaml")
const [before = "", listed = ""] = app.split("\n  variables:\n")

const entries = [...listed.matchAll(/^ {4}- name: (\w+)\n {6}(?:value: (\S+)|valueFrom:\n {8}secretKeyRef:)$/gm)]

describe("spinapp.yaml", () => {
  it("is an application of SpinKube, with the store of its replicas in Redis", () => {
    assert.match(app, /^apiVersion: core\.spinkube\.dev\/v1alpha1\nkind: SpinApp$/m)
    assert.match(before, /keyValueStores:\n +- name: default\n +type: redis\n +options:\n +- name: url$/m)
  })

  it("sets variables that the manifest declares, and secrets from a secret", () => {
    const manifest = readManifest(read("spin.toml"))
    assert.lengthOf(entries, listed.split("- name: ").length - 1)
    for (const [, name = "", value] of entries) {
      assert.property(manifest.variables, name)
      assert.strictEqual(manifest.variables[name]?.secret === true, value === undefined, name)
    }
    const given = Object.fromEntries(entries.map(([, name = "", value = "k".repeat(32)]) => [name, value]))
    const variables = variablesFor(manifest, "mcp-authorizer", given)
    const settings = Result.getOrThrow(readSettings({ variables: () => Object.entries(variables) }))
    assert.strictEqual(settings.publicUrl, "https://mcp.example.com")
    assert.strictEqual(settings.trustedProxies._tag, "Networks")
    assert.isTrue(settings.bindSessions)
  })
})
