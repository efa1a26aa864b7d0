/** Reads the messages of a server, finds the lists in them, and says which bytes have to go. */
import { type KnownName, knownName, matchName, type NameMatch } from "../json/memberName.ts"
import type { JsonToken } from "../json/scanJson.ts"
import { SkimmingScanner } from "../json/SkimmingScanner.ts"
import type { Splice } from "../json/spliceBytes.ts"
import { ambiguous, ItemReader } from "./ItemReader.ts"
import { type ItemRules, ListCuts } from "./ListCuts.ts"
import { type KnownListMember, knownListMembers } from "./listMembers.ts"
import { nowhere, PiecePositions } from "./PiecePositions.ts"
import { ListMatch, ListRecord, type RememberedList, type RememberedLists } from "./RememberedLists.ts"

/** What becomes of the items of lists. */
export interface ListRules extends ItemRules {
  /** The lists that were read before, of all servers, and the name of this one. */
  readonly remembered: RememberedLists
  readonly server: string
}

const OPEN_BRACKET = 0x5b
const OPEN_BRACE = 0x7b
const SPACE = 0x20

// Deep values are no danger to this scanner, which does not recurse; parsers behind it have limits of their own.
const maxDepth = 65_536

const nothing = new Uint8Array(0)
const resultName = knownName("result")
const cacheScopeName = knownName("cacheScope")
const publicText = knownName("public")
const privateValue = new TextEncoder().encode(`:"private"`)

// Where reading is. `NO_MESSAGE`: nothing that is read as JSON-RPC begins like that.
const BEFORE = 0
const NO_MESSAGE = 1
const BATCH = 2
const MESSAGE = 3
const RESULT = 4
const LIST = 5
const ITEM = 6

/**
 * Reads one JSON text, which may come in pieces, as far as lists are concerned.
 *
 * The member `tools`, `prompts`, `resources` or `resourceTemplates` of any result is a list, whatever request it belongs
 * to: clients pair responses and requests by their ids alone. What parsers could read differently, and what is no list
 * where one is due, is a fault. A result's `cacheScope` of `public` becomes `private`, since what depends on the caller
 * must not be served to others.
 *
 * All positions are the caller's own: those of the pieces.
 *
 * Source: MCP 2025-11-25 and 2026-07-28, server features; MCP 2026-07-28, caching.
 */
export class ListReader {
  /** Why the message must not be forwarded, for the log. */
  fault: string | undefined = undefined
  /** What to take out and put in, in order. */
  readonly splices: Array<Splice> = []

  private readonly scanner = new SkimmingScanner(nothing, maxDepth, false)
  private readonly rules: ListRules
  private readonly demanded: boolean
  private readonly pieces = new PiecePositions()
  /** From here on bytes may have to go, or not be forwarded at all. */
  private heldFrom = nowhere
  private state = BEFORE
  /** Deeper tokens mean nothing now. */
  private watched = 0
  /** The depth of a message's names. */
  private depth = 1

  private resultSeen = false
  private isResult = false
  private listsSeen = 0
  private hasList = false
  /** Whether what is held stays so to the end, since a list was begun. */
  private holdsOn = false
  private list: KnownListMember | undefined = undefined
  /** Where the name `cacheScope` ends, if its value is next. */
  private scopeEnd = nowhere

  private readonly item = new ItemReader()
  private readonly cuts: ListCuts
  /** The list that is being read, to be remembered; or compared with remembered ones instead of being read. */
  private record: ListRecord | undefined = undefined
  private comparison: ListMatch | undefined = undefined

  /** @param demanded each result must hold a list */
  constructor(rules: ListRules, demanded: boolean) {
    this.rules = rules
    this.cuts = new ListCuts(this.splices, rules)
    this.demanded = demanded
  }

  /** Whether anything but white space has come. */
  get hasBegun(): boolean {
    return this.state !== BEFORE
  }

  /** From here on bytes must wait for what comes; `nowhere` if none must. */
  get waitsFrom(): number {
    const { heldFrom, pieces, scanner } = this
    if (heldFrom !== nowhere) return heldFrom
    // What the scanner keeps may be the beginning of a name.
    return scanner.kept < scanner.bytes.length ? pieces.at(scanner.kept) : nowhere
  }

  /** Reads the next piece, whose first byte stands at this position. */
  push(piece: Uint8Array, at: number): void {
    if (this.fault !== undefined || this.state === NO_MESSAGE) return
    if (this.state === BEFORE && !this.begins(piece)) return
    if (this.comparison !== undefined) return this.compare(this.comparison, piece, at)
    this.record?.push(piece, at)
    this.append(piece, at)
    this.read()
  }

