/** Lists that were read before: servers send the same list repeatedly, and equal bytes have equal items. */
import { equalBytes } from "../json/equalBytes.ts"
import { joinBytes } from "../json/spliceBytes.ts"
import type { ListKind } from "./listMembers.ts"
import type { ToolAdditions } from "./ToolAdditions.ts"

/** An item of a list. Positions count from the bracket that opens the list. */
export interface ListItem {
  readonly name: string
  readonly start: number
  readonly end: number
  /** Where `securitySchemes` go into a tool; `undefined` where they are not added. */
  readonly additions: ToolAdditions | undefined
}

/** How a list was read. The same bytes that are read in the same way have the same items. */
export interface Reading {
  readonly kind: ListKind
  /** How deeply its message is nested, on which the limit of depth depends. */
  readonly depth: number
  readonly withAdditions: boolean
}

export interface RememberedList extends Reading {
  /** From bracket to bracket. */
  readonly bytes: Uint8Array
  /** The position that it had, from which those of additions count. */
  readonly start: number
  readonly items: ReadonlyArray<ListItem>
}

/** About what an item takes besides its bytes. */
const itemBytes = 128

const sizeOf = ({ bytes, items }: RememberedList): number => bytes.length + items.length * itemBytes

/**
 * The lists of all servers that were read last, up to a number of bytes; the one that was not used for longest goes first.
 *
 * The remembered data depend only on the bytes of a list, and never on the caller.
 */
export class RememberedLists {
  private readonly maxBytes: number
  private bytes = 0
  /** In the order of their last use, with the server of each. */
  private readonly servers = new Map<RememberedList, string>()
  /** Of each server, in the same order. */
  private readonly lists = new Map<string, Set<RememberedList>>()

  constructor(maxBytes: number) {
    this.maxBytes = maxBytes
  }

  /** The longest list that is remembered, in bytes: no list takes most of the memory. */
  get longest(): number {
    return this.maxBytes >> 3
  }

  of(server: string): ReadonlyArray<RememberedList> {
    return [...this.lists.get(server) ?? []]
  }

  /** The list was used again. */
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
    if (lists.size > mostLists) this.forget(lists.keys().next().value)
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

/** Of one server: each is compared with the beginning of a list that arrives. */
const mostLists = 32

/** A piece of a text, and its position. */
export interface Piece {
  readonly bytes: Uint8Array
  readonly at: number
}

/** The pieces of a list, as long as they follow each other. */
class ListPieces {
  readonly pieces: Array<Piece> = []
  length = 0

  /** @returns whether the piece follows those before */
  push(bytes: Uint8Array, at: number): boolean {
    const [first] = this.pieces
    if (first !== undefined && first.at + this.length !== at) return false
    this.pieces.push({ bytes, at })
    this.length += bytes.length
    return true
  }
}

/**
 * The result of another chunk: the list is a new one, may be a remembered one, or is a remembered one and ends in this
 * chunk.
 */
export type Matched =
  | { readonly _tag: "Differs" }
  | { readonly _tag: "More" }
  | { readonly _tag: "Same"; readonly list: RememberedList; readonly end: number }

const differs: Matched = { _tag: "Differs" }
const more: Matched = { _tag: "More" }

/** Compares a list that arrives in pieces with remembered ones. */
export class ListMatch {
  private candidates: ReadonlyArray<RememberedList>
  private readonly list = new ListPieces()

  constructor(candidates: ReadonlyArray<RememberedList>) {
    this.candidates = candidates
  }

  /** The result of the list before the chunk in which it differed. */
  get pieces(): ReadonlyArray<Piece> {
    return this.list.pieces
  }

  /** Takes the next piece, the first from the list's bracket on. */
  push(piece: Uint8Array, at: number): Matched {
    const { list } = this
    const from = list.length
    const follows = list.push(piece, at)
    if (!follows) list.pieces.push({ bytes: piece, at })
    this.candidates = follows ? this.candidates.filter(({ bytes }) => equalBytes(bytes, from, piece)) : []
    if (this.candidates.length === 0) return differs
    // No list is the beginning of another one.
    const same = this.candidates.find(({ bytes }) => bytes.length <= list.length)
    return same === undefined ? more : { _tag: "Same", list: same, end: same.bytes.length - from }
  }
}

/** Collects the data to remember while a list is read. */
export class ListRecord {
  private readonly start: number
  private readonly longest: number
  private readonly items: Array<ListItem> = []
  private list: ListPieces | undefined = new ListPieces()

  /**
   * @param start the position of its bracket
   * @param longest how many bytes are remembered at most
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

  /** The list up to this position; `undefined` if it is too long, or other bytes stand in between. */
  finish(reading: Reading, end: number): RememberedList | undefined {
    const { items, list, start } = this
    if (list === undefined) return undefined
    // A copy: the pieces hold more than the list, and belong to others.
    const bytes = new Uint8Array(joinBytes(list.pieces.map((piece) => piece.bytes)).subarray(0, end - start))
    return { ...reading, bytes, start, items }
  }
}
