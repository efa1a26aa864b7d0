/**
 * Initializes the JavaScript engine with the script, and writes the engine with its memory as it is then: `wizer` for
 * componentize-js, with the same arguments.
 *
 * Unlike with `wizer`, two builds give the same bytes, on any machine: the engine sees a clock that only counts, no randomness, and
 * no path of the machine. It cannot call its host either, so what it does for a request cannot get into the snapshot unless it
 * is the same for every request.
 */
import { closeSync, mkdtempSync, openSync, readFileSync, rmSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import { basename, dirname, join } from "node:path"
import { WASI } from "node:wasi"
import { withMemory, withStackPointer } from "./initialMemory.mjs"

const initFunction = "componentize.wizer"
const stackPointer = "snapshot:stack-pointer"

const option = (name) => process.argv.find((argument) => argument.startsWith(`${name}=`))?.slice(name.length + 1) ?? ""
const input = process.argv.at(-1) ?? ""
const generated = option("--dir")
const [, root = ""] = option("--mapdir").split("::")

// The engine reads its arguments from standard input. The paths of this machine would become part of its memory.
const scriptPath = join(root, readFileSync(0, "utf8").trim().split(" ").at(-1) ?? "")
const directory = mkdtempSync(join(tmpdir(), "mcp-authorizer-snapshot-"))
const stdinPath = join(directory, "stdin")
writeFileSync(
  stdinPath,
  `--initializer-script-path /generated/initializer.js --strip-path-prefix / ${basename(scriptPath)}`
)
const stdin = openSync(stdinPath, "r")
const stderrPath = join(directory, "stderr")
const stderr = openSync(stderrPath, "w")

/** The variables by which componentize-js describes the component. */
const described = /^(?:DEBUG|SOURCE_NAME|FEATURE_\w+|(?:EX|IM)PORT\w+)$/

const wasi = new WASI({
  version: "preview1",
  env: Object.fromEntries(Object.entries(process.env).filter(([name]) => described.test(name))),
  preopens: { "/generated": generated, "/": dirname(scriptPath) },
  stdin,
  stderr
})

const bytes = readFileSync(input)
const module = new WebAssembly.Module(withStackPointer(bytes, stackPointer))
const memory = () => new DataView(instance.exports.memory.buffer)
const success = 0

const nanosPerTick = 1000n
let ticks = 0n
/** Advances each time that it is read. */
const clock_time_get = (_clock, _precision, result) => {
  memory().setBigUint64(result, ++ticks * nanosPerTick, true)
  return success
}
const clock_res_get = (_clock, result) => {
  memory().setBigUint64(result, nanosPerTick, true)
  return success
}

let state = 1
/**
 * Writes the same bytes in each build (xorshift). The engine orders its hash tables by them, and seeds `Math.random` again when
 * an instance runs.
 */
const random_get = (start, length) => {
  const view = memory()
  for (let at = start; at < start + length; at++) {
    state ^= state << 13
    state ^= state >>> 17
    state ^= state << 5
    view.setUint8(at, state & 0xff)
  }
  return success
}

const reported = () => readFileSync(stderrPath, "utf8")

const proc_exit = (code) => {
  throw new Error(`the engine ended with ${code}: ${reported()}`)
}

const imports = wasi.getImportObject()
Object.assign(imports.wasi_snapshot_preview1, { clock_res_get, clock_time_get, proc_exit, random_get })
for (const { module: from, name } of WebAssembly.Module.imports(module)) {
  imports[from] ??= {}
  imports[from][name] ??= () => {
    throw new Error(`${from} ${name} cannot be called while the component is built`)
  }
}

const instance = new WebAssembly.Instance(module, imports)
wasi.initialize(instance)
const { value: stack } = instance.exports[stackPointer]
instance.exports[initFunction]()
if (instance.exports[stackPointer].value !== stack) throw new Error("the engine has not left its stack")
closeSync(stdin)
closeSync(stderr)
// The engine reports what the script has failed to do, and goes on.
if (reported() !== "") throw new Error(reported())
rmSync(directory, { recursive: true })

const initialized = new Uint8Array(instance.exports.memory.buffer)
writeFileSync(option("-o"), withMemory(bytes, initialized, stack, ["_initialize", initFunction]))
