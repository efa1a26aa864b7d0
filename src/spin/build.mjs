/** Builds the gateway's component: `node src/spin/build.mjs [output]`; `dist/mcp-authorizer.wasm` unless given. */
import { resolve } from "node:path"
import { fileURLToPath } from "node:url"
import { buildComponent } from "./buildComponent.mjs"

const here = (path) => fileURLToPath(new URL(path, import.meta.url))

const output = resolve(process.argv[2] ?? here("../../dist/mcp-authorizer.wasm"))
const size = await buildComponent(here("component.ts"), output)
process.stdout.write(`${output}: ${(size / 2 ** 20).toFixed(1)} MiB\n`)
