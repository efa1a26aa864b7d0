/** The operations of well-behaved clients, in both eras of the protocol, and of clients with invalid tokens. */
import { randomUUID } from "node:crypto"
import { initializeRequest, toolsListRequest } from "../../bench/peers/mcpResponses.ts"
import { type Exchange, exchange } from "./exchange.ts"
import type { IdentityProvider } from "./IdentityProvider.ts"

/** The kinds of operations. */
export type OperationName =
  | "call"
  | "stateless call"
  | "session"
  | "new token"
  | "rejected token"
  | "no token"
  | "streamed response"
  | "long message"
  | "long response"
  | "leave"
  | "listen"

/** One kind of operation. */
export interface Operation {
  /** How often it comes, in comparison with the others. */
  readonly weight: number
  /** `good`, or what was wrong. */
  readonly run: () => Promise<string>
}

const callerCount = 64

const initialized = JSON.stringify({ jsonrpc: "2.0", method: "notifications/initialized" })

/** A message of MCP 2026-07-28, which needs no `initialize`. */
const statelessRequest = JSON.stringify({
  jsonrpc: "2.0",
  id: 1,
  method: "tools/list",
  params: {
    _meta: {
      "io.modelcontextprotocol/protocolVersion": "2026-07-28",
      "io.modelcontextprotocol/clientInfo": { name: "soak", version: "1.0.0" },
      "io.modelcontextprotocol/clientCapabilities": {}
    }
  }
})

const longRequest = (bytes: number): string => toolsListRequest.replace("{}", `{"cursor":"${"A".repeat(bytes)}"}`)

// The gateway collects up to 1 MiB, and validates what is longer while it forwards it.
const collected = longRequest(256 * 1024)
const streamed = longRequest(1536 * 1024)
const longResponseBytes = 512 * 1024

/** The callers, who come again and again, and all that they do. */
export class Callers {
  readonly #origin: string
  readonly #provider: IdentityProvider
  #tokens: ReadonlyArray<string> = []
  #turn = 0
  /** How long each ordinary call took, in milliseconds. */
  readonly times: Array<number> = []

  constructor(origin: string, provider: IdentityProvider) {
    this.#origin = origin
    this.#provider = provider
    this.renewTokens()
  }

  /** Gives each caller a token of the newest key. */
  renewTokens(): void {
    this.#tokens = Array.from({ length: callerCount }, (_, index) => this.#provider.makeToken(`caller-${index}`))
  }

  /** A call with a token that the gateway has never seen. */
  async callWithNewToken(): Promise<string> {
    return this.#expect("200", { token: this.#provider.makeToken(randomUUID()), body: toolsListRequest })
  }

  #token(): string {
    return this.#tokens[this.#turn++ % this.#tokens.length] ?? ""
  }

  async #expect(status: string, options: Exchange): Promise<string> {
    const { outcome } = await exchange(this.#origin, options)
    return outcome === status ? "good" : outcome
  }

  async #call(): Promise<string> {
    const started = performance.now()
    const outcome = await this.#expect("200", { token: this.#token(), body: toolsListRequest })
    if (this.times.length < 1_000_000) this.times.push(performance.now() - started)
    return outcome
  }

  /** A whole session of the 2025 revisions. */
  async #session(): Promise<string> {
    const token = this.#token()
    const begun = await exchange(this.#origin, { token, body: initializeRequest })
    const session = begun.headers["mcp-session-id"]
    if (begun.outcome !== "200") return `initialize: ${begun.outcome}`
    if (typeof session !== "string" || !begun.text.includes("serverInfo")) return "initialize: no session"
    const headers = { "mcp-session-id": session, "mcp-protocol-version": "2025-11-25" }
    const steps: ReadonlyArray<readonly [status: string, exchange: Exchange]> = [
      ["202", { token, headers, body: initialized }],
      ["200", { token, headers, body: toolsListRequest }],
      ["204", { token, headers, method: "DELETE" }],
      ["404", { token, headers, body: toolsListRequest }]
    ]
    for (const [status, step] of steps) {
      const outcome = await this.#expect(status, step)
      if (outcome !== "good") return `session: ${outcome} for ${status}`
    }
    return "good"
  }

  async #rejected(): Promise<string> {
    const { bad } = this.#provider
    const one = bad[this.#turn++ % bad.length]
    if (one === undefined) return "no bad token"
    const outcome = await this.#expect(one.status, { token: one.make(), body: toolsListRequest })
    return outcome === "good" ? outcome : `${outcome} for ${one.status}`
  }

  async #stream(): Promise<string> {
    const streaming = { token: this.#token(), body: toolsListRequest, path: "/mcp/events?count=5&millis=20" }
    const { outcome, text } = await exchange(this.#origin, streaming)
    return outcome !== "200" ? outcome : text.split("data: ").length === 7 ? "good" : "not all events"
  }

  async #longResponse(): Promise<string> {
    const path = `/mcp/long?bytes=${longResponseBytes}`
    const { outcome, text } = await exchange(this.#origin, { token: this.#token(), body: toolsListRequest, path })
    return outcome !== "200" ? outcome : text.length > longResponseBytes ? "good" : "not the whole response"
  }

  /** Leaves before the response, or before the end of its own message. */
  async #leave(): Promise<string> {
    const unfinished = this.#turn % 2 === 0
    const leaving = { token: this.#token(), body: toolsListRequest, path: "/mcp/slow?millis=1000", leaveAfter: 30 }
    await exchange(this.#origin, { ...leaving, unfinished })
    return "good"
  }

  /** Listens until the second event, and leaves. */
  async #listen(): Promise<string> {
    const path = "/mcp/events?count=0&millis=500"
    return this.#expect("left", { token: this.#token(), method: "GET", path, leaveAt: `{"n":1}` })
  }

  readonly operations: Readonly<Record<OperationName, Operation>> = {
    call: { weight: 60, run: () => this.#call() },
    "stateless call": {
      weight: 8,
      run: () =>
        this.#expect("200", {
          token: this.#token(),
          body: statelessRequest,
          headers: { "mcp-protocol-version": "2026-07-28", "mcp-method": "tools/list" }
        })
    },
    session: { weight: 3, run: () => this.#session() },
    "new token": { weight: 8, run: () => this.callWithNewToken() },
    "rejected token": { weight: 5, run: () => this.#rejected() },
    "no token": { weight: 4, run: () => this.#expect("401", { token: undefined, body: toolsListRequest }) },
    "streamed response": { weight: 4, run: () => this.#stream() },
    "long message": {
      weight: 3,
      run: () => this.#expect("200", { token: this.#token(), body: this.#turn % 8 === 0 ? streamed : collected })
    },
    "long response": { weight: 1, run: () => this.#longResponse() },
    leave: { weight: 3, run: () => this.#leave() },
    listen: { weight: 1, run: () => this.#listen() }
  }
}
