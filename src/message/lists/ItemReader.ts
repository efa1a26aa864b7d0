/** Reads the names of list items, and the positions for additions to them. */
import { matchName } from "../json/memberName.ts"
import { stringValue } from "../json/scalarValue.ts"
import type { JsonScanner, JsonToken } from "../json/scanJson.ts"
import type { KnownListMember } from "./listMembers.ts"
import { nowhere } from "./PiecePositions.ts"
import { ToolAdditions } from "./ToolAdditions.ts"

/** Describes a repeated or unclear member, for the log. */
export const ambiguous = (name: string): string => `${name} is repeated or in another case`

export class ItemReader {
  /** Why the item cannot be decided about. */
  fault: string | undefined = undefined
  start = nowhere
  /** The value of the member that rules decide by, once it has been read. */
  name: string | undefined = undefined
  /** Whether only the item's key still matters, so that other members can be skipped. */
  seeking = false
  additions: ToolAdditions | undefined = undefined

  private isKey = false

  get atKey(): boolean {
    return this.isKey
  }

  /** @param adds whether members are added to tools */
  begin(start: number, { kind }: KnownListMember, adds: boolean): void {
    this.start = start
    this.name = undefined
    this.isKey = false
    this.additions = adds && kind === "tool" ? new ToolAdditions() : undefined
    this.seeking = this.additions === undefined
  }

  /** Takes a token inside the item, from `start` to `end`. `level` is 0 for the item's own members. */
  take(token: JsonToken, level: number, list: KnownListMember, scanner: JsonScanner, start: number, end: number): void {
    this.additions?.take(token, level, scanner, start, end)
    if (level > 0) return
    if (token === "Name") {
      const match = matchName(scanner.bytes, scanner, list.knownKey)
      this.isKey = match === "Exact"
      if (match === "Variant" || (this.isKey && this.name !== undefined)) this.fault = ambiguous(list.key)
    } else if (this.isKey) {
      this.isKey = false
      if (token !== "String" || scanner.long || scanner.loneSurrogate || scanner.nul) {
        this.fault = `an item of ${list.name} whose ${list.key} is no string, or too long, or has what is no character`
      } else {
        this.name = stringValue(scanner.bytes, scanner)
      }
    }
  }

  /** Ends the item at this bracket. Returns its name; `undefined` is a fault. */
  finish(close: number, list: KnownListMember): string | undefined {
    this.seeking = false
    if (this.name === undefined) this.fault = `an item of ${list.name} without ${list.key}`
    this.additions?.finish(close)
    return this.name
  }
}
