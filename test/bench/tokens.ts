/** Tokens by the ten thousand: signed by a process for each core before anything is measured. */
import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import { KeyObject, randomBytes } from "node:crypto"
import { writeFile } from "node:fs/promises"
import { availableParallelism } from "node:os"
import { join } from "node:path"
import { fileURLToPath } from "node:url"
import { TestIssuer } from "../../src/issuer/TestIssuer.ts"
import type { TokenRange } from "./load.ts"
import { run } from "./processes.ts"
import type { Signing } from "./signTokens.ts"

// A working day: longer than any run, and a realistic lifetime.
const lifeSeconds = 8 * 3600

const expiry = Effect.map(Clock.currentTimeMillis, (now) => Math.floor(now / 1000) + lifeSeconds)

const sign = (work: Signing): Effect.Effect<string> => {
  const file = fileURLToPath(new URL("signTokens.js", import.meta.url))
  return run({ file: process.execPath, args: [file, JSON.stringify(work)], cores: undefined })
}

const write = Effect.fnUntraced(
  function*(directory: string, name: string, lines: ReadonlyArray<string>, count: number) {
    const file = join(directory, `${name}.txt`)
    yield* Effect.promise(() => writeFile(file, lines.join("")))
    const range: TokenRange = { file, from: 0, count, repeat: true }
    return range
  }
)

/** Who the tokens are for. */
export const audience = "https://mcp.example/mcp"

/** A file with this number of valid tokens of different callers (RS256, 2048 bits). */
export const goodTokens = Effect.fnUntraced(function*(directory: string, name: string, count: number) {
  const { issuer, key } = yield* TestIssuer
  const { kid, privateKey } = yield* key("RS256")
  const pem = KeyObject.from(privateKey).export({ type: "pkcs8", format: "pem" }).toString()
  const exp = yield* expiry
  const share = Math.ceil(count / availableParallelism())
  const tokens = yield* Effect.forEach(
    Array.from({ length: availableParallelism() }, (_, index) => index * share),
    (from) => sign({ pem, kid, issuer, audience, exp, from, count: Math.max(Math.min(share, count - from), 0) }),
    { concurrency: "unbounded" }
  )
  return yield* write(directory, name, tokens, count)
})

// Rejections are not remembered, so these may come again.
const badCount = 4096

const encode = (text: string): string => Buffer.from(text).toString("base64url")

/** Tokens of the issuer that were tampered with, tokens of keys that it does not have, and no tokens at all. */
export const badTokens = Effect.fnUntraced(function*(directory: string) {
  const { issuer, key } = yield* TestIssuer
  const make = (name: string, one: (index: number) => string) =>
    write(directory, name, Array.from({ length: badCount }, (_, index) => `${one(index)}\n`), badCount)
  const { kid } = yield* key("RS256")
  const exp = yield* expiry
  const forged = (header: object, index: number) => {
    const claims = { iss: issuer, aud: audience, sub: `user-${index}`, exp, jti: String(index) }
    // As long as a signature of 2048 bits, and below any modulus of that length.
    const signature = Buffer.concat([Buffer.alloc(1), randomBytes(255)]).toString("base64url")
    return `${encode(JSON.stringify(header))}.${encode(JSON.stringify(claims))}.${signature}`
  }
  return {
    signature: yield* make("bad-signature", (index) => forged({ alg: "RS256", kid, typ: "JWT" }, index)),
    key: yield* make("unknown-key", (index) => forged({ alg: "RS256", kid: `unknown-${index}`, typ: "JWT" }, index)),
    garbage: yield* make("garbage", () => randomBytes(400).toString("base64url"))
  }
})
