/** Scans a text in pieces, and reports positions in the whole text. */
import { type KnownName, matchName, type NameMatch } from "../json/memberName.ts"
import { SkimmingScanner } from "../json/SkimmingScanner.ts"
import { nowhere, PiecePositions } from "./PiecePositions.ts"

// Unlimited: this scanner does not recurse, and the parsers of clients have their own limits.
const maxDepth = 65_536

const nothing = new Uint8Array(0)

/** A scanner whose tokens have positions in the whole text. */
export class PieceScanner extends SkimmingScanner {
  private readonly pieces = new PiecePositions()

  constructor() {
    super(nothing, maxDepth, false)
  }

  /** Adds the next piece, whose first byte is at this position. */
  append(piece: Uint8Array, at: number): void {
    this.pieces.push(this.kept, this.bytes.length, at)
    this.push(piece)
  }

  /** Ends the text: there are no more pieces. */
  endText(): void {
    this.append(nothing, nowhere)
    this.finish()
  }

  /** The position of the byte at this place. */
  positionOf(place: number): number {
    return this.pieces.at(place)
  }

  /** The beginning and end of the last token. */
  get tokenStart(): number {
    return this.pieces.at(this.start)
  }
  get tokenEnd(): number {
    return this.pieces.at(this.end - 1) + 1
  }

  /** The position from which bytes are kept, because a name may begin there; `nowhere` if none are kept. */
  get keptFrom(): number {
    return this.kept < this.bytes.length ? this.pieces.at(this.kept) : nowhere
  }

  /** Compares the last token with a name. */
  match(known: KnownName): NameMatch {
    return matchName(this.bytes, this, known)
  }
}
