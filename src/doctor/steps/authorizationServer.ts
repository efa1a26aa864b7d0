/** Step 4: the metadata of each authorization server, at each place where clients look for them (RFC 8414). */
import * as Effect from "effect/Effect"
import { isLoopbackHost } from "../../config/kinds/loopback.ts"
import { withoutSlash } from "../../config/kinds/resourceUrl.ts"
import { show, showAll } from "../../errors/show.ts"
import { clockDifference } from "../../remote/httpDate.ts"
import { type JsonObject, own } from "../../remote/JsonObject.ts"
import { type Finding, makeFinding } from "../Finding.ts"
import { isPrivateHost } from "../hosts.ts"
import { quirksOf } from "../quirks.ts"
import { type Place, readPlace } from "../readPlace.ts"
import { rules } from "../rules/authorizationServer.ts"
import { type Known, type KnownServer, type Outcome, skipped, type Step } from "../Step.ts"
import { Exchanges } from "../wire/Exchanges.ts"
import { inShort, isHtml, requestLine, type Responded, shownUrl } from "../wire/Reply.ts"

const finding = makeFinding(rules)

/** The maximum number of authorization servers to examine. SDKs use only the first. */
const maxServers = 3

/** The URLs where clients look, in their order. */
const metadataPlaces = (issuer: string): ReadonlyArray<string> => {
  const { origin, pathname } = new URL(issuer)
  const path = withoutSlash(pathname)
  return path === ""
    ? [`${origin}/.well-known/oauth-authorization-server`, `${origin}/.well-known/openid-configuration`]
    : [
      `${origin}/.well-known/oauth-authorization-server${path}`,
      `${origin}/.well-known/openid-configuration${path}`,
      `${origin}${path}/.well-known/openid-configuration`
    ]
}

/** Responses that make an SDK stop before it reaches the document. */
const checkEarlier = ({ followed: { last } }: Place): ReadonlyArray<Finding> => {
  const at = requestLine(last)
  const found = inShort(last)
  if (last._tag === "NoReply" || last.status >= 500 || last.status === 429) {
    return [finding("server-early-error", { at, found })]
  }
  return last.status === 200 && isHtml(last) ? [finding("server-early-html", { at, found })] : []
}

const endpoints = ["authorization_endpoint", "token_endpoint", "registration_endpoint"] as const

const checkIssuer = (document: JsonObject, issuer: string, at: string): ReadonlyArray<Finding> => {
  const named = own(document, "issuer")
  if (typeof named !== "string") return [finding("server-no-issuer", { at, found: `issuer: ${show(named)}` })]
  if (named === issuer) return []
  const found = `issuer is ${show(named)}, authorization_servers has ${show(issuer)}`
  return [
    finding(withoutSlash(named) === withoutSlash(issuer) ? "server-issuer-slash" : "server-other-issuer", { at, found })
  ]
}

const checkEndpoints = (document: JsonObject, issuer: string, at: string): ReadonlyArray<Finding> => {
  const isInternal = isPrivateHost(new URL(issuer).hostname)
  return endpoints.flatMap((name) => {
    const value = own(document, name)
    if (value === undefined && name === "registration_endpoint") return []
    const found = `${name}: ${show(value)}`
    if (typeof value !== "string" || !URL.canParse(value)) return [finding("server-endpoint-missing", { at, found })]
    const { hostname, protocol } = new URL(value)
    if (!isInternal && isPrivateHost(hostname)) return [finding("server-endpoint-private", { at, found })]
    return protocol === "https:" || (protocol === "http:" && isLoopbackHost(hostname))
      ? []
      : [finding("server-endpoint-http", { at, found })]
  })
}

const lacks = (value: unknown, wanted: string): boolean => Array.isArray(value) && !value.includes(wanted)

const shown = (value: unknown): string => Array.isArray(value) ? showAll(value) : show(value)

const checkOffer = (document: JsonObject, wanted: ReadonlyArray<string>, at: string): ReadonlyArray<Finding> => {
  const grants = own(document, "grant_types_supported")
  const responses = own(document, "response_types_supported")
  const scopes = own(document, "scopes_supported")
  const unknown = wanted.filter((scope) => lacks(scopes, scope))
  return [
    ...(lacks(responses, "code")
      ? [finding("server-no-code", { at, found: `response_types_supported: ${shown(responses)}` })]
      : []),
    ...(lacks(grants, "authorization_code")
      ? [finding("server-no-code", { at, found: `grant_types_supported: ${shown(grants)}` })]
      : []),
    ...(lacks(grants, "refresh_token")
      ? [finding("server-no-refresh", { at, found: `grant_types_supported: ${shown(grants)}` })]
      : []),
    ...(unknown.length > 0
      ? [finding("server-scopes", { at, found: `${showAll(unknown)}, and the provider has ${shown(scopes)}` })]
      : []),
    ...(own(document, "authorization_response_iss_parameter_supported") === true
      ? []
      : [finding("server-no-iss", { at, found: "authorization_response_iss_parameter_supported is not true" })])
  ]
}