  /** There are no more pieces. */
  end(): void {
    if (this.fault !== undefined || this.state === NO_MESSAGE || this.state === BEFORE) return
    if (this.comparison !== undefined) this.readCompared(this.comparison)
    this.append(nothing, nowhere)
    this.scanner.finish()
    this.read()
    this.heldFrom = nowhere
  }

  private append(piece: Uint8Array, at: number): void {
    const { pieces, scanner } = this
    pieces.push(scanner.kept, scanner.bytes.length, at)
    scanner.push(piece)
  }

  /** Whether the text may be a message, once it has begun. */
  private begins(piece: Uint8Array): boolean {
    const first = piece.find((byte) => byte > SPACE)
    if (first === OPEN_BRACE || first === OPEN_BRACKET) return true
    if (first !== undefined) {
      this.state = NO_MESSAGE
      if (this.demanded) this.fault = "no JSON-RPC message"
    }
    return false
  }

  private read(): void {
    const { scanner } = this
    while (this.fault === undefined && this.comparison === undefined) {
      if (this.item.seeking && !this.item.atKey) scanner.skim(this.watched, this.list?.knownKey)
      else scanner.skim(this.watched)
      const token = scanner.next()
      if (token === "More" || token === "End") return
      if (token === "Malformed" || token === "TooDeep") this.fault = "not JSON in UTF-8"
      else if (scanner.depth <= this.watched) this.take(token)
    }
  }

  private take(token: JsonToken): void {
    switch (this.state) {
      case BEFORE:
        return this.begin(token)
      case BATCH:
        return this.inBatch(token)
      case MESSAGE:
        return this.inMessage(token)
      case RESULT:
        return this.inResult(token)
      case LIST:
        return this.inList(token)
      case ITEM:
        return this.inItem(token)
    }
  }

  private begin(token: JsonToken): void {
    if (token === "OpenObject") return this.beginMessage(1)
    this.state = BATCH
    this.watched = 1
  }

  private inBatch(token: JsonToken): void {
    if (token === "OpenObject") this.beginMessage(2)
    else if (this.demanded && this.scanner.depth === 1) this.fault = "a batch of what are no messages"
  }

  private beginMessage(depth: number): void {
    this.state = MESSAGE
    this.watched = depth
    this.depth = depth
    this.resultSeen = false
    this.hasList = false
  }

  private inMessage(token: JsonToken): void {
    if (this.scanner.depth < this.depth) return this.endMessage()
    if (token === "Name") {
      const match = this.match(resultName)
      this.isResult = match !== "None"
      if (match === "Variant" || (match === "Exact" && this.resultSeen)) this.fault = ambiguous("result")
      if (this.isResult) this.resultSeen = true
    } else if (this.isResult) {
      if (token === "OpenObject") {
        this.state = RESULT
        this.watched = this.depth + 1
        this.listsSeen = 0
      } else if (this.demanded) {
        this.fault = "a result that is no object"
      }
    }
  }

  private endMessage(): void {
    if (this.demanded && this.resultSeen && !this.hasList) this.fault = "a result without a list"
    this.state = BATCH
    this.watched = 1
  }

  private inResult(token: JsonToken): void {
    if (token === "Name") return this.nameOfResult()
    if (this.scanner.depth === this.depth) {
      this.state = MESSAGE
      this.watched = this.depth
      this.isResult = false
    } else if (this.list !== undefined) {
      if (token !== "OpenArray") {
        this.fault = `${this.list.name} that are no array`
        return
      }
      this.beginList(this.list)
    } else if (this.scopeEnd !== nowhere) {
      this.cacheScope(token)
    }
  }

  private nameOfResult(): void {
    this.list = undefined
    for (const member of knownListMembers) {
      const match = this.match(member.knownName)
      if (match === "None") continue
      if (match === "Variant" || (this.listsSeen & member.bit) !== 0) this.fault = ambiguous(member.name)
      this.listsSeen |= member.bit
      this.list = member
      this.hasList = true
      this.holdsOn = true
      this.hold()
      return
    }
    if (this.match(cacheScopeName) !== "Exact") return
    this.scopeEnd = this.tokenEnd
    this.hold()
  }

