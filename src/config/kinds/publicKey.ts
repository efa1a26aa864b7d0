import * as Result from "effect/Result"
import * as Schema from "effect/Schema"
import type { Mistake } from "../InvalidConfiguration.ts"
import { type Checked, invalid, type Kind, makeKind } from "./kind.ts"

const block = /^-----BEGIN PUBLIC KEY-----([A-Za-z0-9+/=\s]+)-----END PUBLIC KEY-----$/

const noPublicKey: Mistake = {
  problem: "is not a PEM public key",
  fix: "Give one block from -----BEGIN PUBLIC KEY----- to -----END PUBLIC KEY-----, with \\n for line breaks"
}

const read = (text: string): Checked<string> => {
  // Variables often hold the two characters `\n` for a line break.
  const pem = text.replaceAll("\\r", "").replaceAll("\\n", "\n").trim()
  if (pem.includes("PRIVATE KEY-----")) {
    return invalid(
      "is a private key, which the gateway neither needs nor may know",
      "Take it out, replace it at the issuer if others could read it, and give the public key (openssl pkey -pubout)"
    )
  }
  if (pem.includes("BEGIN CERTIFICATE")) {
    return invalid("is a certificate", "Give its public key (openssl x509 -noout -pubkey)")
  }
  if (pem.includes("BEGIN RSA PUBLIC KEY")) {
    return invalid("is a PKCS#1 key", "Convert it to SPKI (openssl rsa -RSAPublicKey_in -pubout)")
  }
  const body = block.exec(pem)?.[1]?.replace(/\s/g, "")
  if (body === undefined || !/^[A-Za-z0-9+/]{40,}={0,2}$/.test(body)) {
    return Result.fail([noPublicKey])
  }
  const lines = body.match(/.{1,64}/g) ?? []
  return Result.succeed(`-----BEGIN PUBLIC KEY-----\n${lines.join("\n")}\n-----END PUBLIC KEY-----\n`)
}

/** One public key, PEM with SubjectPublicKeyInfo (RFC 7468, section 13), brought to its usual line breaks. */
export const publicKey: Kind<string, string> = makeKind<string, string>({
  label: "PEM",
  input: Schema.NonEmptyString,
  mistyped: (value) =>
    typeof value === "string" ? noPublicKey : { problem: "is not a string", fix: "Write it in quotes" },
  fromText: read,
  fromJson: read,
  show: () => "(PEM)"
})
