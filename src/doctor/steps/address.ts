/** Step 1: the URL itself, and whether the server behind it responds to the first request of a client. */
import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import { isLoopbackHost } from "../../config/kinds/loopback.ts"
import { show } from "../../errors/show.ts"
import { type Finding, makeFinding } from "../Finding.ts"
import { isPrivateHost } from "../hosts.ts"
import { isLogin } from "../login.ts"
import { initialize } from "../messages.ts"
import { hasResponse } from "../readMessage.ts"
import { rules } from "../rules/address.ts"
import type { Known, Outcome, Step } from "../Step.ts"
import { Exchanges } from "../wire/Exchanges.ts"
import {
  inShort,
  isEventStream,
  isHtml,
  isRedirect,
  type NoReply,
  type Reply,
  requestLine,
  type Responded,
  shownUrl,
  targetOf
} from "../wire/Reply.ts"
import { TlsInspector } from "../wire/TlsInspector.ts"

const finding = makeFinding(rules)

const secretParameter = /^(?:access_?token|token|api_?key|key|auth|authorization|secret)$/i

const checkUrl = (url: URL): ReadonlyArray<Finding> => {
  const found: Array<Finding> = []
  const shown = shownUrl(url.href)
  if (url.username !== "" || url.password !== "") found.push(finding("url-credentials", { found: shown }))
  const secret = [...url.searchParams.keys()].find((name) => secretParameter.test(name))
  if (secret !== undefined) found.push(finding("url-secret", { found: `the parameter ${show(secret)}` }))
  if (url.protocol === "http:" && !isLoopbackHost(url.hostname)) found.push(finding("url-http", { found: shown }))
  if (url.hash !== "") found.push(finding("url-fragment", { found: show(url.hash) }))
  if (isPrivateHost(url.hostname)) found.push(finding("address-private", { found: show(url.hostname) }))
  return found
}

const certificate = /^(?:CERT_|ERR_TLS_CERT|DEPTH_ZERO|SELF_SIGNED|UNABLE_TO_(?:VERIFY|GET))/

const certificateFixes: Readonly<Record<string, string>> = {
  UNABLE_TO_VERIFY_LEAF_SIGNATURE:
    "Install the full chain: the certificate followed by its intermediate certificates (fullchain.pem). Browsers fetch missing ones, " +
    "MCP clients do not.",
  ERR_TLS_CERT_ALTNAME_INVALID: "Get a certificate that contains this host name, or use a host name that it contains.",
  CERT_HAS_EXPIRED: "Renew the certificate, and check why it was not renewed automatically."
}

const privateAuthority =
  "Use a certificate of a public authority. For a private one, each client needs it: NODE_EXTRA_CA_CERTS for " +
  "clients on Node. Hosted clients do not accept it at all."

const unreachable = (reply: NoReply): Finding => {
  const { code } = reply
  const at = requestLine(reply)
  if (reply.kind === "Timeout") return finding("no-response", { at, found: inShort(reply) })
  if (code !== undefined && certificate.test(code)) {
    return finding("tls-certificate", { at, found: code, fix: certificateFixes[code] ?? privateAuthority })
  }
  return finding("unreachable", { at, found: inShort(reply) })
}

const redirected = (reply: Responded, url: URL): Finding => {
  const at = requestLine(reply)
  const target = targetOf(reply)
  const found = inShort(reply)
  if (target === undefined) return finding("server-error", { at, found })
  const to = new URL(target)
  const fix = `Give clients ${shownUrl(target)}, or let the server accept the URL as it is.`
  if (to.origin !== url.origin) return finding("redirect-origin", { at, found, fix })
  return reply.status === 307 || reply.status === 308
    ? finding("redirect-slash", { at, found, fix })
    : finding("redirect-method", { at, found, fix })
}

const slowMillis = 5_000

