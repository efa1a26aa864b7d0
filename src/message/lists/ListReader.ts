/** Reads the messages of a server, finds the lists in them, and returns the bytes to remove. */
import { OPEN_BRACE, OPEN_BRACKET, SPACE } from "../bytes.ts"
import { knownName } from "../json/memberName.ts"
import type { JsonToken } from "../json/scanJson.ts"
import type { Splice } from "../json/spliceBytes.ts"
import { ambiguous } from "./ItemReader.ts"
import { ListItems, type ListRules } from "./ListItems.ts"
import { type KnownListMember, knownListMembers } from "./listMembers.ts"
import { nowhere } from "./PiecePositions.ts"
import { PieceScanner } from "./PieceScanner.ts"

const resultName = knownName("result")
const cacheScopeName = knownName("cacheScope")
const publicText = knownName("public")
const privateValue = new TextEncoder().encode(`:"private"`)

// The state of reading. `NO_MESSAGE`: the text does not begin like JSON-RPC.
const BEFORE = 0
const NO_MESSAGE = 1
const BATCH = 2
const MESSAGE = 3
const RESULT = 4
const LIST = 5

/**
 * Reads one JSON text, which may arrive in pieces, and finds the lists in it.
 *
 * The member `tools`, `prompts`, `resources` or `resourceTemplates` of any result is treated as a list, regardless of
 * the request, because clients match responses to requests by id alone. It is a fault if parsers could read a list
 * differently, or if an expected list is missing. The `cacheScope` of a result is changed from `public` to `private`,
 * because the response depends on the caller.
 *
 * All positions are positions in the text, as the caller counts them.
 *
 * Source: MCP 2025-11-25 and 2026-07-28, server features; MCP 2026-07-28, caching.
 */
export class ListReader {
  /** Why the message must not be forwarded, for the log. */
  fault: string | undefined = undefined
  /** The removals and insertions, in order. */
  readonly splices: Array<Splice> = []

  private readonly scanner = new PieceScanner()
  private readonly items: ListItems
  private readonly demanded: boolean
  /** The position from which bytes may have to be removed, or not be forwarded at all. */
  private heldFrom = nowhere
  private state = BEFORE
  /** Deeper tokens can be skipped now. */
  private watched = 0
  private depth = 1

  private resultSeen = false
  private isResult = false
  private listsSeen = 0
  private hasList = false
  /** Whether bytes are held until the end, because a list has begun. */
  private holdsOn = false
  private list: KnownListMember | undefined = undefined
  /** The end of the name `cacheScope`, if its value comes next. */
  private scopeEnd = nowhere

  /** @param demanded whether each result must contain a list */
  constructor(rules: ListRules, demanded: boolean) {
    this.items = new ListItems(this.scanner, this.splices, rules)
    this.demanded = demanded
  }

  /** Whether anything other than white space has arrived. */
  get hasBegun(): boolean {
    return this.state !== BEFORE
  }

  /** The position from which bytes must be held; `nowhere` if none have to be. */
  get waitsFrom(): number {
    return this.heldFrom !== nowhere ? this.heldFrom : this.scanner.keptFrom
  }

  /** Reads the next piece, whose first byte is at this position. */
  push(piece: Uint8Array, at: number): void {
    if (this.fault !== undefined || this.state === NO_MESSAGE) return
    if (this.state === BEFORE && !this.begins(piece)) return
    if (this.items.isCompared) return this.compare(piece, at)
    this.items.note(piece, at)
    this.scanner.append(piece, at)
    this.read()
  }

  /** Ends the text: there are no more pieces. */
  end(): void {
    if (this.fault !== undefined || this.state === NO_MESSAGE || this.state === BEFORE) return
    if (this.items.isCompared) this.readCompared()
    this.scanner.endText()
    this.read()
    this.heldFrom = nowhere
  }

  /** Returns whether the text can be a message, given its first token. */
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
    const { items, scanner } = this
    while (this.fault === undefined && !items.isCompared) {
      const isInList = this.state === LIST
      if (isInList) items.skim()
      else scanner.skim(this.watched)
      const token = scanner.next()
      if (token === "More" || token === "End") return
      if (token === "Malformed" || token === "TooDeep") this.fault = "not JSON in UTF-8"
      else if (scanner.depth <= (isInList ? items.watched : this.watched)) this.take(token)
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
      const match = this.scanner.match(resultName)
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
      this.state = LIST
      if (this.items.begin(this.list, this.depth)) this.endList()
    } else if (this.scopeEnd !== nowhere) {
      this.cacheScope(token)
    }
  }

  private nameOfResult(): void {
    this.list = undefined
    for (const member of knownListMembers) {
      const match = this.scanner.match(member.knownName)
      if (match === "None") continue
      if (match === "Variant" || (this.listsSeen & member.bit) !== 0) this.fault = ambiguous(member.name)
      this.listsSeen |= member.bit
      this.list = member
      this.hasList = true
      this.holdsOn = true
      this.hold()
      return
    }
    if (this.scanner.match(cacheScopeName) !== "Exact") return
    this.scopeEnd = this.scanner.tokenEnd
    this.hold()
  }

  private cacheScope(token: JsonToken): void {
    if (token === "String" && this.scanner.match(publicText) === "Exact") {
      this.splices.push({ start: this.scopeEnd, end: this.scanner.tokenEnd, insert: privateValue })
    }
    this.scopeEnd = nowhere
    if (!this.holdsOn) this.heldFrom = nowhere
  }

  private inList(token: JsonToken): void {
    const { items } = this
    if (items.take(token)) this.endList()
    this.fault = items.fault
  }

  private endList(): void {
    this.state = RESULT
    this.list = undefined
  }

  /** Compares the next piece of a list that may equal a remembered one. */
  private compare(piece: Uint8Array, at: number): void {
    switch (this.items.compare(piece, at)) {
      case "More":
        return
      case "Differs":
        return this.readCompared()
      case "Same":
        this.endList()
        this.read()
    }
  }

  /** Reads bytes that were compared. All of them are available. */
  private readCompared(): void {
    const pieces = this.items.giveUp()
    this.read()
    for (const { at, bytes } of pieces) this.push(bytes, at)
  }

  /** Holds the bytes after the name that was just read. */
  private hold(): void {
    if (this.heldFrom === nowhere) this.heldFrom = this.scanner.tokenEnd
  }
}
