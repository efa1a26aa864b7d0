/** The bytes to remove from a list: items, and commas between them. */
import type { Splice } from "../json/spliceBytes.ts"
import type { ListKind } from "./listMembers.ts"
import { nowhere } from "./PiecePositions.ts"
import type { ToolAdditions } from "./ToolAdditions.ts"

/** Decides which items are kept, and what is added to them. */
export interface ItemRules {
  readonly keeps: (kind: ListKind, name: string) => boolean
  /**
   * The serialised `securitySchemes` of a kept tool, which replace those of the server; `undefined` if nothing is
   * added.
   */
  readonly securitySchemes: ((tool: string) => Uint8Array) | undefined
}

/** Collects the cuts of one list after another. Each run of removed items takes along one of the commas around it. */
export class ListCuts {
  private readonly splices: Array<Splice>
  private readonly rules: ItemRules
  /** The end of the last kept item, and the span of the items removed after it. */
  private keptEnd = nowhere
  private goneStart = nowhere
  private goneEnd = nowhere

  /** @param splices receives the cuts, in order */
  constructor(splices: Array<Splice>, rules: ItemRules) {
    this.splices = splices
    this.rules = rules
  }

  begin(): void {
    this.keptEnd = nowhere
    this.goneStart = nowhere
  }

  /**
   * Keeps or removes the next item.
   *
   * @param shift how many bytes later the item is than when its additions were found
   */
  item(
    kind: ListKind,
    name: string,
    start: number,
    end: number,
    additions: ToolAdditions | undefined,
    shift: number
  ): void {
    const { rules, splices } = this
    if (!rules.keeps(kind, name)) return this.leaveOut(start, end)
    this.keep(start, end)
    if (additions === undefined || rules.securitySchemes === undefined) return
    splices.push(...additions.splices(rules.securitySchemes(name), shift))
  }

  /** Removes the next item. */
  private leaveOut(start: number, end: number): void {
    if (this.goneStart === nowhere) this.goneStart = start
    this.goneEnd = end
  }

  private keep(start: number, end: number): void {
    // Removes only one of the commas around the removed items: the other one separates the kept items.
    if (this.goneStart !== nowhere) {
      if (this.keptEnd === nowhere) this.cut(this.goneStart, start)
      else this.cut(this.keptEnd, this.goneEnd)
      this.goneStart = nowhere
    }
    this.keptEnd = end
  }

  end(): void {
    if (this.goneStart !== nowhere) this.cut(this.keptEnd === nowhere ? this.goneStart : this.keptEnd, this.goneEnd)
  }

  private cut(start: number, end: number): void {
    this.splices.push({ start, end, insert: undefined })
  }
}
