/**
 * Mixed traffic of well-behaved clients, and the identity provider whose tokens they carry.
 *
 * It publishes its keys itself and signs each caller's token, so that it can rotate keys and break down without telling the
 * gateway. Lines on standard input say when something else is out of order: what fails then is counted apart.
 */
import { generateKeyPairSync, type KeyObject, randomUUID, sign } from "node:crypto"
import { Agent, createServer, request } from "node:http"
import { argv } from "node:process"
import { createInterface } from "node:readline"
import { initializeRequest, toolsListRequest } from "../../bench/peers/mcpAnswers.ts"
import { nowMillis } from "./now.ts"

/** What the client is told. */
export interface MixedArguments {
  /** Where the provider listens. */
  readonly providerPort: number
  readonly origin: string
  readonly seconds: number
  /** Operations a second; 0 measures how many are possible. */
  readonly rate: number
}

/** The operations. */
export type Operation =
  | "call"
  | "stateless call"
  | "initialize"
  | "new token"
  | "refused token"
  | "no token"
  | "streamed response"
  | "long message"
  | "leave"
  | "listen"

/** What became of the operations of one kind. */
export interface OperationCount {
  readonly good: number
  /** Failures while everything behind the gateway worked, by what was seen. */
  readonly failures: Readonly<Record<string, number>>
  /** Failures while something behind the gateway was out of order. */
  readonly excused: number
}

export interface MixedResult {
  readonly operations: Readonly<Partial<Record<Operation, OperationCount>>>
  readonly total: number
  /** Failures that nothing excuses. */
  readonly failed: number
  readonly seconds: number
  /** Milliseconds, of ordinary calls. */
  readonly p50: number
  readonly p99: number
  readonly rotations: number
}

// The parent process wrote it.
const options = JSON.parse(argv[2] ?? "") as MixedArguments
const issuer = `http://127.0.0.1:${options.providerPort}`
const audience = "https://mcp.example/mcp"

interface SigningKey {
  readonly kid: string
  readonly privateKey: KeyObject
  readonly jwk: object
}

const makeKey = (): SigningKey => {
  const { privateKey, publicKey } = generateKeyPairSync("ec", { namedCurve: "P-256" })
  const kid = randomUUID()
  return { kid, privateKey, jwk: { ...publicKey.export({ format: "jwk" }), kid, alg: "ES256", use: "sig" } }
}

let keys: ReadonlyArray<SigningKey> = [makeKey()]
let rotations = 0
let providerIsDown = false

const provider = createServer((incoming, response) => {
  if (providerIsDown) return incoming.socket.destroy()
  const found = incoming.url === "/jwks"
  response.writeHead(found ? 200 : 404, { "content-type": "application/json", "cache-control": "max-age=60" })
    .end(JSON.stringify(found ? { keys: keys.map(({ jwk }) => jwk) } : { error: "not_found" }))
})

const encode = (value: object): string => Buffer.from(JSON.stringify(value)).toString("base64url")

const makeToken = (subject: string, claims: object = {}): string => {
  const [key] = keys
  if (key === undefined) return ""
  const exp = Math.floor(nowMillis() / 1000) + 3600
  const input = `${encode({ alg: "ES256", kid: key.kid, typ: "at+jwt" })}.${
    encode({ iss: issuer, aud: audience, sub: subject, client_id: "soak", scope: "mcp:read", exp, ...claims })
  }`
  const signature = sign("sha256", Buffer.from(input), { key: key.privateKey, dsaEncoding: "ieee-p1363" })
  return `${input}.${signature.toString("base64url")}`
}

// Callers that come again and again; their tokens are renewed when the keys are rotated, a few minutes later at the latest.
let callers: ReadonlyArray<string> = []
const renew = () => {
  callers = Array.from({ length: 64 }, (_, index) => makeToken(`caller-${index}`))
}