/** Requests the authorization endpoint without parameters: it responds with an error page, and changes nothing. */
const checkAuthorizationEndpoint = Effect.fnUntraced(function*(document: JsonObject) {
  const { send } = yield* Exchanges
  const url = own(document, "authorization_endpoint")
  if (typeof url !== "string" || !URL.canParse(url)) return []
  const reply = yield* send({ method: "GET", url, headers: { accept: "text/html" }, enough: () => true })
  const isDead = reply._tag === "NoReply" || reply.status === 404 || reply.status === 405 || reply.status === 502 ||
    reply.status === 503
  return isDead && !(reply._tag === "NoReply" && (reply.kind === "InvalidUrl" || reply.kind === "Spent"))
    ? [finding("server-endpoint-dead", { at: requestLine(reply), found: inShort(reply) })]
    : []
})

/** The scopes that clients will request. */
const wantedScopes = ({ challenge, resource }: Known): ReadonlyArray<string> => {
  const scope = challenge?.parameters.get("scope")?.split(" ").filter((one) => one !== "")
  return (scope ?? resource?.scopes ?? []).slice(0, 64)
}

/** `Date` has whole seconds, and verifiers usually permit a difference of a minute. */
const clockSeconds = 60

const ahead = ({ headers, receivedAt }: Responded): number | undefined =>
  clockDifference(headers["date"], headers["age"], receivedAt)

/** Compares the clocks of both servers by the field `Date` of their responses, both against this machine's. */
const checkClock = (place: Place, arrival: Responded | undefined): ReadonlyArray<Finding> => {
  const { last } = place.followed
  if (last._tag === "NoReply" || arrival === undefined) return []
  const [provider, server] = [ahead(last), ahead(arrival)]
  if (provider === undefined || server === undefined) return []
  const difference = provider - server
  return Math.abs(difference) <= clockSeconds
    ? []
    : [finding("server-clock", {
      at: requestLine(last),
      found: `the provider is ${Math.abs(difference)} seconds ${difference > 0 ? "ahead of" : "behind"} the MCP server`
    })]
}

const checkServer = Effect.fnUntraced(function*(issuer: string, known: Known) {
  const tried = yield* Effect.forEach(metadataPlaces(issuer), readPlace, { concurrency: "unbounded" })
  const position = tried.findIndex(({ document }) => document !== undefined)
  const used = tried[position]
  const quirks = quirksOf(issuer)
  const special = quirks === undefined
    ? []
    : [finding("server-quirk", { found: `${quirks.name}: ${quirks.summary}`, fix: quirks.advice })]
  if (used?.document === undefined) {
    const found = tried.map(({ followed: { last }, url }) => `${shownUrl(url)}: ${inShort(last)}`).join("; ")
    return { server: undefined, findings: [finding("server-missing", { found }), ...special] }
  }
  const { document, followed: { hops } } = used
  const at = `GET ${shownUrl(used.url)}`
  const first = hops[0]
  const server: KnownServer = { issuer, url: used.url, document }
  const findings: ReadonlyArray<Finding> = [
    ...tried.slice(0, position).flatMap(checkEarlier),
    ...(first === undefined ? [] : [finding("server-redirects", { at, found: inShort(first) })]),
    ...checkIssuer(document, issuer, at),
    ...checkEndpoints(document, issuer, at),
    ...(yield* checkAuthorizationEndpoint(document)),
    ...checkOffer(document, wantedScopes(known), at),
    ...checkClock(used, known.arrival),
    ...special
  ]
  return { server, findings }
})

const check = Effect.fnUntraced(function*(known: Known): Effect.fn.Return<Outcome, never, Exchanges> {
  if (known.isOpen) return skipped("no authorization required")
  const issuers = (known.resource?.servers ?? []).slice(0, maxServers)
  if (issuers.length === 0) return skipped("the resource metadata name no usable authorization server")
  const checked = yield* Effect.forEach(issuers, (issuer) => checkServer(issuer, known))
  const servers = checked.flatMap(({ server }) => server === undefined ? [] : [server])
  return {
    seen: servers.length === 0 ? "not found" : servers.map(({ url }) => shownUrl(url)).join(", "),
    findings: checked.flatMap(({ findings }) => findings),
    learned: { servers }
  }
})

export const authorizationServer: Step = {
  id: "authorization-server",
  title: "Authorization server metadata",
  rules,
  check
}
