/** The form of a given token, and what people copy along with it. Pure. */
import * as Redacted from "effect/Redacted"
import * as Result from "effect/Result"
import type { BearerToken } from "../credential/BearerToken.ts"
import { bearerToken, type CredentialError, findBearer } from "../credential/parseAuthorization.ts"
import { own, parseJsonObject } from "../remote/JsonObject.ts"

/** Something that was copied along with a token, and how to remove it. */
interface Wrapping {
  readonly unwrap: (text: string) => string
  /** What remains if it is removed. */
  readonly without: string
  readonly fix: string
}

const tokenOf = (text: string): string => {
  const body = text.startsWith("{") ? Result.getOrUndefined(parseJsonObject(text)) : undefined
  const token = body === undefined ? undefined : own(body, "access_token")
  return typeof token === "string" ? token : text
}

/** In the order in which they are removed, so that `"Bearer x"` and `Bearer "x"` are read alike. */
const wrappings: ReadonlyArray<Wrapping> = [
  {
    unwrap: tokenOf,
    without: "the JSON around it",
    fix: "Give the client the value of access_token, not the whole response of the token endpoint."
  },
  {
    unwrap: (text) => text.replace(/^(["'`\u2018\u201c])(.+)["'`\u2019\u201d]$/su, "$2"),
    without: "the quotation marks around it",
    fix: "Remove the quotation marks: they belong to a shell or to a file, and not into the Authorization field."
  },
  {
    unwrap: (text) => text.replace(/^(?:authorization\s*:\s*)?bearer(?:\s*:)?\s+/iu, ""),
    without: "the word Bearer before it",
    fix: "Give the client only the token: it writes the word Bearer before it by itself."
  },
  {
    unwrap: (text) => text.replace(/^(["'`\u2018\u201c])(.+)["'`\u2019\u201d]$/su, "$2"),
    without: "the quotation marks around it",
    fix: "Remove the quotation marks: they belong to a shell or to a file, and not into the Authorization field."
  },
  {
    unwrap: (text) => text.replace(/\s+/gu, ""),
    without: "the white space in it",
    fix: "Copy the token in one piece: terminals and mail programs break long lines."
  }
]

export interface GivenToken {
  /** The token, or the one that was found in the text; `undefined` if there is none. */
  readonly token: BearerToken | undefined
  /** The error for the given text; `undefined` if the text is a token. */
  readonly error: CredentialError | undefined
  /** How the text differs from the token, in words. */
  readonly differences: ReadonlyArray<string>
  readonly fix: string | undefined
  /** The length of the token as it was given. */
  readonly length: number
}

const asCredential = (text: string, maxTokenBytes: number) =>
  Result.flatMap(findBearer({ authorization: [`Bearer ${text}`], query: "" }, maxTokenBytes), bearerToken)

const malformedFix = "Check where the client gets its token from: this is not a token."

/**
 * Reads a token as a client would send it after `Bearer`.
 *
 * Surrounding white space is ignored, as in HTTP. If the text is not a token but contains one, that one is returned, so
 * that it can be explained as well.
 */
export const readGiven = (given: string, maxTokenBytes: number): GivenToken => {
  const text = given.trim()
  const length = text.length
  const credential = asCredential(text, maxTokenBytes)
  if (Result.isSuccess(credential)) {
    return { token: credential.success, error: undefined, differences: [], fix: undefined, length }
  }
  const error = credential.failure
  let unwrapped = text
  const differences: Array<string> = []
  const fixes: Array<string> = []
  for (const { fix, unwrap, without } of wrappings) {
    const next = unwrap(unwrapped).trim()
    if (next === unwrapped) continue
    unwrapped = next
    differences.push(without)
    fixes.push(fix)
    const inner = asCredential(next, maxTokenBytes)
    // Words that programs send in place of a token are not tokens either.
    if (Result.isSuccess(inner)) return { token: inner.success, error, differences, fix: fixes.join(" "), length }
  }
  return { token: undefined, error, differences: [], fix: malformedFix, length }
}

/** Placeholders such as `undefined` are not secret. Anything longer may be. */
const longestWord = 12

/** The texts that an explanation must not show: the token, the rest of the input, and the signature. */
export const secretsOf = (given: string, token: BearerToken | undefined): ReadonlyArray<string> => {
  const text = given.trim()
  const texts = token !== undefined ? [text, Redacted.value(token)] : text.length > longestWord ? [text] : []
  return texts.concat(texts.flatMap((text) => text.split(".").slice(2)))
}
