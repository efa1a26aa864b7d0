/** The positions of a scanner's bytes in a text that arrives in chunks. */

/** No position. */
export const nowhere = -1

/** Maps places in a scanner's bytes to positions, though the pieces may have been taken from different ones. */
export class PiecePositions {
  /** The beginnings of the pieces in the scanner's bytes, and their positions, in order. The last is kept apart. */
  private readonly starts: Array<number> = []
  private readonly positions: Array<number> = []
  private start = 0
  private position = nowhere

  /**
   * The scanner is about to take another piece.
   *
   * @param kept where the bytes begin that it keeps
   * @param length how many bytes it has
   * @param position that of the piece
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

  /** The position of the byte at this place. */
  at(place: number): number {
    const { positions, starts } = this
    if (place >= this.start) return this.position + place - this.start
    let index = starts.length - 1
    while (index > 0 && (starts[index] ?? 0) > place) index--
    return (positions[index] ?? 0) + place - (starts[index] ?? 0)
  }
}
