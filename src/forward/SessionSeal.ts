/** Binds sessions of the MCP server to their callers, without storing them. */
import * as Mac from "effect/crypto/Mac"
import * as SecureRandom from "effect/crypto/SecureRandom"
import * as Effect from "effect/Effect"
import * as Base64Url from "effect/encoding/Base64Url"
import * as Redacted from "effect/Redacted"
import * as Result from "effect/Result"
import { carryOverValue } from "../config/carryOver.ts"
import type { GatewaySettings } from "../config/GatewaySettings.ts"
import { SessionNotFound } from "../errors/GatewayError.ts"
import type { Identity } from "../identity/Identity.ts"
import { letsAnyoneBegin } from "../rules/publicRules.ts"
import { deriveKey } from "./deriveKey.ts"
import { TakenSessions } from "./TakenSessions.ts"

/** The field with the id of a session (MCP 2025-11-25, transports: session management). */
export const sessionField = "mcp-session-id"

/** The session of a request, which is bound to a caller. */
export interface BoundSession {
  /** `undefined` if the request has no token, and the rules allow it to anyone. */
  readonly identity: Identity | undefined
  /** The server's own id; `undefined` if the request names no session. */
  readonly id: string | undefined
  /** The same id, as the client knows it. */
  readonly sealed: string | undefined
}

/** Returns the sealed id if a response repeats the session of its request, as many servers do in each response. */
export const sealedAgain = ({ id, sealed }: BoundSession, received: string): string | undefined =>
  received === id ? sealed : undefined

/** Binds session ids to callers. */
export interface SessionSeal {
  /**
   * Opens the session of a request. Fails with `SessionNotFound` if this caller was not given the id. An id that is not
   * sealed is forwarded to the server only if no session began through this gateway and no key is configured.
   *
   * A session that began without a token is open to requests without one, and to a caller that has got a token since.
   *
   * @param sealed the value of `Mcp-Session-Id`
   */
  readonly open: (identity: Identity | undefined, sealed: string) => Effect.Effect<BoundSession, SessionNotFound>
  /**
   * Returns the id for the client: the server's own id, after a tag that only this gateway can compute.
   *
   * @param id the value of the field in the response
   */
  readonly seal: (identity: Identity | undefined, id: string) => Effect.Effect<string>
}

const encoder = new TextEncoder()

// Base64url of 32 bytes.
const tagLength = 43

/**
 * The issuer is `null` for a session without a caller, so that the session is not bound to one.
 *
 * @param server the name of the server, if there are several: an id of one server is not valid at another
 */
const claim = (server: string) => (identity: Identity | undefined, id: string): Uint8Array =>
  encoder.encode(JSON.stringify([
    identity?.issuer ?? null,
    identity?.subject ?? null,
    identity?.clientId ?? null,
    id,
    ...(server === "" ? [] : [server])
  ]))

/** The part of a seal that stays the same as long as the keys do. */
interface SealState {
  keys: ReadonlyArray<Effect.Success<ReturnType<typeof deriveKey>>> | undefined
  hasSealed: boolean
}

// A secret is used for several purposes, each with its own derived key.
const purpose = "mcp-authorizer sessions"

const notFound = new SessionNotFound({
  detail: "the session is not this caller's, or was begun before a restart or at a replica with another MCP_SESSION_KEY"
})

/**
 * Builds the seal of one gateway.
 *
 * If a server identifies sessions by their id alone, anyone who learns an id could use or end that session. The tag is
 * an HMAC over the caller (issuer, subject, client) and the id. It stays valid when the caller gets a new token, and
 * nothing is stored. The key is derived from `MCP_SESSION_KEY`; without that setting it is random, and other processes
 * do not accept this one's sessions. The first key seals, and all keys open.
 *
 * @see MCP 2025-11-25, security best practices: session hijacking
 */
export const makeSessionSeal = Effect.fnUntraced(function*(
  { policy, serverName = "", sessionKeys }:
    & Pick<GatewaySettings, "sessionKeys">
    & Partial<Pick<GatewaySettings, "policy" | "serverName">>
): Effect.fn.Return<SessionSeal, never, Mac.Mac | SecureRandom.SecureRandom> {
  const mac = yield* Mac.Mac
  const random = yield* SecureRandom.SecureRandom
  const claimOf = claim(serverName)
  const state = yield* carryOverValue("sessions", sessionKeys, (): SealState => ({
    keys: undefined,
    // If the operator has configured a key, every id that a client was given is sealed.
    hasSealed: sessionKeys.length > 0
  }))
  const makeKeys = Effect.gen(function*() {
    const secrets = sessionKeys.length === 0
      ? [yield* random.randomBytes(32)]
      : sessionKeys.map((key) => encoder.encode(Redacted.value(key)))
    return yield* Effect.forEach(secrets, (secret) => deriveKey(mac, secret, purpose))
  })
  // When the first session needs them: some hosts have no randomness before the first request, and no request there may
  // wait for another, so that the first one to finish decides.
  const keys = Effect.suspend(() =>
    state.keys === undefined
      ? Effect.orDie(Effect.map(makeKeys, (own) => state.keys ??= own))
      : Effect.succeed(state.keys)
  )
  const sign = (identity: Identity | undefined, id: string): Effect.Effect<Uint8Array> =>
    Effect.flatMap(
      keys,
      ([key]) => key === undefined ? Effect.die("no session key") : Effect.orDie(mac.sign(key, claimOf(identity, id)))
    )

  const taken = yield* carryOverValue("taken sessions", undefined, () => new TakenSessions())
  const mayBeNobodys = policy !== undefined && letsAnyoneBegin(policy)

  const find = Effect.fnUntraced(function*(identity: Identity | undefined, sealed: string) {
    const tag = Result.getOrUndefined(Base64Url.decode(sealed.slice(0, tagLength)))
    const id = sealed.slice(tagLength + 1)
    if (tag === undefined || sealed[tagLength] !== "." || id === "") {
      // A server whose sessions did not begin here, or that has no sessions, checks the id itself. Without a token
      // there is no caller to whom it could belong.
      if (!state.hasSealed && identity !== undefined) return { identity, id: sealed, sealed }
      return yield* notFound
    }
    for (const key of yield* keys) {
      const isCallers = identity !== undefined && (yield* Effect.orDie(mac.verify(key, tag, claimOf(identity, id))))
      if (isCallers) return { identity, id, sealed }
      const isNobodys = mayBeNobodys && (yield* Effect.orDie(mac.verify(key, tag, claimOf(undefined, id))))
      if (isNobodys && taken.mayUse(sealed, identity)) return { identity, id, sealed }
    }
    return yield* notFound
  })

  return {
    open: find,
    seal: (identity, id) => {
      if (id === "") return Effect.succeed(id)
      state.hasSealed = true
      return Effect.map(sign(identity, id), (tag) => `${Base64Url.encode(tag)}.${id}`)
    }
  }
})