const rotate = (): void => {
  // The old key stays published, as providers do, until the next rotation.
  keys = [makeKey(), ...keys.slice(0, 1)]
  rotations++
  // A key that was just made is not known yet; who signs with it at once asks for a refetch that is limited by design.
  setTimeout(renew, 1000)
}

const agent = new Agent({ keepAlive: true, maxSockets: 256 })
const counts = new Map<Operation, { good: number; failures: Record<string, number>; excused: number }>()
const times: Array<number> = []
let pending = 0
let outOfOrder = false
let until = 0

interface Exchange {
  readonly token: string | undefined
  readonly body?: string
  readonly path?: string
  readonly method?: string
  readonly headers?: Readonly<Record<string, string>>
  /** Leave after so many milliseconds. */
  readonly leaveAfter?: number
}

interface Seen {
  readonly outcome: string
  readonly text: string
}

const exchange = ({ body, headers, leaveAfter, method = "POST", path = "/mcp", token }: Exchange): Promise<Seen> =>
  new Promise((resolve) => {
    const asking = request(`${options.origin}${path}`, {
      agent: leaveAfter === undefined ? agent : false,
      method,
      headers: {
        accept: "application/json, text/event-stream",
        ...(body === undefined
          ? {}
          : { "content-type": "application/json", "content-length": Buffer.byteLength(body) }),
        ...(token === undefined ? {} : { authorization: `Bearer ${token}` }),
        ...headers
      }
    }, (response) => {
      let text = ""
      response.setEncoding("utf8").on("data", (chunk: string) => text += chunk)
      response.on("end", () => resolve({ outcome: String(response.statusCode), text }))
      response.on("error", (error) => resolve({ outcome: error.message, text }))
      response.on("close", () => resolve({ outcome: "broken off", text }))
    })
    asking.setTimeout(60_000, () => asking.destroy(new Error("no answer within 60 s")))
    asking.on("error", (error) => resolve({ outcome: error.message, text: "" }))
    asking.end(body)
    if (leaveAfter !== undefined) {
      setTimeout(() => {
        asking.destroy()
        resolve({ outcome: "left", text: "" })
      }, leaveAfter)
    }
  })

let turn = 0
const caller = (): string => callers[turn++ % callers.length] ?? ""
const long = toolsListRequest.replace("{}", `{"cursor":"${"A".repeat(256 * 1024)}"}`)

const operations: Readonly<Record<Operation, { readonly weight: number; readonly run: () => Promise<string> }>> = {
  call: {
    weight: 60,
    run: async () => {
      const started = performance.now()
      const { outcome } = await exchange({ token: caller(), body: toolsListRequest })
      if (times.length < 1_000_000) times.push(performance.now() - started)
      return outcome === "200" ? "good" : outcome
    }
  },
  "stateless call": {
    weight: 8,
    run: async () => {
      const headers = { "mcp-protocol-version": "2026-07-28", "mcp-method": "tools/list" }
      const { outcome } = await exchange({ token: caller(), body: toolsListRequest, headers })
      return outcome === "200" ? "good" : outcome
    }
  },
  initialize: {
    weight: 5,
    run: async () => {
      const { outcome, text } = await exchange({ token: caller(), body: initializeRequest })
      return outcome !== "200" ? outcome : text.includes("serverInfo") ? "good" : "another answer"
    }
  },
  "new token": {
    weight: 8,
    run: async () => {
      const { outcome } = await exchange({ token: makeToken(randomUUID()), body: toolsListRequest })
      return outcome === "200" ? "good" : outcome
    }
  },
  "refused token": {
    weight: 4,
    run: async () => {
      const token = makeToken("nobody", { aud: "https://another.example" })
      const { outcome } = await exchange({ token, body: toolsListRequest })
      return outcome === "401" ? "good" : `not refused: ${outcome}`
    }
  },
  "no token": {
    weight: 4,
    run: async () => {
      const { outcome } = await exchange({ token: undefined, body: toolsListRequest })
      return outcome === "401" ? "good" : `not refused: ${outcome}`
    }
  },
  "streamed response": {
    weight: 4,
    run: async () => {
      const { outcome, text } = await exchange({
        token: caller(),
        body: toolsListRequest,
        path: "/mcp/events?count=5&millis=20"
      })
      return outcome !== "200" ? outcome : text.split("data: ").length === 7 ? "good" : "not all events"
    }
  },
  "long message": {
    weight: 3,
    run: async () => {
      const { outcome } = await exchange({ token: caller(), body: long })
      return outcome === "200" ? "good" : outcome
    }
  },
  leave: {
    weight: 3,
    run: async () => {
      await exchange({ token: caller(), body: toolsListRequest, path: "/mcp/slow?millis=1000", leaveAfter: 30 })
      return "good"
    }
  },
  listen: {
    weight: 1,
    run: async () => {
      const listening = { token: caller(), method: "GET", path: "/mcp/events?count=0&millis=500", leaveAfter: 3000 }
      const { outcome } = await exchange(listening)
      return outcome === "left" ? "good" : outcome
    }
  }
}

