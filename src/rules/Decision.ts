/** What the rules decide about one message of a caller. */
export type Decision = Allow | Unauthenticated | MissingScopes | Denied

interface Decided {
  /**
   * The position of the rule that decided, from 1; `undefined` if no rule matched, so that the default rule decided.
   */
  readonly rule: number | undefined
}

export interface Allow extends Decided {
  readonly _tag: "Allow"
}

/** The message needs a token, and there is none. */
export interface Unauthenticated extends Decided {
  readonly _tag: "Unauthenticated"
  readonly scopes: ReadonlyArray<string>
}

export interface MissingScopes extends Decided {
  readonly _tag: "MissingScopes"
  /** All scopes that the rule of the message requires. */
  readonly required: ReadonlyArray<string>
  readonly missing: ReadonlyArray<string>
}

/** The caller is not allowed, regardless of its scopes. */
export interface Denied extends Decided {
  readonly _tag: "Denied"
  /** For the log. */
  readonly reason: string
  /** Whether the condition of the rule could not be evaluated. */
  readonly failed?: true
}
