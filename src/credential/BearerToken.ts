import * as Redacted from "effect/Redacted"

/**
 * A bearer token as the client sent it: `token68` characters, within the size limit, not yet verified.
 *
 * Redacted, so that it prints as `<redacted>` even if it is logged by accident.
 */
export type BearerToken = Redacted.Redacted<string>

/** Wraps a string that was checked to be `token68`. For requests, `credential/parseAuthorization.ts` does so. */
export const make = (token: string): BearerToken => Redacted.make(token, { label: "bearer token" })
