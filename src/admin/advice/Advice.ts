/** The meaning of a reason, and what to do. */
export interface Advice {
  /** A few words, as a heading. */
  readonly title: string
  readonly meaning: string
  readonly fix: string
  /** Whether it happens to all clients in normal operation, so that it is not a sign of a problem. */
  readonly isUsual?: true
}
