/**
 * The identity provider of mixed traffic.
 *
 * It runs in the client's process and signs each caller's token, so that it can rotate its keys, and fail, without telling the
 * gateway.
 */
import { generateKeyPairSync, type KeyObject, randomUUID, sign } from "node:crypto"
import { createServer } from "node:http"
import { nowMillis } from "./now.ts"

/** How it responds. */
export type ProviderState = "up" | "unreachable" | "failing" | "silent"

interface SigningKey {
  readonly kid: string
  readonly privateKey: KeyObject
  readonly jwk: object
}

const audience = "https://mcp.example/mcp"

const makeKey = (): SigningKey => {
  const { privateKey, publicKey } = generateKeyPairSync("ec", { namedCurve: "P-256" })
  const kid = randomUUID()
  return { kid, privateKey, jwk: { ...publicKey.export({ format: "jwk" }), kid, alg: "ES256", use: "sig" } }
}

const encode = (value: object): string => Buffer.from(JSON.stringify(value)).toString("base64url")

/** Publishes ES256 keys on a port of this machine, and signs tokens with them. */
export class IdentityProvider {
  readonly #port: number
  #key = makeKey()
  /** The old key stays published until the next rotation, as providers do it. */
  #previous: SigningKey | undefined
  state: ProviderState = "up"
  rotations = 0

  constructor(port: number) {
    this.#port = port
  }

  listen(onReady: () => void): void {
    createServer((request, response) => {
      if (this.state === "silent") return
      if (this.state === "unreachable") {
        request.socket.destroy()
        return
      }
      const found = request.url === "/jwks"
      const keys = this.#previous === undefined ? [this.#key] : [this.#key, this.#previous]
      const status = this.state === "failing" ? 500 : found ? 200 : 404
      response.writeHead(status, { "content-type": "application/json", "cache-control": "max-age=60" })
        .end(JSON.stringify(status === 200 ? { keys: keys.map(({ jwk }) => jwk) } : { error: "server_error" }))
    }).listen(this.#port, "127.0.0.1", onReady)
  }

  rotate(): void {
    this.#previous = this.#key
    this.#key = makeKey()
    this.rotations++
  }

  /** A token that is valid for an hour, unless `claims` change that. */
  makeToken(subject: string, claims: object = {}): string {
    const { kid, privateKey } = this.#key
    const exp = Math.floor(nowMillis() / 1000) + 3600
    const iss = `http://127.0.0.1:${this.#port}`
    const input = `${encode({ alg: "ES256", kid, typ: "at+jwt" })}.${
      encode({ iss, aud: audience, sub: subject, client_id: "soak", scope: "mcp:read", exp, ...claims })
    }`
    const signature = sign("sha256", Buffer.from(input), { key: privateKey, dsaEncoding: "ieee-p1363" })
    return `${input}.${signature.toString("base64url")}`
  }

  /** Tokens that must be rejected, and with which status. */
  readonly bad: ReadonlyArray<{ readonly make: () => string; readonly status: string }> = [
    { status: "401", make: () => this.makeToken("nobody", { aud: "https://another.example" }) },
    { status: "401", make: () => this.makeToken("nobody", { exp: Math.floor(nowMillis() / 1000) - 3600 }) },
    { status: "401", make: () => `${this.makeToken("nobody").slice(0, -86)}${"A".repeat(86)}` },
    { status: "401", make: () => randomUUID() },
    { status: "403", make: () => this.makeToken("nobody", { scope: "mcp:other" }) }
  ]
}