/** Checks what the first response shows, apart from authorization. */
const checkArrival = (reply: Responded, url: URL): ReadonlyArray<Finding> => {
  const at = requestLine(reply)
  const found = inShort(reply)
  if (isLogin(reply)) return [finding("redirect-login", { at, found })]
  if (isRedirect(reply)) return [redirected(reply, url)]
  if (reply.status === 421 || /invalid host|host.*(?:not allowed|is not in)/i.test(reply.text.slice(0, 2_000))) {
    if (reply.status >= 400 && reply.status !== 401) return [finding("host-rejected", { at, found })]
  }
  if (reply.status === 404 || reply.status === 405 || reply.status === 410) {
    return [finding("not-found", { at, found })]
  }
  if (reply.status >= 500) return [finding("server-error", { at, found })]
  if (isHtml(reply) && reply.status !== 401 && reply.status !== 403) return [finding("html", { at, found })]
  return reply.headMillis > slowMillis
    ? [finding("slow", { at, found: `${Math.round(reply.headMillis / 100) / 10} seconds` })]
    : []
}

const hasEndpointEvent = (text: string): boolean => /^event:[ ]?endpoint\s*$/m.test(text)

/** Returns whether GET opens a stream of the old transport, whose first event names the URL for messages. */
const isOldTransport = Effect.fnUntraced(function*(url: URL) {
  const { send } = yield* Exchanges
  const reply = yield* send({
    method: "GET",
    url: url.href,
    headers: { accept: "text/event-stream" },
    withToken: true,
    enough: hasEndpointEvent,
    headMillis: 3_000,
    bodyMillis: 2_000
  })
  return reply._tag === "Responded" && isEventStream(reply) && hasEndpointEvent(reply.text)
})

/** Sends the first message, and follows one redirect like SDK clients. */
const arrive = Effect.fnUntraced(function*(url: URL) {
  const { send } = yield* Exchanges
  const first: Reply = yield* send({ ...initialize(url), enough: hasResponse })
  if (first._tag === "NoReply" || !isRedirect(first)) return { first, last: first, at: url }
  const target = targetOf(first)
  const mayFollow = target !== undefined && new URL(target).origin === url.origin &&
    (first.status === 307 || first.status === 308)
  if (!mayFollow) return { first, last: first, at: url }
  const at = new URL(target)
  return { first, last: yield* send({ ...initialize(at), enough: hasResponse }), at }
})

/** Certificates that are valid for 90 days are usually renewed 30 days before their end. */
const soonDays = 14

const dayMillis = 86_400_000

const checkCertificate = Effect.fnUntraced(function*(url: URL) {
  const inspect = yield* TlsInspector
  const state = yield* inspect(url)
  if (state === undefined) return []
  const days = (state.expires - (yield* Clock.currentTimeMillis)) / dayMillis
  return days > soonDays || days < 0
    ? []
    : [finding("tls-expires", { found: `in ${Math.floor(days)} days, issued by ${show(state.issuer)}` })]
})

const check = Effect.fnUntraced(function*({ url }: Known): Effect.fn.Return<Outcome, never, Exchanges> {
  const own = [...checkUrl(url), ...(yield* checkCertificate(url))]
  if (url.username !== "" || url.password !== "") return { seen: "not requested", findings: own, isEnd: true }
  const { at, first, last } = yield* arrive(url)
  if (first._tag === "NoReply") return { seen: inShort(first), findings: [...own, unreachable(first)], isEnd: true }
  const ofFirst = checkArrival(first, url)
  if (last._tag === "NoReply") {
    return { seen: inShort(last), findings: [...own, ...ofFirst, unreachable(last)], isEnd: true }
  }
  const arrival = last === first ? ofFirst : [...ofFirst, ...checkArrival(last, at)]
  const missing = arrival.some(({ code }) => code === "not-found")
  const old = missing && (yield* isOldTransport(at))
  const findings = old
    ? [
      ...own,
      ...arrival.filter(({ code }) => code !== "not-found"),
      finding("old-transport", { found: "GET opens a stream with an endpoint event", at: `GET ${shownUrl(at.href)}` })
    ]
    : [...own, ...arrival]
  const isEnd = arrival.some(({ level }) => level === "error")
  const seen = `${inShort(last)}, after ${Math.round(last.headMillis)} ms`
  return isEnd ? { seen, findings, isEnd } : { seen, findings, learned: { url: at, arrival: last } }
})

export const address: Step = { id: "address", title: "Address and connection", rules, check }
