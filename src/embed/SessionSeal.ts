import * as Mac from "effect/crypto/Mac"
import * as Effect from "effect/Effect"
import * as Base64Url from "effect/encoding/Base64Url"
import * as Result from "effect/Result"
import type { Identity } from "../identity/Identity.ts"

/** The field of a session's id (MCP 2025-11-25, transports: session management). */
export const sessionField = "mcp-session-id"

/** Binds session ids to callers, without a table of sessions. */
export interface SessionSeal {
  /** The id that the client gets to know: the server's own behind a tag that only this process can make. */
  readonly seal: (identity: Identity, id: string) => Effect.Effect<string>
  /** The server's own id, or `undefined` if this caller was not given it. */
  readonly open: (identity: Identity, sealed: string) => Effect.Effect<string | undefined>
}

const encoder = new TextEncoder()

// Visible ASCII (MCP 2025-11-25, transports: session management), and no longer than a field should be.
const sessionId = /^[\x21-\x7e]{1,1024}$/

// Base64url of 32 bytes.
const tagLength = 43

const claim = ({ clientId, issuer, subject }: Identity, id: string): Uint8Array =>
  encoder.encode(JSON.stringify([issuer, subject, clientId ?? null, id]))

/**
 * Makes the seal of one process.
 *
 * A server that knows a session by its id alone would let whoever learns the id go on with it, or end it. The tag is an
 * HMAC over the caller (issuer, subject, client) and the id, with a key of this process: it survives a new token of the
 * same caller. Another process does not know the session, as is usual of servers that keep sessions in memory.
 *
 * @see MCP 2025-11-25, security best practices: session hijacking
 */
export const makeSessionSeal = Effect.gen(function*() {
  const mac = yield* Mac.Mac
  const key = yield* Effect.orDie(mac.generateKey(Mac.hmacSha256))

  return {
    seal: (identity, id) =>
      Effect.map(
        Effect.orDie(mac.sign(key, claim(identity, id))),
        (tag) => `${Base64Url.encode(tag)}.${id}`
      ),
    open: (identity, sealed) => {
      const tag = Result.getOrUndefined(Base64Url.decode(sealed.slice(0, tagLength)))
      const id = sealed.slice(tagLength + 1)
      return tag === undefined || sealed[tagLength] !== "." || !sessionId.test(id)
        ? Effect.undefined
        : Effect.map(
          Effect.orDie(mac.verify(key, tag, claim(identity, id))),
          (isOurs) => isOurs ? id : undefined
        )
    }
  } satisfies SessionSeal
})
