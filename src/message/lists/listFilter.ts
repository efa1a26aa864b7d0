/** Removes items from the lists in a response that is JSON. */
import type { BodyFilter } from "../BodyFilter.ts"
import type { ListRules } from "./ListItems.ts"
import { ListReader } from "./ListReader.ts"
import { nowhere } from "./PiecePositions.ts"
import type { Slabs } from "./Slabs.ts"
import { SplicedBytes } from "./SplicedBytes.ts"

export interface ListFilterOptions extends ListRules {
  /** Whether each result must contain a list, because the request asked for nothing else. */
  readonly demanded: boolean
  /** The maximum length of a list, in bytes. Lists are held until they are complete. */
  readonly limit: number
  /** The pool of buffers for held bytes. */
  readonly slabs: Slabs
}

const byteOrderMark: ReadonlyArray<number> = [0xef, 0xbb, 0xbf]

/**
 * Removes items from the lists in a JSON text that arrives in pieces.
 *
 * Items are cut out of the bytes, each with one comma; all other bytes are unchanged. Bytes before a list are forwarded
 * immediately. From the list on, bytes are held until the end of the text, because an invalid list must not be
 * forwarded at all. The result does not depend on where the text is split into pieces.
 */
export class ListFilter implements BodyFilter {
  fault: string | undefined = undefined

  private readonly reader: ListReader
  private readonly bytes: SplicedBytes
  private readonly options: ListFilterOptions
  /** How many bytes of a byte order mark have arrived; all of them if there is none. */
  private marked = 0

  constructor(options: ListFilterOptions) {
    this.options = options
    this.bytes = new SplicedBytes(options.slabs)
    this.reader = new ListReader(options, options.demanded)
  }

  push(chunk: Uint8Array): ReadonlyArray<Uint8Array> {
    const { bytes, reader } = this
    if (this.fault !== undefined) return []
    const at = bytes.position
    const start = this.endOfMark(chunk)
    if (start < chunk.length) reader.push(start === 0 ? chunk : chunk.subarray(start), at + start)
    return this.leave(chunk)
  }

  end(): ReadonlyArray<Uint8Array> {
    const { options, reader } = this
    if (this.fault !== undefined) return []
    reader.end()
    if (options.demanded && !reader.hasBegun) this.fault = "an empty body in place of a list"
    return this.leave(nothing)
  }

  close(): void {
    this.bytes.close()
  }

  private leave(chunk: Uint8Array): ReadonlyArray<Uint8Array> {
    const { bytes, options, reader } = this
    this.fault ??= reader.fault
    if (this.fault !== undefined) return []
    const { waitsFrom } = reader
    const until = waitsFrom === nowhere ? bytes.position + chunk.length : waitsFrom
    const leaving = bytes.push(chunk, until, reader.splices)
    if (bytes.length > options.limit) {
      this.fault = tooLong(options.limit)
      return []
    }
    return leaving
  }

  /** Returns where the text begins in a chunk. A byte order mark is not part of the text, because clients skip it. */
  private endOfMark(chunk: Uint8Array): number {
    let at = 0
    while (this.marked < byteOrderMark.length && at < chunk.length && chunk[at] === byteOrderMark[this.marked]) {
      at++
      this.marked++
    }
    if (at < chunk.length) this.marked = byteOrderMark.length
    return at
  }
}

export const tooLong = (limit: number): string => `a list of more than ${limit} bytes`

const nothing = new Uint8Array(0)
