/** A process of `tokens.ts`: signs its share and prints it, one token a line. */
import { createPrivateKey, sign } from "node:crypto"
import { argv } from "node:process"

/** The input of the process. */
export interface Signing {
  /** PKCS #8 */
  readonly pem: string
  readonly kid: string
  readonly issuer: string
  readonly audience: string
  /** The number of the first caller. */
  readonly from: number
  readonly count: number
  /** Seconds since 1970. */
  readonly exp: number
}

// `tokens.ts` wrote it.
const { audience, count, exp, from, issuer, kid, pem } = JSON.parse(argv[2] ?? "") as Signing

const key = createPrivateKey(pem)
const encode = (value: object): string => Buffer.from(JSON.stringify(value)).toString("base64url")
const header = encode({ alg: "RS256", kid, typ: "JWT" })

for (let number = from; number < from + count; number++) {
  const sub = `user_${number}`
  const email = `${sub}@example.com`
  const claims = { iss: issuer, aud: audience, sub, exp, client_id: "bench", scope: "mcp:read mcp:write", email }
  const input = `${header}.${encode(claims)}`
  process.stdout.write(`${input}.${sign("sha256", Buffer.from(input), key).toString("base64url")}\n`)
}
