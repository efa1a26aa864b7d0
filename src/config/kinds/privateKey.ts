import * as Redacted from "effect/Redacted"
import * as Result from "effect/Result"
import * as Schema from "effect/Schema"
import type { Mistake } from "../InvalidConfiguration.ts"
import { type Checked, invalid, type Kind, makeKind } from "./kind.ts"
import { hidden, RedactedText } from "./kinds.ts"

const block = /^-----BEGIN PRIVATE KEY-----([A-Za-z0-9+/=\s]+)-----END PRIVATE KEY-----$/

const noPrivateKey: Mistake = {
  problem: "is not a PEM private key",
  fix: "Give one block from -----BEGIN PRIVATE KEY----- to -----END PRIVATE KEY-----, with \\n for line breaks"
}

const read = (text: string): Checked<Redacted.Redacted<string>> => {
  // Variables often hold the two characters `\n` for a line break.
  const pem = text.replaceAll("\\r", "").replaceAll("\\n", "\n").trim()
  if (/BEGIN (?:RSA|EC|ENCRYPTED) PRIVATE KEY/.test(pem)) {
    return invalid("is not in PKCS#8 form, or is encrypted", "Convert it (openssl pkcs8 -topk8 -nocrypt)")
  }
  const body = block.exec(pem)?.[1]?.replace(/\s/g, "")
  if (body === undefined || !/^[A-Za-z0-9+/]{40,}={0,2}$/.test(body)) return Result.fail([noPrivateKey])
  const lines = body.match(/.{1,64}/g) ?? []
  return Result.succeed(Redacted.make(`-----BEGIN PRIVATE KEY-----\n${lines.join("\n")}\n-----END PRIVATE KEY-----\n`))
}

/** One private key, PEM with PKCS#8 (RFC 7468, section 10). */
export const privateKey: Kind<Redacted.Redacted<string>, string | Redacted.Redacted<string>> = makeKind<
  Redacted.Redacted<string>,
  string | Redacted.Redacted<string>
>({
  label: "PEM",
  input: Schema.Union([Schema.NonEmptyString, RedactedText]),
  file: Schema.NonEmptyString,
  mistyped: (value) =>
    typeof value === "string" ? noPrivateKey : { problem: "is not a string", fix: "Write it in quotes" },
  fromText: read,
  fromJson: (value) => read(Redacted.isRedacted(value) ? Redacted.value(value) : value),
  show: () => hidden
})
