/** What was found when somebody was asked, for the one who set the gateway up. */
export interface Finding {
  /** `error`: requests will fail. `warning`: some may. `note`: good to know. */
  readonly level: "ok" | "note" | "warning" | "error"
  /** One line, with the cure where something is wrong. It holds no secret. */
  readonly text: string
}

/** Makes one of each level. */
export const ok = (text: string): Finding => ({ level: "ok", text })
export const note = (text: string): Finding => ({ level: "note", text })
export const warning = (text: string): Finding => ({ level: "warning", text })
export const error = (text: string): Finding => ({ level: "error", text })
