/** The step of the build that fills gaps of a component's initial memory, on modules small enough to read. */
import { assert, describe, it } from "@effect/vitest"
import { denseImage, imagesOf } from "../../src/build/spin/denseImage.mjs"
import { active, bytesOf, leb, preambleOf, section, type Segment } from "./support/wasmBytes.ts"

const pages = 512
const passive = bytesOf([1], leb(2), [7, 7])

const moduleOf = (segments: ReadonlyArray<Uint8Array>) =>
  bytesOf(
    preambleOf.module,
    section(5, [1, 0], leb(pages)),
    section(7, [1, 1, 0x6d, 2, 0]),
    section(12, leb(segments.length)),
    section(11, leb(segments.length), ...segments)
  )

const memoryOf = (bytes: Uint8Array): Buffer => {
  const { exports: { m } } = new WebAssembly.Instance(new WebAssembly.Module(Uint8Array.from(bytes)))
  return m instanceof WebAssembly.Memory ? Buffer.from(m.buffer) : assert.fail("no memory")
}

const block = (byte: number, length: number) => new Uint8Array(length).fill(byte)

const mebibyte = 2 ** 20

/** 20 MiB from end to end, of which 320 KiB are data: gaps of 7 KiB, 896 KiB, 9 MiB and 10 MiB. */
const sparse: ReadonlyArray<Segment> = [
  { at: 1024, data: block(1, 100 * 1024) },
  { at: 108 * 1024, data: block(2, 20 * 1024) },
  { at: mebibyte, data: block(3, 100 * 1024) },
  { at: 10 * mebibyte, data: block(4, 50 * 1024) },
  { at: 20 * mebibyte - 50 * 1024, data: block(5, 50 * 1024) }
]

describe("the initial memory of the component", () => {
  it("SPIN-IMAGE-02 MUST fill the shortest gaps until at least half of the span is data, and change no byte of the memory", () => {
    const before = moduleOf(sparse.map(active))
    const after = denseImage(before)
    assert.isFalse(imagesOf(before)[0]?.isDense)
    const [image] = imagesOf(after)
    assert.isTrue(image?.isDense)
    // The longest gap stays, because the others are enough.
    assert.strictEqual(image?.segments, 2)
    assert.isAbove(memoryOf(before).byteLength, 0)
    assert.isTrue(memoryOf(after).equals(memoryOf(before)))
  })

  it("SPIN-IMAGE-03 MUST leave a memory alone that hosts map anyway, or whose segments other code refers to", () => {
    const short = moduleOf(sparse.slice(0, 4).map(active))
    const whole = moduleOf([active({ at: 0, data: block(1, 17 * mebibyte) })])
    const referred = moduleOf([...sparse.map(active), passive])
    for (const bytes of [short, whole, referred, moduleOf([])]) {
      assert.deepStrictEqual(Buffer.from(denseImage(bytes)), Buffer.from(bytes))
    }
    assert.isTrue(imagesOf(short)[0]?.isDense)
    assert.isTrue(imagesOf(whole)[0]?.isDense)
    assert.isEmpty(imagesOf(referred))
  })

  it("SPIN-IMAGE-04 MUST take segments in any order, and leave those alone that overlap", () => {
    const before = moduleOf(sparse.toReversed().map(active))
    const after = denseImage(before)
    assert.isTrue(imagesOf(after)[0]?.isDense)
    assert.isTrue(memoryOf(after).equals(memoryOf(before)))
    const overlapping = moduleOf([...sparse, { at: 2048, data: block(9, 1) }].map(active))
    assert.deepStrictEqual(Buffer.from(denseImage(overlapping)), Buffer.from(overlapping))
  })

  it("SPIN-IMAGE-05 MUST find modules in components, and components in these", () => {
    const custom = section(0, [1, 0x78, 1, 2, 3])
    const inner = bytesOf(preambleOf.component, custom, section(1, moduleOf(sparse.map(active))))
    const component = bytesOf(preambleOf.component, section(4, inner), custom)
    assert.deepStrictEqual(imagesOf(component).map(({ isDense }) => isDense), [false])
    const after = denseImage(component)
    assert.deepStrictEqual(imagesOf(after).map(({ isDense }) => isDense), [true])
    assert.deepStrictEqual(Buffer.from(after.subarray(-custom.length)), custom)
  })
})
