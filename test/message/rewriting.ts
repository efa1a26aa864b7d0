/** Short helpers for the result of a request body. */
import { assert } from "@effect/vitest"
import * as Result from "effect/Result"
import { rewriteRequest } from "../../src/message/requestMessage.ts"
import { message } from "../fixtures/messages.ts"
import { assertPiecesAgree } from "./inPieces.ts"

export const encoder = new TextEncoder()
export const decoder = new TextDecoder()

export const context = `{"authenticated_user":"user_1","email":null,"provider":"authkit"}`
export const options = { authContext: () => encoder.encode(context) }

/** The result of the body, whole or in chunks. */
export const attempt = (text: string, bytes = encoder.encode(text)) => {
  for (const size of bytes.length < 2000 ? [1, 2, 7, 64] : [4099]) assertPiecesAgree(bytes, options, [size])
  return rewriteRequest(bytes, options)
}

/** The forwarded bytes. */
export const sent = (text: string): string => {
  const rewritten = attempt(text)
  return Result.isSuccess(rewritten) ? decoder.decode(rewritten.success.bytes) : assert.fail(rewritten.failure.detail)
}

export const rejection = (text: string): string | undefined => {
  const rewritten = attempt(text)
  return Result.isFailure(rewritten) ? rewritten.failure.reason : undefined
}

export const summary = (text: string) => {
  const rewritten = attempt(text)
  if (Result.isFailure(rewritten)) return assert.fail(rewritten.failure.detail)
  const { bytes: _, ...rest } = rewritten.success
  return rest
}

/** A request that the gateway knows nothing of. */
export const call = (params: string) => message("x/call", params)

export const toolCallWith = (params: string) => message("tools/call", params)
