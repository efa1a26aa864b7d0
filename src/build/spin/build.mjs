/**
 * Builds the gateway's component: `node src/build/spin/build.mjs [--wasmtime] [output]`.
 *
 * For Spin, or for `wasmtime serve`; `dist/mcp-authorizer.wasm` or `dist/mcp-authorizer-wasmtime.wasm` unless given.
 */
import { resolve } from "node:path"
import { fileURLToPath } from "node:url"
import { parseArgs } from "node:util"
import { buildComponent } from "./buildComponent.mjs"

const { positionals, values } = parseArgs({ allowPositionals: true, options: { wasmtime: { type: "boolean" } } })
const [entry, world, name] = values.wasmtime
  ? [new URL("../../spin/wasmtimeComponent.ts", import.meta.url), "gateway-on-wasmtime", "mcp-authorizer-wasmtime.wasm"]
  : [new URL("../../spin/component.ts", import.meta.url), "gateway", "mcp-authorizer.wasm"]
const output = resolve(positionals[0] ?? fileURLToPath(new URL(`../../../dist/${name}`, import.meta.url)))
const size = await buildComponent(fileURLToPath(entry), output, world)
process.stdout.write(`${output}: ${(size / 2 ** 20).toFixed(1)} MiB\n`)
