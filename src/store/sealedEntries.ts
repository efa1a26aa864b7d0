/** Entries that only replicas with the same `MCP_SESSION_KEY` can write and read, in a store that anyone may write to. */
import * as Clock from "effect/Clock"
import * as Aead from "effect/crypto/Aead"
import * as Mac from "effect/crypto/Mac"
import * as SecureRandom from "effect/crypto/SecureRandom"
import * as Effect from "effect/Effect"
import * as Base64Url from "effect/encoding/Base64Url"
import * as Hex from "effect/encoding/Hex"
import * as Redacted from "effect/Redacted"
import * as Result from "effect/Result"
import type { GatewaySettings } from "../config/GatewaySettings.ts"
import { deriveBytes, deriveKey } from "../forward/deriveKey.ts"
import type { Entries } from "../remote/SharedEntries.ts"
import { countRead } from "./storeMetrics.ts"

/** The entries as a store has them. No operation fails: a store that fails has no entries, and grants each claim. */
export interface RawEntries {
  /** Returns the entry, cut off after `maxLength` characters; `"failed"` if the store fails. */
  readonly read: (key: string, maxLength: number) => Effect.Effect<string | undefined, "failed">
  readonly write: (key: string, value: string, millis: number) => Effect.Effect<void>
  readonly remove: (key: string) => Effect.Effect<void>
  readonly claim: (key: string, millis: number) => Effect.Effect<boolean>
}

/** How far the clock of the replica that wrote an entry may be ahead, in milliseconds. Entries from later are ignored. */
const clockDifference = 5_000

/** The pause between two log lines about entries that were written without the key. */
const quietMillis = 60_000

const algorithm = Aead.xchacha20Poly1305
const tagLength = 16

const encoder = new TextEncoder()
const decoder = new TextDecoder("utf-8", { fatal: true })

/** Characters of the sealed form of a value with `length` characters. Very few values have more bytes than characters. */
const sealedLength = (length: number): number => 2 * length + 256

/** One session key, in the form in which entries need it. */
interface EntryKey {
  readonly naming: Mac.Key
  readonly sealing: Aead.Key
}

const kindOf = (name: string): string => name.slice(0, Math.max(0, name.indexOf(":")))

/** Splits the plaintext `<written at> <expires at> <value>`. */
const parse = (text: string) => {
  const [first, second] = [text.indexOf(" "), text.indexOf(" ", text.indexOf(" ") + 1)]
  return {
    writtenAt: Number(text.slice(0, first)),
    expiresAt: Number(text.slice(first + 1, second)),
    value: text.slice(second + 1)
  }
}

/**
 * Builds the entries of the replicas with the same `MCP_SESSION_KEY` and `MCP_STORE_KEY_PREFIX`.
 *
 * An entry is XChaCha20-Poly1305 over its value, the time of writing and its expiry, with a random nonce. The prefix and the
 * name are authenticated as well, so an entry under another name, or of another deployment, is ignored. The store sees
 * an HMAC of the name. Both keys are derived from the session key by HKDF. The first session key writes, and each one reads,
 * so that replicas keep sharing entries while the key is rotated.
 *
 * An entry that someone has put back is used until its expiry, which it had anyway.
 */