// Each operation as often as it weighs.
const deck = Object.entries(operations).flatMap(([name, { weight }]) =>
  // The keys of the table above.
  Array.from({ length: weight }, () => name as Operation)
)

/** Failures soon after a disturbance are of the disturbance. */
const grace = 5000
let calmSince = 0

const operate = async (): Promise<void> => {
  const name = deck[Math.floor(Math.random() * deck.length)] ?? "call"
  const disturbed = outOfOrder
  pending++
  const outcome = await operations[name].run()
  pending--
  const count = counts.get(name) ?? { good: 0, failures: {}, excused: 0 }
  counts.set(name, count)
  if (outcome === "good") count.good++
  else if (disturbed || outOfOrder || nowMillis() - calmSince < grace) count.excused++
  else count.failures[outcome] = (count.failures[outcome] ?? 0) + 1
}

createInterface({ input: process.stdin }).on("line", (line) => {
  if (line === "rotate") rotate()
  if (line === "provider down") providerIsDown = true
  if (line === "provider up") providerIsDown = false
  if (line === "disturbed") outOfOrder = true
  if (line === "calm") {
    outOfOrder = false
    calmSince = nowMillis()
  }
  if (line === "start") void begin()
})

const finish = (started: number): void => {
  const sorted = times.toSorted((a, b) => a - b)
  const at = (share: number): number => sorted[Math.min(Math.floor(sorted.length * share), sorted.length - 1)] ?? NaN
  let total = 0
  let failed = 0
  for (const { excused, failures, good } of counts.values()) {
    const bad = Object.values(failures).reduce((sum, count) => sum + count, 0)
    total += good + bad + excused
    failed += bad
  }
  const result: MixedResult = {
    operations: Object.fromEntries(counts),
    total,
    failed,
    seconds: (nowMillis() - started) / 1000,
    p50: at(0.5),
    p99: at(0.99),
    rotations
  }
  process.stdout.write(`${JSON.stringify(result)}\n`, () => process.exit(0))
}

const begin = async (): Promise<void> => {
  const started = nowMillis()
  until = started + options.seconds * 1000
  if (options.rate === 0) {
    // As many as possible, 64 at a time.
    await Promise.all(Array.from({ length: 64 }, async () => {
      while (nowMillis() < until) await operate()
    }))
    return finish(started)
  }
  let issued = 0
  const timer = setInterval(() => {
    const due = Math.floor((nowMillis() - started) * options.rate / 1000)
    // After a pause of this machine it does not catch up all at once.
    if (due - issued > options.rate) issued = due - Math.floor(options.rate)
    for (; issued < due; issued++) void operate()
    if (nowMillis() < until) return
    clearInterval(timer)
    const waiting = setInterval(() => {
      if (pending > 0) return
      clearInterval(waiting)
      finish(started)
    }, 50)
  }, 5)
}

renew()
provider.listen(options.providerPort, "127.0.0.1", () => process.stdout.write("ready\n"))
