import * as Result from "effect/Result"
import { invalid, type Kind } from "./kind.ts"
import { string } from "./kinds.ts"

/** The beginning of a token: `mat_`. */
export const tokenPrefix: Kind<string, string> = string("text", (text) =>
  /^[A-Za-z0-9\-._~+/]{1,64}$/.test(text)
    ? Result.succeed(text)
    : invalid(
      "is not the beginning of any bearer token",
      "Use at most 64 letters, digits and the characters -, ., _, ~, + and /"
    ))
