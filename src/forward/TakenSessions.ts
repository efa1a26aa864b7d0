import type { Identity } from "../identity/Identity.ts"

// The least recently used one is forgotten first.
const remembered = 10_000

const nameOf = ({ clientId, issuer, subject }: Identity): string => JSON.stringify([issuer, subject, clientId ?? null])

/**
 * Remembers who went on with a session that had begun without a token, as far as this process has seen it.
 *
 * From then on the session is that caller's: without a token, and with the token of another caller, it is not found.
 */
export class TakenSessions {
  readonly #owners = new Map<string, string>()

  /** Returns whether a caller may use the session; the first caller with a token becomes its owner. */
  mayUse(session: string, identity: Identity | undefined): boolean {
    const owner = this.#owners.get(session)
    if (identity === undefined) return owner === undefined
    const name = nameOf(identity)
    if (owner !== undefined && owner !== name) return false
    this.#owners.delete(session)
    this.#owners.set(session, name)
    if (this.#owners.size > remembered) {
      for (const oldest of this.#owners.keys()) {
        this.#owners.delete(oldest)
        break
      }
    }
    return true
  }
}
