/**
 * The component as an artifact for OCI registries, in the form that Spin and `wkg` read: a configuration of the type
 * `application/vnd.wasm.config.v0+json` and one layer of the type `application/wasm`.
 */
import { componentWit } from "@bytecodealliance/jco"
import { createHash } from "node:crypto"
import { mkdir, writeFile } from "node:fs/promises"
import { dirname, join } from "node:path"

const types = {
  manifest: "application/vnd.oci.image.manifest.v1+json",
  config: "application/vnd.wasm.config.v0+json",
  layer: "application/wasm"
}

const described = (mediaType, bytes) => ({
  mediaType,
  digest: `sha256:${createHash("sha256").update(bytes).digest("hex")}`,
  size: bytes.length
})

const json = (value) => Buffer.from(JSON.stringify(value))

/** What a component imports or exports, by its WIT. */
const named = (wit, what) => [...wit.matchAll(new RegExp(`^\\s*${what} (\\S+);$`, "gm"))].map(([, name]) => name)

/**
 * Makes the artifact. The same component with the same metadata makes the same bytes.
 *
 * @param epochSeconds when it was made, for the reader (`SOURCE_DATE_EPOCH`)
 */
export const makeArtifact = async (component, { epochSeconds = 0, source, version }) => {
  const wit = await componentWit(component)
  const layer = described(types.layer, component)
  const configBytes = json({
    created: new Date(epochSeconds * 1000).toISOString(),
    architecture: "wasm",
    os: "wasip2",
    layerDigests: [layer.digest],
    component: { exports: named(wit, "export"), imports: named(wit, "import"), target: null }
  })
  const config = described(types.config, configBytes)
  const manifestBytes = json({
    schemaVersion: 2,
    mediaType: types.manifest,
    config,
    layers: [layer],
    annotations: {
      "org.opencontainers.image.title": "mcp-authorizer",
      "org.opencontainers.image.licenses": "Apache-2.0",
      "org.opencontainers.image.version": version,
      ...source === undefined ? {} : { "org.opencontainers.image.source": source }
    }
  })
  return {
    version,
    manifest: { ...described(types.manifest, manifestBytes), bytes: manifestBytes },
    blobs: [{ ...layer, bytes: component }, { ...config, bytes: configBytes }]
  }
}

/** Writes the artifact as an OCI layout, which `oras`, `skopeo` and `crane` copy to any registry. */
export const writeLayout = async ({ blobs, manifest, version }, directory) => {
  for (const { bytes, digest } of [...blobs, manifest]) {
    const path = join(directory, "blobs", ...digest.split(":"))
    await mkdir(dirname(path), { recursive: true })
    await writeFile(path, bytes)
  }
  const { bytes: _, ...entry } = manifest
  await writeFile(join(directory, "oci-layout"), json({ imageLayoutVersion: "1.0.0" }))
  await writeFile(
    join(directory, "index.json"),
    json({
      schemaVersion: 2,
      manifests: [{ ...entry, annotations: { "org.opencontainers.image.ref.name": version } }]
    })
  )
}

const succeeded = (response, what) => {
  if (!response.ok) throw new Error(`${what}: ${response.status} ${response.statusText}`)
  return response
}

/**
 * Pushes the artifact to a repository of a registry, with its version as the tag.
 *
 * @param repository `https://registry.example.com/mcp-authorizer/gateway`
 * @param authorization the value of the `Authorization` field, if the registry requires one
 */
export const pushArtifact = async ({ blobs, manifest, version }, repository, authorization) => {
  const { origin, pathname } = new URL(repository)
  const base = `${origin}/v2${pathname}`
  const headers = authorization === undefined ? {} : { authorization }
  for (const { bytes, digest } of blobs) {
    if ((await fetch(`${base}/blobs/${digest}`, { method: "HEAD", headers })).ok) continue
    const begun = succeeded(await fetch(`${base}/blobs/uploads/`, { method: "POST", headers }), "POST of an upload")
    const place = new URL(begun.headers.get("location"), begun.url)
    place.searchParams.set("digest", digest)
    const upload = { method: "PUT", headers: { ...headers, "content-type": "application/octet-stream" }, body: bytes }
    succeeded(await fetch(place, upload), `PUT of ${digest}`)
  }
  succeeded(
    await fetch(`${base}/manifests/${version}`, {
      method: "PUT",
      headers: { ...headers, "content-type": manifest.mediaType },
      body: manifest.bytes
    }),
    "PUT of the manifest"
  )
}
