/** The step of the build that makes the memory of an engine that has read its script the initial memory of the component. */
import { assert, describe, it } from "@effect/vitest"
import { withMemory, withStackPointer } from "../../src/build/spin/initialMemory.mjs"
import { active, bytesOf, leb, preambleOf, section } from "./support/wasmBytes.ts"

const pageBytes = 65_536
const stackPointer = 4096
const i32 = 0x7f
const text = (name: string) => bytesOf(leb(name.length), Buffer.from(name))

const body = bytesOf(
  // No locals; memory.grow(1)
  [0, 0x41, 1, 0x40, 0, 0x1a],
  // i32.store(page, 7), i32.store(16, 9)
  [0x41, ...leb(pageBytes, true), 0x41, 7, 0x36, 2, 0],
  [0x41, 16, 0x41, 9, 0x36, 2, 0],
  [0x0b]
)

/** A module whose function `init` grows its memory by a page, writes 7 to the beginning of it, and 9 to the stack. */
const moduleWith = (dataAt: number) =>
  bytesOf(
    preambleOf.module,
    section(1, [1, 0x60, 0, 0]),
    section(3, [1, 0]),
    section(5, [1, 0, 1]),
    section(6, [1, i32, 1, 0x41], leb(stackPointer, true), [0x0b]),
    section(7, [3], text("memory"), [2, 0], text("init"), [0, 0], text("run"), [0, 0]),
    section(12, [1]),
    section(10, [1], leb(body.length), body),
    section(11, [1], active({ at: dataAt, data: Uint8Array.of(1, 2, 3, 4, 5, 6, 7, 8) }))
  )

const instanceOf = (bytes: Uint8Array) =>
  new WebAssembly.Instance(new WebAssembly.Module(Uint8Array.from(bytes))).exports

const memoryIn = ({ memory }: WebAssembly.Exports) =>
  memory instanceof WebAssembly.Memory ? new Uint8Array(memory.buffer) : assert.fail("no memory")

const initialized = (bytes: Uint8Array) => {
  const exports = instanceOf(bytes)
  if (typeof exports["init"] === "function") exports["init"]()
  return memoryIn(exports)
}

describe("the snapshot of an initialized engine", () => {
  it("SPIN-IMAGE-06 MUST begin each instance with the memory of the initialized one, except for its stack", () => {
    const before = moduleWith(stackPointer)
    const memory = initialized(before)
    assert.strictEqual(memory[16], 9)
    const exports = instanceOf(withMemory(before, memory, stackPointer, ["init"]))
    assert.deepStrictEqual(Object.keys(exports), ["memory", "run"])
    const found = memoryIn(exports)
    assert.strictEqual(found.length, 2 * pageBytes)
    assert.deepStrictEqual([...found.subarray(stackPointer, stackPointer + 8)], [1, 2, 3, 4, 5, 6, 7, 8])
    assert.strictEqual(found[pageBytes], 7)
    assert.isTrue(found.subarray(0, stackPointer).every((byte) => byte === 0))
    // The argument is as it was.
    assert.strictEqual(memory[16], 9)
  })

  it("SPIN-IMAGE-07 MUST make the same module of the same memory, wherever its stack has been", () => {
    const before = moduleWith(stackPointer)
    const [one, other] = [initialized(before), initialized(before)]
    other.fill(5, 0, stackPointer)
    const made = withMemory(before, one, stackPointer, ["init"])
    assert.isTrue(Buffer.from(made).equals(Buffer.from(withMemory(before, other, stackPointer, ["init"]))))
    other[stackPointer] = 0
    assert.isFalse(Buffer.from(made).equals(Buffer.from(withMemory(before, other, stackPointer, ["init"]))))
  })

  it("SPIN-IMAGE-08 MUST not take data for a stack", () => {
    const before = moduleWith(64)
    assert.throws(() => withMemory(before, initialized(before), stackPointer, ["init"]), "below its stack")
  })

  it("SPIN-IMAGE-09 MUST show the stack pointer of an instance", () => {
    const exports = instanceOf(withStackPointer(moduleWith(stackPointer), "stack"))
    assert.deepStrictEqual(Object.keys(exports), ["memory", "init", "run", "stack"])
    const { stack } = exports
    assert.strictEqual(stack instanceof WebAssembly.Global ? stack.value : undefined, stackPointer)
  })
})
