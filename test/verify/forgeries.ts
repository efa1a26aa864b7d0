/** Every known way to turn good tokens into forged ones, chosen by a seeded generator. */
import * as Encoding from "effect/encoding/Base64Url"
import * as Result from "effect/Result"
import { createHmac } from "node:crypto"

/** What a forger has: good tokens of some callers, the public keys, and keys of its own. */
export interface Forger {
  /** Good tokens of one issuer, at least two, with different claims. */
  readonly tokens: ReadonlyArray<string>
  /** Texts that could be mistaken for an HMAC secret: public keys as JWK and PEM, key ids. */
  readonly publicTexts: ReadonlyArray<string>
  /** Signs with a key that the issuer does not publish. */
  readonly signAsStranger: (header: string, payload: string) => string
}

/** Whole numbers from 0 up to, not including, `limit`; mulberry32, so that a seed repeats a run exactly. */
export const makeDice = (seed: number) => {
  let state = seed >>> 0
  return (limit: number): number => {
    state = (state + 0x6d2b79f5) >>> 0
    let mixed = Math.imul(state ^ (state >>> 15), state | 1)
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61)) ^ mixed
    return Math.floor((((mixed ^ (mixed >>> 14)) >>> 0) / 4_294_967_296) * limit)
  }
}

type Dice = ReturnType<typeof makeDice>

const alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"

const encode = (text: string): string => Encoding.encode(text)
const decode = (part: string): string => Result.getOrThrow(Encoding.decodeString(part))

const partsOf = (token: string): [string, string, string] => {
  const [header = "", payload = "", signature = ""] = token.split(".")
  return [header, payload, signature]
}

const pick = <A>(dice: Dice, from: readonly [A, ...ReadonlyArray<A>]): A => from[dice(from.length)] ?? from[0]

/** Changes the value of one member of a JSON object, or adds or removes a member. */
const changeMember = (dice: Dice, json: string): string => {
  const object: Record<string, unknown> = JSON.parse(json)
  const names = Object.keys(object)
  const name = names[dice(names.length)] ?? "sub"
  const value = object[name]
  switch (dice(6)) {
    case 0:
      object[name] = typeof value === "number" ? value + 1 + dice(1_000_000) : `${JSON.stringify(value)}x`
      break
    case 1:
      delete object[name]
      break
    case 2:
      object[pick(dice, ["admin", "scope", "crit", "b64", "jku", "x5u", "act", "__proto__x"])] = "mcp:admin"
      break
    case 3:
      object[name] = [value, value]
      break
    case 4:
      object[name] = null
      break
    default:
      return `{${JSON.stringify(name)}:"other",${json.slice(1)}`
  }
  return JSON.stringify(object)
}

const forgedHeaders = (kid: string): readonly [object, ...ReadonlyArray<object>] => [
  { alg: "none" },
  { alg: "None", kid },
  { alg: "nOnE", typ: "JWT" },
  { alg: "HS256", kid },
  { alg: "ES256", kid: `${kid}x` },
  { alg: "RS256", kid },
  { alg: "ES384", kid },
  { alg: "PS256", kid },
  { alg: "EdDSA", kid },
  { alg: "ES256", kid, crit: ["exp"] },
  { alg: "ES256", kid, b64: false },
  { alg: "ES256", kid, zip: "DEF" },
  { alg: ["ES256"], kid },
  { alg: "ES256", kid: [kid] },
  { alg: "ES256", kid: "__proto__" },
  { kid }
]

const flipCharacter = (dice: Dice, text: string): string => {
  const at = dice(text.length)
  const old = text[at] ?? ""
  const character = alphabet[(alphabet.indexOf(old) + 1 + dice(alphabet.length - 1)) % alphabet.length] ?? "A"
  return text.slice(0, at) + character + text.slice(at + 1)
}

/** One forged token; never one of `forger.tokens`. */
export const forge = (dice: Dice, { publicTexts, signAsStranger, tokens }: Forger): string => {
  const token = tokens[dice(tokens.length)] ?? ""
  const other = tokens[(tokens.indexOf(token) + 1) % tokens.length] ?? ""
  const [header, payload, signature] = partsOf(token)
  const [, otherPayload, otherSignature] = partsOf(other)
  const kid: string = JSON.parse(decode(header)).kid
  switch (dice(16)) {
    case 0:
      return flipCharacter(dice, token)
    case 1:
      return token.slice(0, dice(token.length))
    case 2: {
      const at = dice(token.length)
      return token.slice(0, at) + pick(dice, ["A", ".", "=", "-", "_", "%", "+", "/"]) + token.slice(at)
    }
    case 3:
      return `${header}.${otherPayload}.${signature}`
    case 4:
      return `${header}.${payload}.${otherSignature}`
    case 5:
      return `${encode(changeMember(dice, decode(header)))}.${payload}.${signature}`
    case 6:
      return `${header}.${encode(changeMember(dice, decode(payload)))}.${signature}`
    case 7:
      return `${encode(JSON.stringify(pick(dice, forgedHeaders(kid))))}.${payload}.${pick(dice, ["", signature, "AA"])}`
    case 8: {
      const [text = ""] = [publicTexts[dice(publicTexts.length)]]
      const secret = pick(dice, [text, `${text}\n`, ` ${text}`, "", "secret"])
      const input = `${encode(JSON.stringify({ alg: "HS256", kid }))}.${payload}`
      return `${input}.${createHmac("sha256", secret).update(input).digest("base64url")}`
    }
    case 9:
      return signAsStranger(decode(header), decode(payload))
    case 10:
      return signAsStranger(decode(header), changeMember(dice, decode(payload)))
    case 11:
      return `${header}.${payload}.${"A".repeat(signature.length)}`
    case 12:
      return `${header}.${payload}.${flipCharacter(dice, signature)}`
    case 13:
      return pick(dice, [
        `${payload}.${header}.${signature}`,
        `${header}.${payload}`,
        `${token}.${signature}`,
        `.${token}`
      ])
    case 14:
      return `${header}.${encode(` ${decode(payload)}`)}.${signature}`
    default: {
      const from = dice(token.length)
      return token.slice(0, from) + token.slice(from + 1 + dice(8))
    }
  }
}
