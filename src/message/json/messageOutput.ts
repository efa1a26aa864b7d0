/**
 * The output of a rewritten message, in the order of its bytes: members are removed so that the rest remains valid,
 * with no other change than the commas in between, and others are inserted.
 */
import { HeldBytes } from "./heldBytes.ts"
import { type JsonScanner, noSeparator } from "./scanJson.ts"
import { joinBytes } from "./spliceBytes.ts"

/** An object that loses members. */
interface Losing {
  readonly depth: number
  /**
   * Whether a kept member comes before the current one: then a cut removes the comma before the member, else the comma
   * after it.
   */
  keptBefore: boolean
}

/** Neither a depth nor a place. */
const NONE = -1

/**
 * Collects what leaves while a `JsonScanner` passes the members.
 *
 * Report to it, immediately after the scanner, every `Name` (`cut` or `keep`), of every `CloseObject` (`close`), and of
 * the end of every value (`endValue`, for an object after `close`). A cut that lies inside another disappears in it. At
 * the scanner's `More`, `take` returns the bytes that may leave; bytes that a cut or an insertion may still change are
 * held.
 */
export class MessageOutput {
  /** Whether anything is taken out or put in. */
  changed = false

  private readonly scanner: JsonScanner
  private ready: Array<Uint8Array> = []
  /** The position in the scanner's bytes from which on nothing has been written. */
  private from = 0
  /** The position from which on the output is held until `release`, and whether it is held already. */
  private holdAt = NONE
  private isHeld = false
  private readonly held = new HeldBytes()
  /** The position from which on a cut may still remove held output; the output is then held, too. */
  private undecided = NONE

  private readonly losing: Array<Losing> = []
  /** The depth of the outermost member that is being cut. */
  private cutting = NONE
  /** Whether a member was cut that takes the comma after it, should one follow. */
  private awaitsComma = false

  constructor(scanner: JsonScanner) {
    this.scanner = scanner
  }

  /** How many bytes are held back that the scanner has passed. */
  get heldBytes(): number {
    return this.held.length
  }

  /** Takes out the member whose name was just read. `false` if its object lost one before. */
  cut(): boolean {
    const { scanner } = this
    this.takeComma()
    const known = this.current(scanner.depth)
    const losing = known ?? { depth: scanner.depth, keptBefore: scanner.separator !== noSeparator }
    if (known === undefined) this.losing.push(losing)
    if (this.cutting === NONE) {
      this.changed = true
      if (!losing.keptBefore) {
        this.decide()
        this.write(scanner.start)
      } else if (this.undecided === NONE) {
        this.write(scanner.separator)
      } else {
        this.drop()
      }
      this.cutting = scanner.depth
    }
    return known === undefined
  }

  /** Leaves the member whose name was just read. */
  keep(): void {
    if (this.losing.length > 0) {
      this.takeComma()
      const losing = this.current(this.scanner.depth)
      if (losing !== undefined) losing.keptBefore = true
    }
    this.decide()
  }

  close(): void {
    // White space after a removed member is kept if no comma follows.
    this.awaitsComma = false
    this.decide()
    if (this.current(this.scanner.depth + 1) !== undefined) this.losing.pop()
  }

  endValue(): void {
    const { cutting, scanner } = this
    if (cutting !== scanner.depth) return
    this.cutting = NONE
    this.from = scanner.end
    this.awaitsComma = this.current(cutting)?.keptBefore === false
  }

  /** Puts bytes in at a place that the scanner has just passed. */
  insert(at: number, bytes: Uint8Array): void {
    this.changed = true
    this.write(at)
    if (this.isHeld) this.held.add(bytes)
    else this.ready.push(bytes)
  }

  /** Holds the bytes after `at`, a position that the scanner has just passed, until `release`. */
  hold(at: number): void {
    this.holdAt = at
  }

  /** Releases the held bytes, after `insertion`. */
  release(insertion: Uint8Array | undefined): void {
    if (insertion !== undefined) {
      this.changed = true
      if (this.holdAt !== NONE) this.write(this.holdAt)
      this.ready.push(insertion)
    }
    this.holdAt = NONE
    this.isHeld = false
    this.flush()
  }

  /** The bytes to send now, in at most one piece; at the scanner's `More` or, after `release`, at its `End`. */
  take(): ReadonlyArray<Uint8Array> {
    const { scanner } = this
    const { kept } = scanner
    if (this.cutting !== NONE) {
      this.from = kept
    } else {
      if (scanner.nameIsDue) {
        this.takeComma()
        this.write(scanner.separator)
        this.suspend()
      } else if (this.awaitsComma) {
        this.suspend()
      }
      this.write(kept)
    }
    this.from -= kept
    if (this.holdAt !== NONE) this.holdAt -= kept
    const { ready } = this
    this.ready = []
    // A client may cause thousands of cuts; joining the pieces keeps the caller from sending each of them separately.
    return ready.length > 1 ? [joinBytes(ready)] : ready
  }

  /** The rewritten form of what the scanner has read whole, at its `End`: the same instance if nothing has changed. */
  whole(): Uint8Array {
    if (!this.changed) return this.scanner.bytes
    this.release(undefined)
    return joinBytes(this.take())
  }

  private current(depth: number): Losing | undefined {
    // Nearly all messages lose nothing; and to read an array at -1 is slow.
    if (this.losing.length === 0) return undefined
    const losing = this.losing[this.losing.length - 1]
    return losing?.depth === depth ? losing : undefined
  }

  /** Writes what stands before `to`, unless that was done. */
  private write(to: number): void {
    if (to <= this.from) return
    const { holdAt } = this
    if (holdAt !== NONE && holdAt < to) {
      this.holdAt = NONE
      this.write(holdAt)
      this.isHeld = true
    }
    const bytes = this.scanner.bytes.subarray(this.from, to)
    this.from = to
    if (this.isHeld || this.undecided !== NONE) this.held.add(bytes)
    else this.ready.push(bytes)
  }

  /** Marks the bytes written from now on as possibly cut. */
  private suspend(): void {
    if (this.undecided === NONE) this.undecided = this.held.length
  }

  /** Keeps the bytes that might have been cut. */
  private decide(): void {
    if (this.undecided === NONE) return
    this.undecided = NONE
    this.flush()
  }

  /** Drops the bytes that might have been cut. */
  private drop(): void {
    if (this.undecided === NONE) return
    this.held.truncate(this.undecided)
    this.undecided = NONE
  }

  /** The comma that the cut before it was waiting for goes, with what stands between. */
  private takeComma(): void {
    if (!this.awaitsComma) return
    this.awaitsComma = false
    this.drop()
    this.from = this.scanner.separator + 1
  }

  private flush(): void {
    if (!this.isHeld && this.held.length > 0) this.ready.push(this.held.take())
  }
}
