/** The component in a registry, as Spin and `wkg` expect it. */
import { assert, layer } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import { createHash } from "node:crypto"
import { mkdtemp, readFile, rm } from "node:fs/promises"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { makeArtifact, pushArtifact, writeLayout } from "../../src/build/spin/ociArtifact.mjs"
import { builtWasm } from "./support/builtComponent.ts"
import { makeRegistry } from "./support/registry.ts"

const digestOf = (bytes: Uint8Array) => `sha256:${createHash("sha256").update(bytes).digest("hex")}`

const temporary = Effect.acquireRelease(
  Effect.promise(() => mkdtemp(join(tmpdir(), "mcp-authorizer-oci-"))),
  (directory) => Effect.promise(() => rm(directory, { recursive: true }))
)

const component = Effect.flatMap(builtWasm, (path) => Effect.promise(() => readFile(path)))

const get = (url: string) =>
  Effect.promise(async () => {
    const response = await fetch(url)
    assert.strictEqual(response.status, 200, url)
    return { type: response.headers.get("content-type"), bytes: new Uint8Array(await response.arrayBuffer()) }
  })

const parsed = (bytes: Uint8Array) => JSON.parse(Buffer.from(bytes).toString())

layer(Layer.empty, { excludeTestServices: true, timeout: "3 minutes" })("the artifact for registries", (it) => {
  it.effect("is pushed, and comes back with the same bytes", () =>
    Effect.gen(function*() {
      const bytes = yield* component
      const registry = yield* makeRegistry
      const artifact = yield* Effect.promise(() => makeArtifact(bytes, { version: "1.2.3" }))
      yield* Effect.promise(() => pushArtifact(artifact, `${registry.origin}/mcp-authorizer/gateway`))
      const repository = `${registry.origin}/v2/mcp-authorizer/gateway`

      const manifest = yield* get(`${repository}/manifests/1.2.3`)
      assert.strictEqual(manifest.type, "application/vnd.oci.image.manifest.v1+json")
      assert.strictEqual(digestOf(manifest.bytes), artifact.manifest.digest)
      const { config, layers, mediaType, schemaVersion } = parsed(manifest.bytes)
      assert.deepStrictEqual([schemaVersion, mediaType], [2, manifest.type])
      assert.strictEqual(config.mediaType, "application/vnd.wasm.config.v0+json")
      assert.deepStrictEqual(layers, [
        { mediaType: "application/wasm", digest: digestOf(bytes), size: bytes.length }
      ])

      const pulled = yield* get(`${repository}/blobs/${layers[0].digest}`)
      assert.isTrue(Buffer.from(pulled.bytes).equals(bytes))
      const configured = yield* get(`${repository}/blobs/${config.digest}`)
      assert.strictEqual(digestOf(configured.bytes), config.digest)
      const { architecture, component: described, layerDigests, os } = parsed(configured.bytes)
      assert.deepStrictEqual([architecture, os, layerDigests], ["wasm", "wasip2", [digestOf(bytes)]])
      assert.deepStrictEqual(described.exports, ["wasi:http/incoming-handler@0.2.3"])
      assert.include(described.imports, "wasi:keyvalue/store@0.2.0-draft2")

      // Blobs that the registry has are not sent again.
      const before = registry.pushed().length
      yield* Effect.promise(() => pushArtifact(artifact, `${registry.origin}/mcp-authorizer/gateway`))
      assert.deepStrictEqual(registry.pushed().slice(before), ["/v2/mcp-authorizer/gateway/manifests/1.2.3"])
    }), 180_000)

  it.effect("fails to be pushed where the registry rejects it", () =>
    Effect.gen(function*() {
      const artifact = yield* Effect.flatMap(component, (file) =>
        Effect.promise(() => makeArtifact(file, { version: "1" })))
      const registry = yield* makeRegistry
      const [layerBlob, ...others] = artifact.blobs
      if (layerBlob === undefined) {
        return assert.fail("no layer")
      }
      const changed = { ...artifact, blobs: [{ ...layerBlob, bytes: Buffer.from("other") }, ...others] }
      const failure = yield* Effect.flip(
        Effect.tryPromise(() =>
          pushArtifact(changed, `${registry.origin}/mcp-authorizer/gateway`)
        )
      )
      assert.include(String(failure.cause), "400")
      assert.deepStrictEqual(registry.pushed(), [])
    }), 180_000)

  it.effect("is a layout of the same bytes each time, whose entries have the names of what they contain", () =>
    Effect.gen(function*() {
      const bytes = yield* component
      const directory = yield* temporary
      const [first, second] = yield* Effect.promise(() =>
        Promise.all([makeArtifact(bytes, { version: "1.2.3" }), makeArtifact(bytes, { version: "1.2.3" })])
      )
      assert.strictEqual(first?.manifest.digest, second?.manifest.digest)
      if (first === undefined) return assert.fail("no artifact")
      yield* Effect.promise(() => writeLayout(first, directory))
      const index = parsed(yield* Effect.promise(() => readFile(join(directory, "index.json"))))
      const entry = index.manifests[0]
      assert.deepStrictEqual([index.manifests.length, entry.digest], [1, first.manifest.digest])
      for (const { digest } of [entry, ...first.blobs]) {
        const stored = yield* Effect.promise(() => readFile(join(directory, "blobs", ...digest.split(":"))))
        assert.strictEqual(digestOf(stored), digest)
      }
    }))
})
