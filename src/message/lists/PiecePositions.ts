/** The positions of a scanner's bytes in a text that arrives in chunks. */

/** No position. */
export const nowhere = -1

/** Maps offsets in a scanner's bytes to positions in the text. The bytes may come from different pieces. */
export class PiecePositions {
  /**
   * The offsets at which pieces begin in the scanner's bytes, and their positions, in order. The last piece is stored
   * separately.
   */
  private readonly starts: Array<number> = []
  private readonly positions: Array<number> = []
  private start = 0
  private position = nowhere

  /**
   * Called before the scanner takes another piece.
   *
   * @param kept the offset from which the scanner keeps its bytes
   * @param length how many bytes it has
   * @param position the position of the piece
   */
  push(kept: number, length: number, position: number): void {
    const { positions, starts } = this
    if (kept === length) {
      starts.length = 0
      positions.length = 0
    } else {
      starts.push(this.start)
      positions.push(this.position)
      while (starts.length > 1 && (starts[1] ?? 0) <= kept) {
        starts.shift()
        positions.shift()
      }
      for (let index = 0; index < starts.length; index++) starts[index] = (starts[index] ?? 0) - kept
    }
    this.start = length - kept
    this.position = position
  }

  /** Returns the position of the byte at this offset. */
  at(place: number): number {
    const { positions, starts } = this
    if (place >= this.start) return this.position + place - this.start
    let index = starts.length - 1
    while (index > 0 && (starts[index] ?? 0) > place) index--
    return (positions[index] ?? 0) + place - (starts[index] ?? 0)
  }
}