export const makeSealedEntries = Effect.fnUntraced(function*(
  { sessionKeys, storeKeyPrefix }: Pick<GatewaySettings, "sessionKeys" | "storeKeyPrefix">,
  raw: RawEntries
): Effect.fn.Return<Entries<never>, never, Aead.Aead | Mac.Mac | SecureRandom.SecureRandom> {
  const aead = yield* Aead.Aead
  const mac = yield* Mac.Mac
  const random = yield* SecureRandom.SecureRandom
  const keys = yield* Effect.orDie(Effect.forEach(sessionKeys, (secret) => {
    const bytes = encoder.encode(Redacted.value(secret))
    return Effect.all({
      naming: deriveKey(mac, bytes, "mcp-authorizer names of stored entries"),
      sealing: Effect.flatMap(
        deriveBytes(mac, bytes, "mcp-authorizer stored entries"),
        (derived) => Aead.key(algorithm, derived)
      )
    })
  }))
  let quietUntil = 0

  const storedName = (kind: string, { naming }: EntryKey, name: string) =>
    Effect.map(
      Effect.orDie(mac.sign(naming, encoder.encode(name))),
      (tag) => `${storeKeyPrefix}${kind}:${Hex.encode(tag)}`
    )

  const bindingOf = (name: string): Uint8Array => encoder.encode(JSON.stringify([storeKeyPrefix, name]))

  const seal = Effect.fnUntraced(function*({ sealing }: EntryKey, name: string, text: string) {
    const nonce = yield* random.randomBytes(algorithm.nonceLength)
    const sealed = yield* aead.encrypt(sealing, encoder.encode(text), { nonce, aad: bindingOf(name) })
    const bytes = new Uint8Array(nonce.length + sealed.length)
    bytes.set(nonce)
    bytes.set(sealed, nonce.length)
    return Base64Url.encode(bytes)
  }, Effect.orDie)

  /** Returns the plaintext; `undefined` if this entry was not sealed with this key under this name. */
  const open = Effect.fnUntraced(function*({ sealing }: EntryKey, name: string, sealed: string) {
    const bytes = Result.getOrUndefined(Base64Url.decode(sealed))
    if (bytes === undefined || bytes.length < algorithm.nonceLength + tagLength) return undefined
    const nonce = bytes.subarray(0, algorithm.nonceLength)
    const opened = yield* Effect.result(
      aead.decrypt(sealing, bytes.subarray(algorithm.nonceLength), { nonce, aad: bindingOf(name) })
    )
    return Result.isFailure(opened)
      ? undefined
      : Result.getOrUndefined(Result.try(() => parse(decoder.decode(opened.success))))
  })

  const warn = Effect.flatMap(Clock.currentTimeMillis, (now) => {
    if (now < quietUntil) return Effect.void
    quietUntil = now + quietMillis
    return Effect.logWarning(
      "The store has an entry that no gateway with this MCP_SESSION_KEY wrote under its name. It was ignored. Someone " +
        "else writes to the store, or it has lost data."
    )
  })

  const readWith = (name: string, maxLength: number) => (key: EntryKey) =>
    Effect.gen(function*(): Effect.fn.Return<string | undefined, "failed"> {
      const longest = sealedLength(maxLength)
      const sealed = yield* raw.read(yield* storedName(kindOf(name), key, name), longest + 1)
      if (sealed === undefined) return undefined
      const entry = sealed.length > longest ? undefined : yield* open(key, name, sealed)
      if (entry === undefined) {
        yield* countRead("unusable")
        return yield* Effect.as(warn, undefined)
      }
      const now = yield* Clock.currentTimeMillis
      const isCurrent = now < entry.expiresAt && entry.writtenAt <= now + clockDifference
      return isCurrent && entry.value.length <= maxLength ? entry.value : undefined
    })

  return {
    get: (name, maxLength) =>
      Effect.forEach(keys, readWith(name, maxLength), { concurrency: "unbounded" }).pipe(
        Effect.map((found) => found.find((value) => value !== undefined)),
        Effect.tap((value) => countRead(value === undefined ? "miss" : "hit")),
        Effect.catch(() => Effect.as(countRead("failure"), undefined))
      ),
    set: Effect.fnUntraced(function*(name, value, millis) {
      const [key] = keys
      if (key === undefined || millis < 1) return
      const now = yield* Clock.currentTimeMillis
      const sealed = yield* seal(key, name, `${now} ${now + Math.floor(millis)} ${value}`)
      yield* raw.write(yield* storedName(kindOf(name), key, name), sealed, Math.floor(millis))
    }),
    remove: (name) =>
      Effect.forEach(
        keys,
        (key) => Effect.flatMap(storedName(kindOf(name), key, name), raw.remove),
        { discard: true }
      ),
    claim: Effect.fnUntraced(function*(name, millis) {
      const [key] = keys
      return key === undefined || (yield* raw.claim(yield* storedName("claim", key, name), millis))
    })
  }
})