  private cacheScope(token: JsonToken): void {
    if (token === "String" && this.match(publicText) === "Exact") {
      this.splices.push({ start: this.scopeEnd, end: this.tokenEnd, insert: privateValue })
    }
    this.scopeEnd = nowhere
    if (!this.holdsOn) this.heldFrom = nowhere
  }

  private beginList({ kind }: KnownListMember): void {
    const { depth, rules: { remembered, securitySchemes, server }, scanner, tokenStart } = this
    this.state = LIST
    this.watched = depth + 2
    this.cuts.begin()
    const rest = scanner.bytes.subarray(scanner.start)
    this.record = new ListRecord(tokenStart, remembered.longest)
    this.record.push(rest, tokenStart)
    const candidates = remembered.of(server).filter((list) =>
      list.kind === kind && list.depth === depth && list.withAdditions === (securitySchemes !== undefined)
    )
    if (candidates.length === 0) return
    const comparison = new ListMatch(candidates)
    const matched = comparison.push(rest, tokenStart)
    if (matched._tag === "Same") this.passList(matched.list, scanner.start + matched.end)
    else if (matched._tag === "More") this.comparison = comparison
  }

  /** Compares the next piece of a list that may be a remembered one. */
  private compare(comparison: ListMatch, piece: Uint8Array, at: number): void {
    const matched = comparison.push(piece, at)
    if (matched._tag === "More") return
    if (matched._tag === "Differs") return this.readCompared(comparison)
    this.comparison = undefined
    this.scanner.discard()
    this.append(piece, at)
    this.passList(matched.list, matched.end)
    this.read()
  }

  /** Reads what was compared, all of which is here. */
  private readCompared({ pieces: [, ...pieces] }: ListMatch): void {
    this.comparison = undefined
    this.read()
    for (const { at, bytes } of pieces) this.push(bytes, at)
  }

  /** Takes the items from a list that is the same, and goes on after its bracket, which is before this place. */
  private passList(list: RememberedList, end: number): void {
    const { cuts, pieces, rules, scanner } = this
    scanner.leave(end)
    this.record = undefined
    rules.remembered.touch(list)
    const start = pieces.at(end - 1) + 1 - list.bytes.length
    for (const { additions, end, name, start: at } of list.items) {
      cuts.item(list.kind, name, start + at, start + end, additions, start - list.start)
    }
    this.endList()
  }

  private inList(token: JsonToken): void {
    const { list, scanner } = this
    if (scanner.depth === this.depth + 1) {
      this.remember()
      return this.endList()
    }
    if (token !== "OpenObject") {
      this.fault = `an item of ${list?.name} that is no object`
      return
    }
    if (list === undefined) return
    this.state = ITEM
    this.item.begin(this.tokenStart, list, this.rules.securitySchemes !== undefined)
    this.watched = this.depth + (this.item.seeking ? 3 : 4)
  }

  private inItem(token: JsonToken): void {
    const { item, list, scanner } = this
    if (list === undefined) return
    const level = scanner.depth - this.depth - 3
    if (level >= 0) item.take(token, level, list, scanner, this.tokenStart, this.tokenEnd)
    else this.endItem(list)
    this.fault ??= item.fault
  }

  private endItem(list: KnownListMember): void {
    const { item, tokenEnd } = this
    const name = item.finish(this.tokenStart, list)
    if (name === undefined) return
    this.state = LIST
    this.watched = this.depth + 2
    this.record?.item(name, item.start, tokenEnd, item.additions)
    this.cuts.item(list.kind, name, item.start, tokenEnd, item.additions, 0)
  }

  private remember(): void {
    const { depth, list, record, rules: { remembered, securitySchemes, server } } = this
    if (list === undefined) return
    const read = record?.finish({ kind: list.kind, depth, withAdditions: securitySchemes !== undefined }, this.tokenEnd)
    if (read !== undefined) remembered.add(server, read)
  }

  private endList(): void {
    this.cuts.end()
    this.state = RESULT
    this.watched = this.depth + 1
    this.list = undefined
    this.record = undefined
  }

  /** Bytes wait from the end of the name on that was just read. */
  private hold(): void {
    if (this.heldFrom === nowhere) this.heldFrom = this.tokenEnd
  }

  /** Where the last token begins and ends. */
  private get tokenStart(): number {
    return this.pieces.at(this.scanner.start)
  }
  private get tokenEnd(): number {
    return this.pieces.at(this.scanner.end - 1) + 1
  }

  private match(known: KnownName): NameMatch {
    return matchName(this.scanner.bytes, this.scanner, known)
  }
}
