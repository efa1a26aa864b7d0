import * as Effect from "effect/Effect"
import type { Signer } from "../../issuer/SigningKey.ts"

const privateJwk = {
  kty: "EC",
  crv: "P-256",
  x: "tXnPJQ3vHmae2IY3zxhIaA7QU-fZcKDu3CYHiyeYOGY",
  y: "mNsIxhs9BFYqjr8rZu8fXvQoc3tdi-_prgVtjm9ueko",
  d: "h2yPpNY_EEDBWg2YwNs0x5ndxChlrCdy0g1EdhcwPAA"
}

/** `CN=attacker.example`, its own authority, until 2126, with the key above. */
const certificate =
  "MIIBjjCCATOgAwIBAgIULEuF0120FzpNvfgMqZDfKh27UwgwCgYIKoZIzj0EAwIwGzEZMBcGA1UEAwwQYXR0YWNrZXIuZXhhbXBs" +
  "ZTAgFw0yNjExMjExNDM0NTNaGA8yMTI2MTAyODE0MzQ1M1owGzEZMBcGA1UEAwwQYXR0YWNrZXIuZXhhbXBsZTBZMBMGByqGSM49AgEGCCqG" +
  "SM49AwEHA0IABLV5zyUN7x5mntiGN88YSGgO0FPn2XCg7twmB4snmDhmmNsIxhs9BFYqjr8rZu8fXvQoc3tdi+/prgVtjm9uekqjUzBRMB0G" +
  "A1UdDgQWBBTFUgPtiZR3KY4OcQOB+G2OWvDGMzAfBgNVHSMEGDAWgBTFUgPtiZR3KY4OcQOB+G2OWvDGMzAPBgNVHRMBAf8EBTADAQH/MAoG" +
  "CCqGSM49BAMCA0kAMEYCIQD7bFFazfRj326PLPyjdUPLrMWNBSRQR+YCRARfUU3kKgIhAI8GyHd6vWx2Kcbyfk216oHyusTeUVdwEG0st5mL" +
  "Cuqg"

/** An ES256 key with a self-signed certificate, for headers with their own chain (`x5c`). */
export const selfSigned: Effect.Effect<Signer & { readonly x5c: ReadonlyArray<string> }> = Effect.map(
  Effect.promise(() =>
    crypto.subtle.importKey("jwk", privateJwk, { name: "ECDSA", namedCurve: "P-256" }, false, ["sign"])
  ),
  (key) => ({
    algorithm: "ES256",
    kid: "attacker",
    x5c: [certificate],
    sign: (input) =>
      Effect.map(
        Effect.promise(() => crypto.subtle.sign({ name: "ECDSA", hash: "SHA-256" }, key, Uint8Array.from(input))),
        (signature) => new Uint8Array(signature)
      )
  })
)
