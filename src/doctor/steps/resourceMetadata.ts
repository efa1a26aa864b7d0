/** Step 3: the protected resource metadata at each place where clients look for them (RFC 9728). */
import * as Effect from "effect/Effect"
import { isLoopbackHost } from "../../config/kinds/loopback.ts"
import { withoutSlash } from "../../config/kinds/resourceUrl.ts"
import { show, showAll } from "../../errors/show.ts"
import { type JsonObject, own } from "../../remote/JsonObject.ts"
import { type Finding, makeFinding } from "../Finding.ts"
import { isPrivateHost } from "../hosts.ts"
import { type Place, readPlace } from "../readPlace.ts"
import { rules } from "../rules/resourceMetadata.ts"
import { type Known, type KnownResource, type Outcome, skipped, type Step } from "../Step.ts"
import type { Exchanges } from "../wire/Exchanges.ts"
import { inShort, isHtml, mediaTypeOf, requestLine, shownUrl } from "../wire/Reply.ts"

const finding = makeFinding(rules)

const wellKnown = "/.well-known/oauth-protected-resource"

/** The URLs where clients look, in their order, each once. */
const placesOf = ({ challenge, url }: Known) => {
  const named = challenge?.parameters.get("resource_metadata")
  const path = url.pathname === "/" ? "" : url.pathname
  const inserted = `${url.origin}${wellKnown}${path}${url.search}`
  const root = `${url.origin}${wellKnown}`
  return { named: named !== undefined && URL.canParse(named) ? named : undefined, inserted, root }
}

/** The problem of the response at one URL, apart from the contents of the document. */
const checkPlace = ({ document, followed }: Place): ReadonlyArray<Finding> => {
  const { hops, last } = followed
  const first = hops[0]
  const at = requestLine(first ?? last)
  const redirects = first === undefined ? [] : [finding("resource-redirects", { at, found: inShort(first) })]
  if (last._tag === "NoReply") return [...redirects, finding("resource-error", { at, found: inShort(last) })]
  const found = inShort(last)
  if (document !== undefined) {
    return mediaTypeOf(last) === "application/json"
      ? redirects
      : [...redirects, finding("resource-media-type", { at, found })]
  }
  if (last.status === 401 || last.status === 403) return [...redirects, finding("resource-protected", { at, found })]
  if (last.status >= 500 || last.status === 429) return [...redirects, finding("resource-error", { at, found })]
  if (last.status !== 200) return redirects
  return [
    ...redirects,
    isHtml(last)
      ? finding("resource-html", { at, found })
      : finding("resource-error", { at, found: `${found}, not a JSON object` })
  ]
}

const strings = (value: unknown): ReadonlyArray<string> =>
  Array.isArray(value) ? value.filter((one): one is string => typeof one === "string") : []

const checkIdentifier = (document: JsonObject, url: URL, at: string): ReadonlyArray<Finding> => {
  const resource = own(document, "resource")
  if (typeof resource !== "string") {
    return [finding("resource-no-identifier", { at, found: `resource: ${show(resource)}` })]
  }
  const typed = `${url.origin}${url.pathname === "/" ? "" : url.pathname}${url.search}`
  if (resource === typed || resource === url.href) return []
  const found = `resource is ${show(resource)}, the URL is ${show(typed)}`
  if (withoutSlash(resource) === withoutSlash(typed)) return [finding("resource-slash", { at, found })]
  if (!URL.canParse(resource)) return [finding("resource-other", { at, found })]
  const { origin, pathname } = new URL(resource)
  const parent = pathname.endsWith("/") ? pathname : `${pathname}/`
  return origin === url.origin && `${url.pathname}/`.startsWith(parent)
    ? [finding("resource-prefix", { at, found })]
    : [finding("resource-other", { at, found })]
}

const isServerUrl = (value: string): boolean => {
  if (!URL.canParse(value)) return false
  const { hash, hostname, password, protocol, search, username } = new URL(value)
  return [hash, search, username, password].every((part) => part === "") &&
    (protocol === "https:" || (protocol === "http:" && isLoopbackHost(hostname)))
}

const checkServers = (document: JsonObject, url: URL, at: string): ReadonlyArray<Finding> => {
  const servers = strings(own(document, "authorization_servers"))
  if (servers.length === 0) {
    return [
      finding("resource-no-servers", {
        at,
        found: `authorization_servers: ${show(own(document, "authorization_servers"))}`
      })
    ]
  }
  const wrong = servers.filter((server) => !isServerUrl(server))
  const internal = isPrivateHost(url.hostname)
    ? []
    : servers.filter((server) => isServerUrl(server) && isPrivateHost(new URL(server).hostname))
  return [
    ...(wrong.length === 0 ? [] : [finding("resource-server-url", { at, found: showAll(wrong) })]),
    ...(internal.length === 0 ? [] : [finding("resource-server-private", { at, found: showAll(internal) })]),
    ...(servers.length === 1 ? [] : [finding("resource-several-servers", { at, found: showAll(servers) })])
  ]
}

