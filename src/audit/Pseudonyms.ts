import * as Mac from "effect/crypto/Mac"
import * as Effect from "effect/Effect"
import * as Hex from "effect/encoding/Hex"
import * as Redacted from "effect/Redacted"
import type { GatewaySettings } from "../config/GatewaySettings.ts"
import { deriveKey } from "../forward/deriveKey.ts"
import type { Identity } from "../identity/Identity.ts"
import { shownText } from "./shown.ts"

export interface AuditedCaller {
  readonly provider: string
  readonly subject: string
  readonly client?: string
}

// A separate key, so that pseudonyms reveal nothing about session tags.
const purpose = "mcp-authorizer audit subjects"

const encoder = new TextEncoder()

/** Of 32 bytes. Enough to distinguish all callers of an issuer. */
const pseudonymBytes = 16

/**
 * Builds the function that names callers in audit entries.
 *
 * With `hmac`, subjects and clients are pseudonyms, an HMAC over issuer and name: the same for all processes and servers
 * with the same `MCP_SESSION_KEY`. Of two keys, the first one is used.
 */
export const makeAuditedCaller = Effect.fnUntraced(function*(
  { auditSubjects, sessionKeys: [secret] }: Pick<GatewaySettings, "auditSubjects" | "sessionKeys">
) {
  const mac = yield* Mac.Mac
  const makeKey = Effect.suspend(() =>
    secret === undefined
      ? Effect.die("no session key")
      : deriveKey(mac, encoder.encode(Redacted.value(secret)), purpose)
  )
  // Built with the first entry, for the same reason as in `SessionSeal.ts`.
  let key: Effect.Success<typeof makeKey> | undefined
  const pseudonym = Effect.fnUntraced(function*(kind: string, issuer: string, name: string) {
    key ??= yield* makeKey
    const tag = yield* mac.sign(key, encoder.encode(JSON.stringify([kind, issuer, name])))
    return Hex.encode(tag.subarray(0, pseudonymBytes))
  })

  const name = auditSubjects === "hmac"
    ? pseudonym
    : (_kind: string, _issuer: string, name: string) => Effect.succeed(shownText(name))

  // All requests with one token share one identity object.
  const callers = new WeakMap<Identity, AuditedCaller>()

  return (identity: Identity): Effect.Effect<AuditedCaller> => {
    const known = callers.get(identity)
    if (known !== undefined) return Effect.succeed(known)
    const { clientId, issuer, provider, subject } = identity
    return Effect.gen(function*() {
      const caller: AuditedCaller = {
        provider,
        subject: yield* name("subject", issuer, subject),
        ...(clientId === undefined ? {} : { client: yield* name("client", issuer, clientId) })
      }
      callers.set(identity, caller)
      return caller
    }).pipe(Effect.orDie)
  }
})
