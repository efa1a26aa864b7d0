/** Step 10: other URLs that clients request at the host of the MCP server. Their responses must not mislead clients. */
import * as Effect from "effect/Effect"
import { show } from "../../errors/show.ts"
import { own } from "../../remote/JsonObject.ts"
import { type Finding, makeFinding } from "../Finding.ts"
import { sessionRevision } from "../messages.ts"
import { rules } from "../rules/probes.ts"
import type { Known, Outcome, Step } from "../Step.ts"
import { Exchanges } from "../wire/Exchanges.ts"
import { inShort, isHtml, isRedirect, jsonOf, type Reply, requestLine } from "../wire/Reply.ts"

const finding = makeFinding(rules)

/** What clients request at the host of the MCP server besides the resource metadata. */
const urlsOf = ({ resource, url }: Known): ReadonlyArray<string> => {
  const path = url.pathname === "/" ? "" : url.pathname.replace(/\/$/, "")
  const own = resource?.servers.some((server) => URL.canParse(server) && new URL(server).origin === url.origin) === true
  // Left out if the authorization server has the same origin, because an earlier step has checked its URLs.
  if (own) return [`${url.origin}${path}/.well-known/oauth-protected-resource`]
  return [
    `${url.origin}/.well-known/oauth-authorization-server`,
    `${url.origin}/.well-known/oauth-authorization-server${path}`,
    `${url.origin}/.well-known/openid-configuration`,
    `${url.origin}/.well-known/openid-configuration${path}`,
    `${url.origin}${path}/.well-known/openid-configuration`,
    `${url.origin}${path}/.well-known/oauth-protected-resource`
  ]
}

const checkReply = (reply: Reply, { origin, pathname }: URL): ReadonlyArray<Finding> => {
  const at = requestLine(reply)
  const found = inShort(reply)
  if (reply._tag === "NoReply") return reply.kind === "Spent" ? [] : [finding("probe-error", { at, found })]
  if (isRedirect(reply)) return [finding("probe-redirects", { at, found })]
  if (reply.status === 401 || reply.status === 403) {
    // Only few clients look below the endpoint itself, and they continue after 401.
    const isBelow = pathname !== "/" &&
      new URL(reply.request.url).pathname.startsWith(`${pathname.replace(/\/$/, "")}/`)
    return [finding("probe-protected", { at, found, ...(isBelow ? { level: "note", clients: [] } : {}) })]
  }
  if (reply.status >= 500) return [finding("probe-error", { at, found })]
  if (reply.status !== 200) return []
  if (isHtml(reply)) return [finding("probe-html", { at, found })]
  const document = jsonOf(reply)
  const issuer = document && own(document, "issuer")
  return typeof issuer === "string" && !(URL.canParse(issuer) && new URL(issuer).origin === origin)
    ? [finding("probe-other-issuer", { at, found: `issuer ${show(issuer)}` })]
    : []
}

const check = Effect.fnUntraced(function*(known: Known): Effect.fn.Return<Outcome, never, Exchanges> {
  const { send } = yield* Exchanges
  const urls = [...new Set(urlsOf(known))]
  const replies = yield* Effect.forEach(
    urls,
    (url) => send({ method: "GET", url, headers: { "mcp-protocol-version": sessionRevision } }),
    { concurrency: "unbounded" }
  )
  const findings = replies.flatMap((reply) => checkReply(reply, known.url))
  const documents = replies.filter((reply) => reply._tag === "Responded" && reply.status === 200).length
  return { seen: `${urls.length} URLs, ${documents === 0 ? "no" : documents} documents`, findings }
})

export const probes: Step = { id: "probes", title: "Discovery probes", rules, check }