const lists = ["authorization_servers", "scopes_supported", "bearer_methods_supported"]

const isStrings = (value: unknown): boolean =>
  value === undefined || (Array.isArray(value) && value.every((one) => typeof one === "string"))

const checkMembers = (document: JsonObject, at: string): ReadonlyArray<Finding> => {
  const nulls = Object.keys(document).filter((name) => document[name] === null)
  const wrong = lists.filter((name) => !isStrings(own(document, name)))
  const methods = own(document, "bearer_methods_supported")
  return [
    ...(nulls.length === 0 ? [] : [finding("resource-null", { at, found: showAll(nulls) })]),
    ...(wrong.length === 0 ? [] : [finding("resource-types", { at, found: showAll(wrong) })]),
    ...(strings(own(document, "scopes_supported")).includes("offline_access")
      ? [finding("resource-offline-access", { at, found: showAll(strings(own(document, "scopes_supported"))) })]
      : []),
    ...(Array.isArray(methods) && !methods.includes("header")
      ? [finding("resource-bearer-methods", { at, found: showAll(methods) })]
      : [])
  ]
}

const knownResource = (url: string, document: JsonObject): KnownResource => ({
  url,
  document,
  servers: strings(own(document, "authorization_servers")).filter(isServerUrl),
  scopes: strings(own(document, "scopes_supported"))
})

/** Reports documents that differ in members that clients use. */
const disagreement = (places: ReadonlyArray<Place>): string | undefined => {
  const used = places.flatMap(({ document, url }) =>
    document === undefined
      ? []
      : [{ url, text: JSON.stringify([own(document, "resource"), own(document, "authorization_servers")]) }]
  )
  const other = used.find(({ text }) => text !== used[0]?.text)
  return other === undefined ? undefined : `${shownUrl(used[0]?.url ?? "")} and ${shownUrl(other.url)}`
}

const check = Effect.fnUntraced(function*(known: Known): Effect.fn.Return<Outcome, never, Exchanges> {
  if (known.isOpen) return skipped("no authorization required")
  const { url } = known
  const { inserted, named, root } = placesOf(known)
  const urls = [...new Set([...(named === undefined ? [] : [named]), inserted, root])]
  const places = yield* Effect.forEach(urls, readPlace, { concurrency: "unbounded" })
  const at = (wanted: string) => places.find((place) => place.url === wanted)
  const used = places.find(({ document }) => document !== undefined)
  const findings: Array<Finding> = places.flatMap(checkPlace)
  const namedPlace = named === undefined ? undefined : at(named)
  if (namedPlace !== undefined && namedPlace.document === undefined) {
    findings.unshift(
      finding("resource-named-missing", {
        at: requestLine(namedPlace.followed.last),
        found: inShort(namedPlace.followed.last)
      })
    )
  }
  if (used?.document === undefined) {
    const found = places.map((place) => `${shownUrl(place.url)}: ${inShort(place.followed.last)}`).join("; ")
    if (namedPlace !== undefined) return { seen: "not found", findings }
    const old = yield* readPlace(`${url.origin}/.well-known/oauth-authorization-server`)
    return old.document === undefined
      ? { seen: "not found", findings: [finding("resource-missing", { found }), ...findings] }
      : {
        seen: `as in revision 2025-03-26: sign in at ${show(url.origin)}`,
        findings: [finding("resource-legacy", { found: shownUrl(old.url) }), ...findings],
        learned: { resource: { url: old.url, document: {}, servers: [url.origin], scopes: [] } }
      }
  }
  const line = `GET ${shownUrl(used.url)}`
  const { document } = used
  if (at(inserted)?.document === undefined) {
    findings.push(finding("resource-inserted-missing", {
      found: `${shownUrl(inserted)}: ${inShort(at(inserted)?.followed.last ?? used.followed.last)}`,
      level: named === undefined ? "warning" : "note"
    }))
  }
  if (at(root)?.document === undefined) findings.push(finding("resource-root-missing", { found: shownUrl(root) }))
  const differ = disagreement(places)
  if (differ !== undefined) findings.push(finding("resource-disagree", { found: differ }))
  const resource = knownResource(used.url, document)
  return {
    seen: `${shownUrl(used.url)}: sign in at ${showAll(resource.servers)}`,
    findings: [
      ...checkIdentifier(document, url, line),
      ...checkServers(document, url, line),
      ...checkMembers(document, line),
      ...findings
    ],
    learned: { resource }
  }
})

export const resourceMetadata: Step = { id: "resource", title: "Protected resource metadata", rules, check }
