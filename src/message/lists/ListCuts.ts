/** The bytes of a list that go with the items that are left out of it. */
import type { Splice } from "../json/spliceBytes.ts"
import { nowhere } from "./PiecePositions.ts"

/** Collects the cuts of one list after another: each run of items that go takes one comma less than it has commas around it. */
export class ListCuts {
  private readonly splices: Array<Splice>
  /** Where the last item ends that stays, and where those stand after it that go. */
  private keptEnd = nowhere
  private goneStart = nowhere
  private goneEnd = nowhere

  /** @param splices gets the cuts, in order */
  constructor(splices: Array<Splice>) {
    this.splices = splices
  }

  begin(): void {
    this.keptEnd = nowhere
    this.goneStart = nowhere
  }

  /** The next item goes. */
  leaveOut(start: number, end: number): void {
    if (this.goneStart === nowhere) this.goneStart = start
    this.goneEnd = end
  }

  /** The next item stays. */
  keep(start: number, end: number): void {
    // With the comma before the items that go, or with the one after them: the other separates what stays.
    if (this.goneStart !== nowhere) {
      if (this.keptEnd === nowhere) this.cut(this.goneStart, start)
      else this.cut(this.keptEnd, this.goneEnd)
      this.goneStart = nowhere
    }
    this.keptEnd = end
  }

  /** There are no more items. */
  end(): void {
    if (this.goneStart !== nowhere) this.cut(this.keptEnd === nowhere ? this.goneStart : this.keptEnd, this.goneEnd)
  }

  private cut(start: number, end: number): void {
    this.splices.push({ start, end, insert: undefined })
  }
}
