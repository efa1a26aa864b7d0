/** Step 11: whether clients in browsers may send their requests and read the responses (CORS). */
import * as Effect from "effect/Effect"
import { show } from "../../errors/show.ts"
import { own } from "../../remote/JsonObject.ts"
import { type Finding, makeFinding } from "../Finding.ts"
import { initialize } from "../messages.ts"
import { hasResponse } from "../readMessage.ts"
import { rules } from "../rules/browsers.ts"
import type { Known, Outcome, Step } from "../Step.ts"
import { Exchanges } from "../wire/Exchanges.ts"
import { inShort, type Reply, requestLine, type Responded, type ToSend } from "../wire/Reply.ts"

const finding = makeFinding(rules)

/** The origin of MCP Inspector. */
const browserOrigin = "http://localhost:6274"

const needed = ["authorization", "content-type", "mcp-protocol-version", "mcp-session-id", "mcp-method", "mcp-name"]

const preflight = (url: string, method: string, headers: ReadonlyArray<string>): ToSend => ({
  method: "OPTIONS",
  url,
  headers: {
    origin: browserOrigin,
    "access-control-request-method": method,
    ...(headers.length === 0 ? {} : { "access-control-request-headers": headers.join(",") })
  }
})

const listed = (field: string | undefined): ReadonlyArray<string> =>
  (field ?? "").split(",").map((one) => one.trim().toLowerCase()).filter((one) => one !== "")

const permitsOrigin = ({ headers }: Responded): boolean => {
  const allowed = headers["access-control-allow-origin"]
  return allowed === "*" || allowed === browserOrigin
}

const shownOrigin = ({ headers }: Responded): string =>
  `Access-Control-Allow-Origin: ${show(headers["access-control-allow-origin"])}`

const isOk = ({ status }: Responded): boolean => status >= 200 && status < 300

const checkPreflight = (reply: Reply): ReadonlyArray<Finding> => {
  const at = `${requestLine(reply)} from ${browserOrigin}`
  if (reply._tag === "NoReply") return [finding("cors-preflight", { at, found: inShort(reply) })]
  if (!isOk(reply)) return [finding("cors-preflight", { at, found: inShort(reply) })]
  if (!permitsOrigin(reply)) return [finding("cors-origin", { at, found: shownOrigin(reply) })]
  const fields = listed(reply.headers["access-control-allow-headers"])
  const methods = listed(reply.headers["access-control-allow-methods"])
  const missing = needed.filter((name) => !fields.includes(name) && !(fields.includes("*") && name !== "authorization"))
  return [
    ...(missing.length === 0 ? [] : [finding("cors-headers", { at, found: `not permitted: ${missing.join(", ")}` })]),
    ...(methods.includes("delete") || methods.includes("*")
      ? []
      : [finding("cors-methods", { at, found: `permitted: ${show(reply.headers["access-control-allow-methods"])}` })])
  ]
}

/** Checks what a page can read of the 401, or of the result of an open server. */
const checkResponse = (reply: Reply): ReadonlyArray<Finding> => {
  if (reply._tag === "NoReply") return []
  const at = `${requestLine(reply)} from ${browserOrigin}`
  if (!permitsOrigin(reply)) {
    return [finding("cors-error-origin", { at, found: `${inShort(reply)}, ${shownOrigin(reply)}` })]
  }
  const wanted = reply.status === 401 ? "www-authenticate" : "mcp-session-id"
  const exposed = listed(reply.headers["access-control-expose-headers"])
  return reply.headers[wanted] === undefined || exposed.includes(wanted) || exposed.includes("*")
    ? []
    : [finding("cors-exposed", {
      at,
      found: `Access-Control-Expose-Headers: ${show(reply.headers["access-control-expose-headers"])}, without ${wanted}`
    })]
}

const strangeOrigin = "https://doctor.invalid"

const checkCredentials = (reply: Reply): ReadonlyArray<Finding> =>
  reply._tag === "Responded" && reply.headers["access-control-allow-origin"] === strangeOrigin &&
    reply.headers["access-control-allow-credentials"] === "true"
    ? [finding("cors-credentials", { at: `${requestLine(reply)} from ${strangeOrigin}`, found: "both fields" })]
    : []

/** Checks a document that a page requests without further fields. */
const readable = Effect.fnUntraced(function*(url: string, code: "cors-metadata" | "cors-provider") {
  const { send } = yield* Exchanges
  const reply = yield* send({ method: "GET", url, headers: { origin: browserOrigin } })
  return reply._tag === "Responded" && reply.status === 200 && !permitsOrigin(reply)
    ? [finding(code, { at: `${requestLine(reply)} from ${browserOrigin}`, found: shownOrigin(reply) })]
    : []
})

/** Checks an endpoint that a page posts to. */
const usable = Effect.fnUntraced(function*(url: unknown) {
  if (typeof url !== "string" || !URL.canParse(url)) return []
  const { send } = yield* Exchanges
  const reply = yield* send(preflight(url, "POST", ["content-type"]))
  const isUsable = reply._tag === "Responded" && isOk(reply) && permitsOrigin(reply)
  const found = reply._tag === "Responded" && isOk(reply) ? shownOrigin(reply) : inShort(reply)
  return isUsable ? [] : [finding("cors-provider", { at: `${requestLine(reply)} from ${browserOrigin}`, found })]
})

const check = Effect.fnUntraced(function*(known: Known): Effect.fn.Return<Outcome, never, Exchanges> {
  const { send } = yield* Exchanges
  const { resource, servers, url } = known
  const [options, first, strange] = yield* Effect.all([
    send(preflight(url.href, "DELETE", needed)),
    send({ ...initialize(url), headers: { ...initialize(url).headers, origin: browserOrigin }, enough: hasResponse }),
    send({
      ...preflight(url.href, "POST", ["content-type"]),
      headers: {
        origin: strangeOrigin,
        "access-control-request-method": "POST"
      }
    })
  ], { concurrency: "unbounded" })
  const ofServer = checkPreflight(options)
  const documents = yield* Effect.all([
    ...(resource === undefined ? [] : [readable(resource.url, "cors-metadata")]),
    ...servers.slice(0, 1).flatMap((server) => [
      readable(server.url, "cors-provider"),
      usable(own(server.document, "token_endpoint")),
      usable(own(server.document, "registration_endpoint"))
    ])
  ], { concurrency: "unbounded" })
  const findings = [
    ...ofServer,
    // If the preflight fails, browsers send nothing else.
    ...(ofServer.some(({ code }) => code === "cors-preflight" || code === "cors-origin") ? [] : checkResponse(first)),
    ...documents.flat(),
    ...checkCredentials(strange)
  ]
  return { seen: findings.length === 0 ? `${browserOrigin} may connect` : `not for ${browserOrigin}`, findings }
})

export const browsers: Step = { id: "browsers", title: "Browsers (CORS)", rules, check }
