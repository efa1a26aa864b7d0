/** Normalizes e-mail addresses and domains for comparison. */
import * as Result from "effect/Result"

// Characters that a URL parser would not treat as part of a host.
const notInDomain = /[\s\p{C}%/\\:@?#[\]<>^|]/u
const plainDomain = /^[a-z0-9](?:[a-z0-9-]*[a-z0-9])?(?:\.[a-z0-9](?:[a-z0-9-]*[a-z0-9])?)*$/

/**
 * Returns a domain in lower case, with internationalized labels in ASCII (RFC 5890, by the URL standard's IDNA);
 * `undefined` if the text is not a domain.
 */
export const normalDomain = (domain: string): string | undefined => {
  if (domain.length > 253 || notInDomain.test(domain)) return undefined
  const hostname = Result.getOrUndefined(Result.try(() => new URL(`http://${domain}/`).hostname))
  return hostname !== undefined && plainDomain.test(hostname) ? hostname : undefined
}

// Quoted local parts (RFC 5321, section 4.1.2) can look like another address.
const notInLocalPart = /[\s\p{C}"(),:;<>[\]\\@]/u

/** Only ASCII letters: in Unicode, some other characters have an ASCII letter as their lower case. */
const lowerAscii = (text: string): string => text.replace(/[A-Z]+/g, (letters) => letters.toLowerCase())

export interface EmailAddress {
  readonly address: string
  readonly domain: string
}

/**
 * Returns an address with its ASCII letters in lower case and a normalized domain; `undefined` if the text is not a
 * plain address. No major provider assigns two people addresses that differ only in case.
 */
export const normalEmail = (email: string): EmailAddress | undefined => {
  const at = email.lastIndexOf("@")
  const local = email.slice(0, Math.max(at, 0))
  if (local === "" || local.length > 64 || notInLocalPart.test(local)) return undefined
  const domain = normalDomain(email.slice(at + 1))
  return domain === undefined ? undefined : { address: `${lowerAscii(local)}@${domain}`, domain }
}
