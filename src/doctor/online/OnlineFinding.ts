/** The result of one online check, for the operator. */
export interface OnlineFinding {
  /** `error`: requests will fail. `warning`: some may fail. `note`: information. */
  readonly level: "ok" | "note" | "warning" | "error"
  /** One line, with the fix for a problem. Contains no secret. */
  readonly text: string
}

export const ok = (text: string): OnlineFinding => ({ level: "ok", text })
export const note = (text: string): OnlineFinding => ({ level: "note", text })
export const warning = (text: string): OnlineFinding => ({ level: "warning", text })
export const error = (text: string): OnlineFinding => ({ level: "error", text })
