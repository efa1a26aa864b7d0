/** The meaning of a reason, and what to do. */
export interface Advice {
  /** A few words, as a heading. */
  readonly title: string
  readonly meaning: string
  readonly fix: string
  /** It happens to every client in the ordinary course, and is not a sign of trouble. */
  readonly isUsual?: true
}
