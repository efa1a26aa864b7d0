/**
 * The output of a rewritten message. Members are removed so that the rest remains valid JSON, and others are inserted.
 * All other bytes stay as they are and in order.
 */
import { HeldBytes } from "./heldBytes.ts"
import { type JsonScanner, noSeparator } from "./scanJson.ts"
import { joinBytes } from "./spliceBytes.ts"

/** An object from which members are removed. */
interface Losing {
  readonly depth: number
  /**
   * Whether a kept member precedes the current one. If so, a cut removes the comma before the member, otherwise the
   * comma after it.
   */
  keptBefore: boolean
}

/** No depth or position. */
const NONE = -1

/**
 * Collects the output while a `JsonScanner` reads the message.
 *
 * Call it immediately after the scanner: `cut` or `keep` for every `Name`, `close` for every `CloseObject`, and
 * `endValue` at the end of every value (for an object after `close`). A cut inside another cut has no effect of its
 * own. At the scanner's `More`, `take` returns the bytes that are final; bytes that a cut or an insertion may still
 * change are held back.
 */
export class MessageOutput {
  /** Whether anything was removed or inserted. */
  changed = false

  private readonly scanner: JsonScanner
  private ready: Array<Uint8Array> = []
  /** The position in the scanner's bytes up to which output has been written. */
  private from = 0
  /** The position from which output is held until `release`, and whether that has begun. */
  private holdAt = NONE
  private isHeld = false
  private readonly held = new HeldBytes()
  /** The position from which a cut may still remove held output. From there on, output is held as well. */
  private undecided = NONE

  private readonly losing: Array<Losing> = []
  /** The depth of the outermost member that is being cut. */
  private cutting = NONE
  /** Whether a member was cut that also removes the comma after it, if one follows. */
  private awaitsComma = false

  constructor(scanner: JsonScanner) {
    this.scanner = scanner
  }

  /** How many bytes that the scanner has passed are held back. */
  get heldBytes(): number {
    return this.held.length
  }

  /** Removes the member whose name was just read. Returns `false` if its object has already lost one. */
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

  /** Keeps the member whose name was just read. */
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

  /** Inserts bytes at a position that the scanner has just passed. */
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

  /** Returns the bytes to send now, in at most one piece. For the scanner's `More` or, after `release`, its `End`. */
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
    // Joined into one piece: a client may cause thousands of cuts, and the caller would send each piece separately.
    return ready.length > 1 ? [joinBytes(ready)] : ready
  }

  /**
   * Returns the rewritten form of a message that the scanner has read whole, at its `End`: the same instance if nothing
   * has changed.
   */
  whole(): Uint8Array {
    if (!this.changed) return this.scanner.bytes
    this.release(undefined)
    return joinBytes(this.take())
  }

  private current(depth: number): Losing | undefined {
    // Checked first, because nearly all messages lose nothing, and because reading an array at -1 is slow.
    if (this.losing.length === 0) return undefined
    const losing = this.losing[this.losing.length - 1]
    return losing?.depth === depth ? losing : undefined
  }

  /** Writes everything before `to` that is not yet written. */
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

  /** Marks the bytes that are written from now on, because they may still be cut. */
  private suspend(): void {
    if (this.undecided === NONE) this.undecided = this.held.length
  }

  /** Keeps the marked bytes. */
  private decide(): void {
    if (this.undecided === NONE) return
    this.undecided = NONE
    this.flush()
  }

  /** Drops the marked bytes. */
  private drop(): void {
    if (this.undecided === NONE) return
    this.held.truncate(this.undecided)
    this.undecided = NONE
  }

  /** Drops the comma that the last cut was waiting for, with the white space before it. */
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
