import * as Redacted from "effect/Redacted"
import * as Result from "effect/Result"
import { invalid } from "./kind.ts"
import { secretOf } from "./kinds.ts"

const shortest = 32

/** What a client can send as a bearer token (RFC 9110, section 11.2). */
const token68 = /^[A-Za-z0-9\-._~+/]+=*$/

const makeOne = "Make one with: openssl rand -base64 32"

/** The secret of the admin port: too long to be guessed, with only characters that `Authorization` can contain. */
export const adminToken = secretOf((text) => {
  if (text.length < shortest) return invalid(`has less than ${shortest} characters`, makeOne)
  return token68.test(text)
    ? Result.succeed(Redacted.make(text))
    : invalid("has characters that no bearer token can have", makeOne)
})
