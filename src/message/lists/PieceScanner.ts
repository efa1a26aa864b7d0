/** Scans a text in pieces, whose tokens have the positions of the caller. */
import { type KnownName, matchName, type NameMatch } from "../json/memberName.ts"
import { SkimmingScanner } from "../json/SkimmingScanner.ts"
import { nowhere, PiecePositions } from "./PiecePositions.ts"

// Deep values do not endanger this scanner, which does not recurse; the parsers of clients have their own limits.
const maxDepth = 65_536

const nothing = new Uint8Array(0)

/** A scanner that knows where its tokens stand in the text that came in pieces. */
export class PieceScanner extends SkimmingScanner {
  private readonly pieces = new PiecePositions()

  constructor() {
    super(nothing, maxDepth, false)
  }

  /** Takes the next piece, whose first byte stands at this position. */
  append(piece: Uint8Array, at: number): void {
    this.pieces.push(this.kept, this.bytes.length, at)
    this.push(piece)
  }

  /** There are no more chunks. */
  endText(): void {
    this.append(nothing, nowhere)
    this.finish()
  }

  /** The position of the byte at this place. */
  positionOf(place: number): number {
    return this.pieces.at(place)
  }

  /** Where the last token begins and ends. */
  get tokenStart(): number {
    return this.pieces.at(this.start)
  }
  get tokenEnd(): number {
    return this.pieces.at(this.end - 1) + 1
  }

  /** From here on bytes are kept: they may be the beginning of a name. `nowhere` if none are. */
  get keptFrom(): number {
    return this.kept < this.bytes.length ? this.pieces.at(this.kept) : nowhere
  }

  /** Compares the last token with a name. */
  match(known: KnownName): NameMatch {
    return matchName(this.bytes, this, known)
  }
}
