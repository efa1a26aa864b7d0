/**
 * Packs `dist/mcp-authorizer.wasm` for registries: `node src/build/spin/publish.mjs [--push REPOSITORY] [component]`.
 *
 * Writes the OCI layout `dist/oci`, and prints the value for `source` in a manifest. With `--push` the artifact also
 * goes to that repository; `OCI_AUTHORIZATION` is the value of the `Authorization` field for it.
 */
import { readFile } from "node:fs/promises"
import { fileURLToPath } from "node:url"
import { parseArgs } from "node:util"
import { makeArtifact, pushArtifact, writeLayout } from "./ociArtifact.mjs"

const { positionals, values } = parseArgs({
  allowPositionals: true,
  options: { push: { type: "string" }, layout: { type: "string" } }
})
const dist = new URL("../../../dist/", import.meta.url)
const { version } = JSON.parse(await readFile(new URL("../package.json", dist), "utf8"))
const component = await readFile(positionals[0] ?? new URL("mcp-authorizer.wasm", dist))
const { OCI_AUTHORIZATION, SOURCE_DATE_EPOCH = "0" } = process.env

const artifact = await makeArtifact(component, { version, epochSeconds: Number(SOURCE_DATE_EPOCH) })
const layout = values.layout ?? fileURLToPath(new URL("oci", dist))
await writeLayout(artifact, layout)
process.stdout.write(`${layout}: ${artifact.manifest.digest}\n`)
process.stdout.write(`component: digest = "${artifact.blobs[0].digest}"\n`)
if (values.push !== undefined) {
  await pushArtifact(artifact, values.push, OCI_AUTHORIZATION)
  process.stdout.write(`${values.push}:${version}\n`)
}
