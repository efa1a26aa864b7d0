/** Requests documents at the URLs where clients look for them. */
import * as Effect from "effect/Effect"
import type { JsonObject } from "../remote/JsonObject.ts"
import { follow, type Followed } from "./follow.ts"
import { sessionRevision } from "./messages.ts"
import type { Exchanges } from "./wire/Exchanges.ts"
import { jsonOf } from "./wire/Reply.ts"

/** A URL, its response, and the document, if there is one. */
export interface Place {
  readonly url: string
  readonly followed: Followed
  readonly document: JsonObject | undefined
}

/** Requests a document like the SDKs, following redirects. */
export const readPlace = Effect.fnUntraced(function*(url: string): Effect.fn.Return<Place, never, Exchanges> {
  const followed = yield* follow({ method: "GET", url, headers: { "mcp-protocol-version": sessionRevision } })
  const { last } = followed
  return { url, followed, document: last._tag === "Responded" && last.status === 200 ? jsonOf(last) : undefined }
})
