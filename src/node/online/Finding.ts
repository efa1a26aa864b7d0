/** The result of one online check, for the operator. */
export interface Finding {
  /** `error`: requests will fail. `warning`: some may fail. `note`: information. */
  readonly level: "ok" | "note" | "warning" | "error"
  /** One line, with the fix for a problem. Contains no secret. */
  readonly text: string
}

/** Constructors, one for each level. */
export const ok = (text: string): Finding => ({ level: "ok", text })
export const note = (text: string): Finding => ({ level: "note", text })
export const warning = (text: string): Finding => ({ level: "warning", text })
export const error = (text: string): Finding => ({ level: "error", text })
