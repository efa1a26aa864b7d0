/** Step 2: the response to a client without a token, or with a wrong one. */
import * as Effect from "effect/Effect"
import { isLoopbackHost } from "../../config/kinds/loopback.ts"
import { show } from "../../errors/show.ts"
import { parseChallenges, type ReceivedChallenge } from "../../forward/parseChallenges.ts"
import { orDiscover } from "../begin.ts"
import { type Finding, makeFinding } from "../Finding.ts"
import { isLogin } from "../login.ts"
import { end, initialize, inSession, modern } from "../messages.ts"
import { hasResponse, resultOf } from "../readMessage.ts"
import { rules } from "../rules/challenge.ts"
import { readSession } from "../session.ts"
import { type Known, type Outcome, skipped, type Step } from "../Step.ts"
import { Exchanges } from "../wire/Exchanges.ts"
import { inShort, isHtml, type Reply, requestLine, type Responded, shownUrl } from "../wire/Reply.ts"

const finding = makeFinding(rules)

const embedded = /(?:scope|error|resource_metadata)=|["\\]/i

const checkMetadataUrl = (value: string, url: URL, at: string): ReadonlyArray<Finding> => {
  if (!URL.canParse(value) || !/^https?:$/.test(new URL(value).protocol)) {
    return [finding("challenge-metadata-url", { at, found: show(value) })]
  }
  const metadata = new URL(value)
  const isPlain = metadata.protocol === "http:" && !isLoopbackHost(metadata.hostname)
  return [
    ...(isPlain ? [finding("challenge-metadata-http", { at, found: shownUrl(value) })] : []),
    ...(metadata.host === url.host || (isPlain && metadata.hostname === url.hostname)
      ? []
      : [finding("challenge-metadata-host", { at, found: shownUrl(value) })])
  ]
}

const checkBearer = (challenge: ReceivedChallenge, url: URL, at: string): ReadonlyArray<Finding> => {
  const { parameters } = challenge
  const metadata = parameters.get("resource_metadata")
  const trap = [...parameters].find(([name, value]) => name !== "resource_metadata" && embedded.test(value))
  return [
    ...(metadata === undefined
      ? [
        finding("challenge-no-metadata", {
          at,
          found: `parameters: ${[...parameters.keys()].slice(0, 8).map(show).join(", ") || "none"}`
        })
      ]
      : checkMetadataUrl(metadata, url, at)),
    ...(trap === undefined ? [] : [finding("challenge-description", { at, found: `${trap[0]}=${show(trap[1])}` })]),
    ...(parameters.has("error")
      ? [finding("challenge-error", { at, found: `error=${show(parameters.get("error"))}` })]
      : [])
  ]
}

const isBearer = ({ scheme }: ReceivedChallenge): boolean => scheme === "bearer"

/** AWS gateways rename this field of the server behind them. */
const renamed = "x-amzn-remapped-www-authenticate"

const missing = (reply: Responded): Finding => {
  const at = requestLine(reply)
  return reply.headers[renamed] === undefined
    ? finding("challenge-missing", { at, found: inShort(reply) })
    : finding("challenge-missing", {
      at,
      found: `the field ${renamed} in its place`,
      fix:
        "Amazon API Gateway renames the field. Map it back with a response parameter mapping, or use a load balancer or CloudFront."
    })
}

const checkChallenge = (reply: Responded, url: URL): {
  readonly challenge: ReceivedChallenge | undefined
  readonly findings: ReadonlyArray<Finding>
} => {
  const at = requestLine(reply)
  const field = reply.headers["www-authenticate"]
  const html = isHtml(reply) ? [finding("challenge-html", { at, found: inShort(reply) })] : []
  if (field === undefined || field.trim() === "") {
    return { challenge: undefined, findings: [missing(reply), ...html] }
  }
  const challenges = parseChallenges(field)
  if (challenges === undefined) {
    return { challenge: undefined, findings: [finding("challenge-malformed", { at, found: show(field) }), ...html] }
  }
  const challenge = challenges.find(isBearer)
  if (challenge === undefined) {
    const schemes = challenges.map(({ scheme }) => show(scheme)).join(", ")
    return { challenge, findings: [finding("challenge-not-bearer", { at, found: `schemes: ${schemes}` }), ...html] }
  }
  const first = challenges[0]
  const order = first === undefined || isBearer(first)
    ? []
    : [finding("challenge-not-first", { at, found: `${show(first.scheme)} comes first` })]
  return { challenge, findings: [...checkBearer(challenge, url, at), ...order, ...html] }
}

/** A text in the form of a token that no one can have issued. */
const madeUp = "Bearer mcp-authorizer-doctor.made-up-token.000000"

const checkMadeUp = (reply: Reply): ReadonlyArray<Finding> => {
  if (reply._tag === "NoReply") return []
  const at = `${requestLine(reply)} with a made-up token`
  const found = inShort(reply)
  if (reply.status === 401) {
    const isChallenged = parseChallenges(reply.headers["www-authenticate"] ?? "")?.some(isBearer) === true
    return isChallenged ? [] : [finding("bad-token-challenge", { at, found })]
  }
  return reply.status < 300 && resultOf(reply) !== undefined
    ? [finding("bad-token-accepted", { at, found })]
    : [finding("bad-token-status", { at, found })]
}

/** Checks that every method and revision gets the same 401. */
const other = (reply: Reply, code: "get-not-challenged" | "modern-not-challenged"): ReadonlyArray<Finding> =>
  reply._tag === "NoReply" || reply.status === 401
    ? []
    : [finding(code, { at: requestLine(reply), found: inShort(reply) })]

/** Checks the responses to first requests other than `initialize`. */
const checkOthers = Effect.fnUntraced(function*(url: URL) {
  const { send } = yield* Exchanges
  const [get, discover, wrong] = yield* Effect.all([
    send({ method: "GET", url: url.href, headers: { accept: "text/event-stream" }, bodyMillis: 500 }),
    send({ ...modern(url, "server/discover"), enough: hasResponse }),
    send({ ...initialize(url), authorization: madeUp, enough: hasResponse })
  ], { concurrency: "unbounded" })
  return [...other(get, "get-not-challenged"), ...other(discover, "modern-not-challenged"), ...checkMadeUp(wrong)]
})

const rejection = (reply: Responded): Finding => {
  const at = requestLine(reply)
  const found = inShort(reply)
  if (reply.status === 403) {
    const isCloudflare = reply.headers["cf-mitigated"] !== undefined
    return finding("forbidden", {
      at,
      found: isCloudflare ? `${found}, by a challenge of Cloudflare` : found,
      ...(isCloudflare
        ? {
          fix:
            "Skip bot fight mode and managed challenges for the MCP path and /.well-known/ (Cloudflare, Security, WAF rules)."
        }
        : {})
    })
  }
  if (reply.status === 429) return finding("rate-limited", { at, found })
  return /unauthori[sz]ed|authenticat|token|credential/i.test(reply.text.slice(0, 2_000)) && reply.status === 200
    ? finding("tool-error", { at, found: show(reply.text.slice(0, 160)) })
    : finding("not-challenged", { at, found })
}

/**
 * A server may accept `initialize` without a token, and require one later. Returns the response that requires it, and
 * ends the session.
 */
const asksLater = Effect.fnUntraced(function*(url: URL, arrival: Responded) {
  const { send } = yield* Exchanges
  const session = readSession(arrival)
  if (session === undefined) return undefined
  const list = yield* send({ ...inSession(url, session, "tools/list"), enough: hasResponse })
  if (session.id !== undefined) yield* send(end(url, session))
  return list._tag === "Responded" && list.status === 401 ? list : undefined
})

/** Checks what a browser gets if the 401 has no usable challenge: often the page of a login proxy. */
const checkLogin = Effect.fnUntraced(function*(url: URL) {
  const { send } = yield* Exchanges
  const reply = yield* send({ method: "GET", url: url.href, headers: { accept: "text/html" } })
  return reply._tag === "Responded" && isLogin(reply)
    ? [finding("challenge-login", { at: `${requestLine(reply)} as a browser`, found: inShort(reply) })]
    : []
})

const shownChallenge = (challenge: ReceivedChallenge | undefined): string => {
  if (challenge === undefined) return "401 without a usable challenge"
  const metadata = challenge.parameters.get("resource_metadata")
  const scope = challenge.parameters.get("scope")
  return `401 Bearer${metadata === undefined ? "" : `, resource_metadata ${shownUrl(metadata)}`}${
    scope === undefined ? "" : `, scope ${show(scope)}`
  }`
}

const check = Effect.fnUntraced(function*(known: Known): Effect.fn.Return<Outcome, never, Exchanges> {
  const { arrival, url } = known
  if (arrival === undefined) return skipped("there was no response")
  const { reply: first } = yield* orDiscover(url, arrival, false)
  const isAccepted = first.status === 200 && resultOf(first) !== undefined
  const asking = isAccepted ? yield* asksLater(url, first) : first
  if (asking === undefined) {
    return {
      seen: "no authorization required",
      findings: [finding("open", { at: requestLine(arrival), found: inShort(arrival) })],
      learned: { isOpen: true }
    }
  }
  if (asking.status !== 401) return { seen: inShort(asking), findings: [rejection(asking)] }
  const { challenge, findings } = checkChallenge(asking, url)
  const login = challenge === undefined ? yield* checkLogin(url) : []
  const others = isAccepted ? [] : yield* checkOthers(url)
  return {
    seen: `${isAccepted ? "initialize is open, later " : ""}${shownChallenge(challenge)}`,
    findings: [...login, ...findings, ...others],
    learned: { challenge, arrival: asking }
  }
})

export const challenge: Step = { id: "challenge", title: "Challenge", rules, check }
