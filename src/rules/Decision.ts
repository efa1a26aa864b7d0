/** What the rules decide about one message of a caller. */
export type Decision = Allow | Unauthenticated | MissingScopes | Denied

interface Decided {
  /** The position of the rule that decided, from 1; `undefined`: no rule matched, and the default rule decided. */
  readonly rule: number | undefined
}

export interface Allow extends Decided {
  readonly _tag: "Allow"
}

/** There is no token, and the message needs one. */
export interface Unauthenticated extends Decided {
  readonly _tag: "Unauthenticated"
  /** The scopes that the message needs. */
  readonly scopes: ReadonlyArray<string>
}

/** The token lacks scopes. */
export interface MissingScopes extends Decided {
  readonly _tag: "MissingScopes"
  /** All scopes that the message needs by its rule. */
  readonly required: ReadonlyArray<string>
  readonly missing: ReadonlyArray<string>
}

/** The caller may not, regardless of its scopes. */
export interface Denied extends Decided {
  readonly _tag: "Denied"
  /** For the log. */
  readonly reason: string
  /** The condition of the rule could not be computed. */
  readonly failed?: true
}
