/** Reads the items of lists, or reuses those of an equal list. */
import type { JsonToken } from "../json/scanJson.ts"
import type { Splice } from "../json/spliceBytes.ts"
import { ItemReader } from "./ItemReader.ts"
import { type ItemRules, ListCuts } from "./ListCuts.ts"
import type { KnownListMember } from "./listMembers.ts"
import type { PieceScanner } from "./PieceScanner.ts"
import {
  ListMatch,
  ListRecord,
  type Matched,
  type Piece,
  type Reading,
  type RememberedList,
  type RememberedLists
} from "./RememberedLists.ts"

export interface ListRules extends ItemRules {
  /** The remembered lists of all servers, and the name of this server. */
  readonly remembered: RememberedLists
  readonly server: string
}

/**
 * Reads the items of one list after another.
 *
 * A list that begins like a remembered one is compared with that one instead of being read: its pieces are passed to
 * `compare`. If they turn out to differ, they are read after all.
 */
export class ListItems {
  /** Why the list cannot be decided about. */
  fault: string | undefined = undefined
  /** Deeper tokens can be skipped now. */
  watched = 0

  private readonly scanner: PieceScanner
  private readonly rules: ListRules
  private readonly cuts: ListCuts
  private readonly item = new ItemReader()
  private list: KnownListMember | undefined = undefined
  private reading: Reading | undefined = undefined
  private isInItem = false
  /** The list that is being read and will be remembered, or the remembered lists that it is being compared with. */
  private record: ListRecord | undefined = undefined
  private comparison: ListMatch | undefined = undefined

  /** @param splices receives the removals and insertions, in order */
  constructor(scanner: PieceScanner, splices: Array<Splice>, rules: ListRules) {
    this.scanner = scanner
    this.rules = rules
    this.cuts = new ListCuts(splices, rules)
  }

  /** Whether the list is compared instead of being read. */
  get isCompared(): boolean {
    return this.comparison !== undefined
  }

  /**
   * Begins the list whose opening bracket was just read.
   *
   * @param depth the depth of the names in its message
   * @returns whether it equals a remembered list, and is completely available
   */
  begin(list: KnownListMember, depth: number): boolean {
    const { rules: { remembered, securitySchemes, server }, scanner } = this
    const { tokenStart } = scanner
    const withAdditions = securitySchemes !== undefined
    this.list = list
    this.reading = { kind: list.kind, depth, withAdditions }
    this.watched = depth + 2
    this.cuts.begin()
    const rest = scanner.bytes.subarray(scanner.start)
    this.record = new ListRecord(tokenStart, remembered.longest)
    this.record.push(rest, tokenStart)
    const candidates = remembered.of(server).filter((known) =>
      known.kind === list.kind && known.depth === depth && known.withAdditions === withAdditions
    )
    if (candidates.length === 0) return false
    const comparison = new ListMatch(candidates)
    const matched = comparison.push(rest, tokenStart)
    if (matched._tag === "More") this.comparison = comparison
    if (matched._tag === "Same") this.pass(matched.list, scanner.start + matched.end)
    return matched._tag === "Same"
  }

  note(piece: Uint8Array, at: number): void {
    this.record?.push(piece, at)
  }

  /**
   * Compares the next piece with the remembered lists. `Same`: the list is equal, and everything up to its end was
   * skipped.
   */
  compare(piece: Uint8Array, at: number): Matched["_tag"] {
    const { comparison, scanner } = this
    if (comparison === undefined) return "Differs"
    const matched = comparison.push(piece, at)
    if (matched._tag === "Same") {
      this.comparison = undefined
      scanner.discard()
      scanner.append(piece, at)
      this.pass(matched.list, matched.end)
    }
    return matched._tag
  }

  /** Ends the comparison. Returns the compared pieces except the first, which must now be read. */
  giveUp(): ReadonlyArray<Piece> {
    const [, ...pieces] = this.comparison?.pieces ?? []
    this.comparison = undefined
    return pieces
  }

  /** Skips tokens that do not matter, as far as that is fast. */
  skim(): void {
    const { item, list, scanner, watched } = this
    if (item.seeking && !item.atKey) scanner.skim(watched, list?.knownKey)
    else scanner.skim(watched)
  }

  /** Takes a token of the list. Returns whether the list ends with it. */
  take(token: JsonToken): boolean {
    const { item, list, reading, rules, scanner } = this
    if (list === undefined || reading === undefined) return true
    if (this.isInItem) {
      const level = scanner.depth - reading.depth - 3
      if (level >= 0) item.take(token, level, list, scanner, scanner.tokenStart, scanner.tokenEnd)
      else this.endItem(list, reading)
      this.fault = item.fault
      return false
    }
    if (scanner.depth === reading.depth + 1) {
      const read = this.record?.finish(reading, scanner.tokenEnd)
      if (read !== undefined) rules.remembered.add(rules.server, read)
      this.end()
      return true
    }
    if (token === "OpenObject") {
      this.isInItem = true
      item.begin(scanner.tokenStart, list, reading.withAdditions)
      this.watched = reading.depth + (item.seeking ? 3 : 4)
    } else {
      this.fault = `an item of ${list.name} that is no object`
    }
    return false
  }

  private endItem(list: KnownListMember, { depth }: Reading): void {
    const { item, scanner: { tokenEnd, tokenStart } } = this
    const name = item.finish(tokenStart, list)
    if (name === undefined) return
    this.isInItem = false
    this.watched = depth + 2
    this.record?.item(name, item.start, tokenEnd, item.additions)
    this.cuts.item(list.kind, name, item.start, tokenEnd, item.additions, 0)
  }

  /** Uses the items of an equal list, and continues after its closing bracket, which is before this position. */
  private pass(list: RememberedList, end: number): void {
    const { cuts, rules, scanner } = this
    scanner.leave(end)
    rules.remembered.touch(list)
    const start = scanner.positionOf(end - 1) + 1 - list.bytes.length
    for (const { additions, end, name, start: at } of list.items) {
      cuts.item(list.kind, name, start + at, start + end, additions, start - list.start)
    }
    this.end()
  }

  private end(): void {
    this.cuts.end()
    this.list = undefined
    this.record = undefined
  }
}
