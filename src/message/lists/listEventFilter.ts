/** Removes items from the lists in a response that is an event stream. */
import type { BodyFilter } from "../BodyFilter.ts"
import type { Splice } from "../json/spliceBytes.ts"
import { EventData } from "../sse/eventData.ts"
import { type ListFilterOptions, tooLong } from "./listFilter.ts"
import { ListReader } from "./ListReader.ts"
import { nowhere } from "./PiecePositions.ts"
import { SplicedBytes } from "./SplicedBytes.ts"

/**
 * `ListFilter` for a `text/event-stream`: each event has at most one message.
 *
 * Bytes are forwarded as they arrive, except for an event with a list: from the beginning of the list, its bytes are
 * held until the event ends. If an item spans several lines, only the data of these lines are removed.
 */
export class ListEventFilter implements BodyFilter {
  fault: string | undefined = undefined

  private readonly bytes: SplicedBytes
  private readonly options: ListFilterOptions
  private readonly splices: Array<Splice> = []
  private readonly events: EventData
  private reader: ListReader
  /** The end of a piece of data, and the bytes between pieces, since bytes began to be held. */
  private dataEnd = 0
  private readonly gaps: Array<Gap> = []

  constructor(options: ListFilterOptions) {
    this.options = options
    this.bytes = new SplicedBytes(options.slabs)
    this.reader = new ListReader(options, options.demanded)
    this.events = new EventData({
      data: (piece, at) => this.data(piece, at),
      lineFeed: (at) => this.reader.push(lineFeed, at),
      ended: () => this.endEvent()
    })
  }

  push(chunk: Uint8Array): ReadonlyArray<Uint8Array> {
    if (this.fault !== undefined) return []
    this.events.push(chunk, this.bytes.position)
    return this.leave(chunk)
  }

  /** An event without an end must be ignored (HTML, section 9.2.6), but some clients read it. */
  end(): ReadonlyArray<Uint8Array> {
    if (this.fault !== undefined) return []
    if (this.events.isInEvent) this.endEvent()
    return this.leave(nothing)
  }

  private data(piece: Uint8Array, at: number): void {
    const { gaps } = this
    if (at !== this.dataEnd) gaps.push({ start: this.dataEnd, end: at })
    // The reader does not see these bytes.
    if (gaps.length > maxGaps && this.reader.waitsFrom === nowhere) gaps.length = 0
    this.dataEnd = at + piece.length
    this.reader.push(piece, at)
  }

  private endEvent(): void {
    const { options, reader } = this
    reader.end()
    this.fault ??= reader.fault
    this.collect()
    this.gaps.length = 0
    this.reader = new ListReader(options, options.demanded)
  }

  /** Takes over the changes. */
  private collect(): void {
    const { gaps, splices } = this
    for (const splice of this.reader.splices.splice(0)) {
      if (gaps.length === 0) splices.push(splice)
      else splices.push(...around(splice, gaps))
    }
  }

  close(): void {
    this.bytes.close()
  }

  private leave(chunk: Uint8Array): ReadonlyArray<Uint8Array> {
    const { bytes, options, reader, splices } = this
    this.fault ??= reader.fault
    if (this.fault !== undefined) return []
    const { waitsFrom } = reader
    if (waitsFrom === nowhere) this.collect()
    const until = waitsFrom === nowhere ? bytes.position + chunk.length : waitsFrom
    const leaving = bytes.push(chunk, until, splices)
    if (bytes.length > options.limit) {
      this.fault = tooLong(options.limit)
      return []
    }
    return leaving
  }
}

/** The bytes between two pieces of data. */
interface Gap {
  readonly start: number
  readonly end: number
}

/** Splits a splice into the parts outside of the gaps, which are in order. The first part has the inserted bytes. */
const around = ({ end, insert, start }: Splice, gaps: ReadonlyArray<Gap>): ReadonlyArray<Splice> => {
  const parts: Array<Splice> = []
  let from = start
  for (const gap of gaps) {
    if (gap.end <= from) continue
    if (gap.start >= end) break
    parts.push({ start: from, end: gap.start, insert: undefined })
    from = gap.end
  }
  parts.push({ start: from, end, insert: undefined })
  const [first, ...others] = parts
  return first === undefined || insert === undefined ? parts : [{ ...first, insert }, ...others]
}

/** Up to this many unused entries are kept, because removing them one by one would be slow. */
const maxGaps = 64

const lineFeed = Uint8Array.of(0x0a)
const nothing = new Uint8Array(0)
