/** The kinds of rejections and failures that the status page distinguishes, with the advice about each. Pure. */
import type { GatewayError } from "../errors/GatewayError.ts"
import type { Advice } from "./advice/Advice.ts"
import { advices } from "./advice/advices.ts"

/** The key of an error: its kind, with its reason if it has one. The number of keys is limited. */
export const rejectionKey = (error: GatewayError): string => {
  switch (error._tag) {
    case "InvalidToken":
    case "InvalidRequest":
    case "AccessDenied":
      return `${error._tag}.${error.reason}`
    case "HeaderMismatch":
      return `${error._tag}.${error.field}`
    default:
      return error._tag
  }
}

export const adviceOf = (key: string): Advice =>
  advices.get(key) ?? {
    title: key,
    meaning: "The log entry of the request says more.",
    fix: "Search the log for this kind of error."
  }
