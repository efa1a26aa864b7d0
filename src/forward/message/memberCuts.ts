/** Takes members out of JSON objects so that what remains is valid, with no byte changed but the commas in between. */
import type { JsonScanner } from "./scanJson.ts"
import type { Splice } from "./spliceBytes.ts"

/** An object that loses members. */
interface Losing {
  /** The depth of its names. */
  readonly depth: number
  /** Whether a member that stays comes before the current one: then a cut takes the comma before it, else the one after. */
  keptBefore: boolean
  /** Where the cut of the current member begins, or -1 if that member stays. */
  from: number
}

/**
 * Collects the cuts while a `JsonScanner` passes the members.
 *
 * Tell it of every `Name` (`cut` or `keep`) and of every `CloseObject` (`close`), each right after the scanner
 * reported it. A cut that lies inside another disappears in it.
 */
export class MemberCuts {
  /** In order, without overlap. */
  readonly splices: Array<Splice> = []
  private readonly losing: Array<Losing> = []

  /** Takes out the member whose name was just read. `false` if its object lost one before. */
  cut(scanner: JsonScanner): boolean {
    const known = this.current(scanner.depth)
    if (known !== undefined) this.settle(scanner, known)
    const losing = known ?? { depth: scanner.depth, keptBefore: scanner.separator >= 0, from: -1 }
    losing.from = losing.keptBefore ? scanner.separator : scanner.start
    if (known === undefined) this.losing.push(losing)
    return known === undefined
  }

  /** Leaves the member whose name was just read. */
  keep(scanner: JsonScanner): void {
    const losing = this.current(scanner.depth)
    if (losing === undefined) return
    this.settle(scanner, losing)
    losing.keptBefore = true
  }

  close(scanner: JsonScanner): void {
    const losing = this.current(scanner.depth + 1)
    if (losing === undefined) return
    this.losing.pop()
    if (losing.from >= 0) this.add(losing.from, scanner.previousEnd)
  }

  private current(depth: number): Losing | undefined {
    // Nearly all messages lose nothing; and to read an array at -1 is slow.
    if (this.losing.length === 0) return undefined
    const losing = this.losing[this.losing.length - 1]
    return losing?.depth === depth ? losing : undefined
  }

  private settle(scanner: JsonScanner, losing: Losing): void {
    if (losing.from < 0) return
    this.add(losing.from, losing.keptBefore ? scanner.previousEnd : scanner.separator + 1)
    losing.from = -1
  }

  private add(start: number, end: number): void {
    const { splices } = this
    while (splices.length > 0 && (splices[splices.length - 1]?.start ?? -1) >= start) splices.pop()
    splices.push({ start, end, insert: undefined })
  }
}
