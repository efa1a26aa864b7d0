/** Remembers lists that were read before: servers send the same list repeatedly, and equal bytes have equal items. */
import { equalBytes } from "../json/equalBytes.ts"
import { joinBytes } from "../json/spliceBytes.ts"
import type { ListKind } from "./listMembers.ts"
import type { ToolAdditions } from "./ToolAdditions.ts"

/** An item of a list. Positions count from the opening bracket of the list. */
export interface ListItem {
  readonly name: string
  readonly start: number
  readonly end: number
  /** The position for `securitySchemes` in a tool; `undefined` if they are not added. */
  readonly additions: ToolAdditions | undefined
}

/** Everything besides the bytes of a list that determines how it is read. */
export interface Reading {
  readonly kind: ListKind
  /** The depth of its message, because nesting is limited. */
  readonly depth: number
  readonly withAdditions: boolean
}

export interface RememberedList extends Reading {
  /** The bytes of the list, including its brackets. */
  readonly bytes: Uint8Array
  /** The position of the list when it was read, from which positions of additions count. */
  readonly start: number
  readonly items: ReadonlyArray<ListItem>
}

/** The approximate memory of an item besides its bytes. */
const itemBytes = 128

const sizeOf = ({ bytes, items }: RememberedList): number => bytes.length + items.length * itemBytes

/**
 * The most recently used lists of all servers, up to a number of bytes.
 *
 * The remembered data depend only on the bytes of a list, and never on the caller.
 */
export class RememberedLists {
  private readonly maxBytes: number
  private bytes = 0
  /** All lists, in the order of their last use, with their server. */
  private readonly servers = new Map<RememberedList, string>()
  /** The lists of each server, in the same order. */
  private readonly lists = new Map<string, Set<RememberedList>>()

  constructor(maxBytes: number) {
    this.maxBytes = maxBytes
  }

  /** The maximum length of a remembered list, in bytes, so that no list takes most of the memory. */
  get longest(): number {
    return this.maxBytes >> 3
  }

  of(server: string): ReadonlyArray<RememberedList> {
    return [...this.lists.get(server) ?? []]
  }

  touch(list: RememberedList): void {
    const server = this.servers.get(list)
    if (server === undefined) return
    const lists = this.lists.get(server)
    this.servers.delete(list)
    this.servers.set(list, server)
    lists?.delete(list)
    lists?.add(list)
  }

  add(server: string, list: RememberedList): void {
    const size = sizeOf(list)
    if (size > this.longest) return
    this.bytes += size
    this.servers.set(list, server)
    const lists = this.lists.get(server) ?? new Set<RememberedList>()
    this.lists.set(server, lists.add(list))
    if (lists.size > maxLists) this.forget(lists.keys().next().value)
    while (this.bytes > this.maxBytes) this.forget(this.servers.keys().next().value)
  }

  private forget(list: RememberedList | undefined): void {
    const server = list === undefined ? undefined : this.servers.get(list)
    if (list === undefined || server === undefined) return
    this.bytes -= sizeOf(list)
    this.servers.delete(list)
    const lists = this.lists.get(server)
    lists?.delete(list)
    if (lists?.size === 0) this.lists.delete(server)
  }
}

/** The maximum for one server. Each of its lists is compared with the beginning of an arriving list. */
const maxLists = 32

/** A piece of a text, and its position. */
export interface Piece {
  readonly bytes: Uint8Array
  readonly at: number
}

/** The pieces of a list, as long as they are consecutive. */
class ListPieces {
  readonly pieces: Array<Piece> = []
  length = 0

  /** @returns whether the piece follows the previous ones directly */
  push(bytes: Uint8Array, at: number): boolean {
    const [first] = this.pieces
    if (first !== undefined && first.at + this.length !== at) return false
    this.pieces.push({ bytes, at })
    this.length += bytes.length
    return true
  }
}

/** The result of comparing a chunk: the list differs, may still be equal, or is equal and ends in this chunk. */
export type Matched =
  | { readonly _tag: "Differs" }
  | { readonly _tag: "More" }
  | { readonly _tag: "Same"; readonly list: RememberedList; readonly end: number }

const differs: Matched = { _tag: "Differs" }
const more: Matched = { _tag: "More" }

/** Compares a list that arrives in pieces with remembered lists. */
export class ListMatch {
  private candidates: ReadonlyArray<RememberedList>
  private readonly list = new ListPieces()

  constructor(candidates: ReadonlyArray<RememberedList>) {
    this.candidates = candidates
  }

  /** The result before the chunk in which the list differed. */
  get pieces(): ReadonlyArray<Piece> {
    return this.list.pieces
  }

  /** Takes the next piece. The first one begins with the list's opening bracket. */
  push(piece: Uint8Array, at: number): Matched {
    const { list } = this
    const from = list.length
    const follows = list.push(piece, at)
    if (!follows) list.pieces.push({ bytes: piece, at })
    this.candidates = follows ? this.candidates.filter(({ bytes }) => equalBytes(bytes, from, piece)) : []
    if (this.candidates.length === 0) return differs
    // At most one list can be equal, because no list is the beginning of another one.
    const same = this.candidates.find(({ bytes }) => bytes.length <= list.length)
    return same === undefined ? more : { _tag: "Same", list: same, end: same.bytes.length - from }
  }
}

/** Collects what to remember about a list while it is read. */
export class ListRecord {
  private readonly start: number
  private readonly longest: number
  private readonly items: Array<ListItem> = []
  private list: ListPieces | undefined = new ListPieces()

  /**
   * @param start the position of its opening bracket
   * @param longest the maximum number of bytes to remember
   */
  constructor(start: number, longest: number) {
    this.start = start
    this.longest = longest
  }

  push(piece: Uint8Array, at: number): void {
    const { list, longest } = this
    if (list !== undefined && (!list.push(piece, at) || list.length > longest + piece.length)) this.list = undefined
  }

  item(name: string, start: number, end: number, additions: ToolAdditions | undefined): void {
    if (this.list === undefined) return
    this.items.push({ name, start: start - this.start, end: end - this.start, additions })
  }

  /** Returns the list up to this position; `undefined` if it is too long, or if its pieces are not consecutive. */
  finish(reading: Reading, end: number): RememberedList | undefined {
    const { items, list, start } = this
    if (list === undefined) return undefined
    // Copied, because the pieces contain more than the list, and are owned by others.
    const bytes = new Uint8Array(joinBytes(list.pieces.map((piece) => piece.bytes)).subarray(0, end - start))
    return { ...reading, bytes, start, items }
  }
}
