/** Replaces the initial memory of a module by the memory of one of its instances. */
import { dataSection, makeReader, rebuilt, sectionIds, sectionsOf, segmentsOf, unsigned } from "./wasmSections.mjs"

const pageBytes = 65_536
const wordBytes = 8

/** More zeros than these end a segment. */
const longestZeros = 256

/** All of a memory that is not zero, as segments. */
const segmentsIn = (memory) => {
  const words = new BigUint64Array(memory.buffer, memory.byteOffset, memory.length / wordBytes)
  const segments = []
  let start = -1
  let end = -1
  const close = () => {
    if (start >= 0) segments.push({ start: start * wordBytes, data: memory.subarray(start * wordBytes, end * wordBytes) })
  }
  for (let index = 0; index < words.length; index++) {
    if (words[index] === 0n) continue
    if (start < 0 || (index - end) * wordBytes > longestZeros) {
      close()
      start = index
    }
    end = index + 1
  }
  close()
  return segments
}

const textOf = (bytes) => Buffer.from(bytes).toString("utf8")

const exportsOf = (section) => {
  const reader = makeReader(section)
  return Array.from({ length: reader.unsigned() }, () => {
    const begin = reader.at()
    const name = textOf(reader.take(reader.unsigned()))
    reader.byte()
    reader.unsigned()
    return { name, bytes: section.subarray(begin, reader.at()) }
  })
}

const exportSection = (exports) => Buffer.concat([unsigned(exports.length), ...exports.map(({ bytes }) => bytes)])

const globalKind = 3

/** Returns the same module with its first global, the stack pointer of compiled C++, exported. */
export const withStackPointer = (bytes, name) =>
  rebuilt(bytes, [...sectionsOf(bytes)], ({ content, id }) => {
    if (id !== sectionIds.export) return content
    const text = Buffer.from(name)
    const added = { bytes: Buffer.concat([unsigned(text.length), text, Uint8Array.of(globalKind, 0)]) }
    return exportSection([...exportsOf(content), added])
  })

const startsOf = (bytes) =>
  [...sectionsOf(bytes)].filter(({ id }) => id === sectionIds.data)
    .flatMap(({ content }) => segmentsOf(content) ?? []).map(({ start }) => start)

/**
 * Returns the module with this memory, without the functions that made it.
 *
 * The stack is below all data, and nothing is left on it but what functions that have returned wrote.
 *
 * @param stackPointer where the stack begins, and where it is again
 * @param initializers the names of exports to remove
 */
export const withMemory = (bytes, memory, stackPointer, initializers) => {
  if (startsOf(bytes).some((start) => start < stackPointer)) throw new Error("the module has data below its stack")
  const segments = segmentsIn(Uint8Array.from(memory).fill(0, 0, stackPointer))
  return rebuilt(bytes, [...sectionsOf(bytes)], ({ content, id }) => {
    switch (id) {
      case sectionIds.memory:
        // One memory without a maximum.
        return Buffer.concat([Uint8Array.of(1, 0), unsigned(memory.length / pageBytes)])
      case sectionIds.export:
        return exportSection(exportsOf(content).filter(({ name }) => !initializers.includes(name)))
      case sectionIds.dataCount:
        return unsigned(segments.length)
      case sectionIds.data:
        return dataSection(segments)
      default:
        return content
    }
  })
}
