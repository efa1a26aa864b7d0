/** Step 11: the messages of the protocol, with a token if the server wants one. */
import * as Effect from "effect/Effect"
import { show } from "../../errors/show.ts"
import { own } from "../../remote/JsonObject.ts"
import { type Finding, makeFinding } from "../Finding.ts"
import { initialize, inSession, modern, modernRevision, notify, revisions } from "../messages.ts"
import { errorOf, hasResponse, resultOf } from "../readMessage.ts"
import { rules } from "../rules/protocol.ts"
import { readSession } from "../session.ts"
import { type Known, type KnownSession, type Outcome, skipped, type Step } from "../Step.ts"
import { Exchanges } from "../wire/Exchanges.ts"
import {
  inShort,
  isEventStream,
  mediaTypeOf,
  type Reply,
  requestLine,
  type Responded,
  type ToSend
} from "../wire/Reply.ts"

const finding = makeFinding(rules)

/** A response with the error that it contains. */
const described = (reply: Reply): string => {
  if (reply._tag === "NoReply") return inShort(reply)
  const error = errorOf(reply)
  return error === undefined ? inShort(reply) : `${inShort(reply)}, error ${show(error.code)}: ${show(error.message)}`
}

const visible = /^[\x21-\x7e]+$/

const checkInitialize = (reply: Responded): ReadonlyArray<Finding> => {
  const at = requestLine(reply)
  const session = readSession(reply)
  if (session === undefined) return [finding("initialize-failed", { at, found: described(reply) })]
  const isKnownType = isEventStream(reply) || mediaTypeOf(reply) === "application/json"
  return [
    ...(isKnownType ? [] : [finding("response-media-type", { at, found: inShort(reply) })]),
    ...(revisions.includes(session.version)
      ? []
      : [finding("revision-unknown", { at, found: `protocolVersion ${show(session.version)}` })]),
    ...(session.id === undefined || visible.test(session.id)
      ? []
      : [finding("session-characters", { at, found: `${session.id.length} characters, not all visible ASCII` })])
  ]
}

const listMethods = [["tools", "tools/list"], ["prompts", "prompts/list"], ["resources", "resources/list"]] as const

const sendAll = (requests: ReadonlyArray<ToSend>) =>
  Effect.flatMap(
    Exchanges,
    ({ send }) =>
      Effect.forEach(requests, (request) => send({ ...request, withToken: true, enough: hasResponse }), {
        concurrency: "unbounded"
      })
  )

/** The session after `initialize`. */
const checkSession = Effect.fnUntraced(function*(url: URL, session: KnownSession) {
  const { send } = yield* Exchanges
  const initialized = yield* send({ ...notify(url, session, "notifications/initialized"), withToken: true })
  const isLost = initialized._tag === "Responded" && (initialized.status === 404 || initialized.status === 400)
  if (isLost) {
    return {
      seen: "session lost",
      findings: [finding("session-lost", { at: requestLine(initialized), found: described(initialized) })]
    }
  }
  const notified = initialized._tag === "Responded" && initialized.status === 202 ? [] : [
    finding("notification-status", { at: requestLine(initialized), found: described(initialized) })
  ]
  const announced = listMethods.filter(([capability]) => own(session.capabilities, capability) !== undefined)
  const lists = yield* sendAll(announced.map(([, method]) => inSession(url, session, method)))
  const failed = lists.flatMap((reply, index) => {
    if (reply._tag === "Responded" && resultOf(reply) !== undefined) return []
    const method = announced[index]?.[1] ?? ""
    const isSession = reply._tag === "Responded" && reply.status === 404 && session.id !== undefined
    const code = isSession ? "session-lost" : "list-failed"
    return [finding(code, { at: `${requestLine(reply)} ${method}`, found: described(reply) })]
  })
  const counts = lists.flatMap((reply, index) => {
    const name = announced[index]?.[0] ?? ""
    const list = reply._tag === "Responded" ? own(resultOf(reply) ?? {}, name) : undefined
    return Array.isArray(list) ? [`${name}: ${list.length}`] : []
  })
  return { seen: counts.join(", "), findings: [...notified, ...failed] }
})

/** What becomes of requests with a wrong session or revision. */
const checkWrong = Effect.fnUntraced(function*(url: URL, session: KnownSession) {
  const unknown = { ...session, id: "00000000-0000-4000-8000-000000000000" }
  const [revision, strange] = yield* sendAll([
    inSession(url, { ...session, version: "1999-01-01" }, "ping"),
    ...(session.id === undefined ? [] : [inSession(url, unknown, "ping")])
  ])
  const findings: Array<Finding> = []
  if (revision?._tag === "Responded" && revision.status < 300) {
    findings.push(
      finding("revision-field", { at: `${requestLine(revision)} with 1999-01-01`, found: inShort(revision) })
    )
  }
  if (strange?._tag === "Responded" && strange.status !== 404) {
    findings.push(
      finding("session-unknown-status", {
        at: `${requestLine(strange)} with an unknown session`,
        found: described(strange)
      })
    )
  }
  return findings
})

/** Revision 2026-07-28, which has no sessions. Servers need not speak it. */
const checkModern = Effect.fnUntraced(function*(url: URL) {
  const [discover] = yield* sendAll([modern(url, "server/discover")])
  if (discover === undefined || discover._tag === "NoReply") return { seen: "", findings: [] }
  const at = `${requestLine(discover)} server/discover`
  if (discover.status >= 500) {
    return { seen: "", findings: [finding("modern-failed", { at, found: described(discover) })] }
  }
  const result = discover.status === 200 ? resultOf(discover) : undefined
  if (result === undefined) return { seen: "", findings: [] }
  const versions = own(result, "supportedVersions")
  if (!Array.isArray(versions)) {
    return { seen: "", findings: [finding("modern-malformed", { at, found: `supportedVersions: ${show(versions)}` })] }
  }
  // A server that knows the message but not the revision: clients continue with `initialize`.
  if (!versions.includes(modernRevision)) return { seen: "", findings: [] }
  const [mismatch, unknown] = yield* sendAll([
    modern(url, "server/discover", "tools/list"),
    modern(url, "mcp-authorizer-doctor/unknown")
  ])
  return {
    seen: `, and ${modernRevision}`,
    findings: [
      ...(mismatch?._tag === "Responded" && mismatch.status < 300
        ? [finding("modern-mismatch", {
          at: `${requestLine(mismatch)} with Mcp-Method: tools/list and server/discover in the body`,
          found: inShort(mismatch)
        })]
        : []),
      ...(unknown?._tag === "Responded" && unknown.status !== 404 && unknown.status < 500
        ? [
          finding("modern-unknown-method", {
            at: `${requestLine(unknown)} with an unknown method`,
            found: described(unknown)
          })
        ]
        : [])
    ]
  }
})

const check = Effect.fnUntraced(function*(known: Known): Effect.fn.Return<Outcome, never, Exchanges> {
  const { isOpen, token, url } = known
  if (!isOpen && token === undefined) return skipped("needs a token (--token-file)")
  const { send } = yield* Exchanges
  // The session of an earlier step is not used again if that step ended it.
  const begun = known.session === undefined || known.arrival === undefined
    ? yield* send({ ...initialize(url), withToken: true, enough: hasResponse })
    : known.arrival
  if (begun._tag === "NoReply") {
    return {
      seen: inShort(begun),
      findings: [finding("initialize-failed", { at: requestLine(begun), found: inShort(begun) })]
    }
  }
  if (begun.status === 401 || begun.status === 403 || begun.status >= 500) return skipped("the token is not accepted")
  const modernly = yield* checkModern(url)
  const session = readSession(begun)
  if (session === undefined) {
    // A server of the newest revision needs no `initialize`.
    const ofInitialize = modernly.seen === "" ? checkInitialize(begun) : []
    return {
      seen: modernly.seen === "" ? inShort(begun) : modernRevision,
      findings: [...ofInitialize, ...modernly.findings]
    }
  }
  const own = checkInitialize(begun)
  const inside = yield* checkSession(url, session)
  const isLost = inside.findings.some(({ code }) => code === "session-lost")
  const wrong = isLost ? [] : yield* checkWrong(url, session)
  const state = session.id === undefined ? "no session" : "with a session"
  return {
    seen: `${show(session.version).slice(1, -1)}${modernly.seen}, ${state}${
      inside.seen === "" ? "" : `, ${inside.seen}`
    }`,
    findings: [...own, ...inside.findings, ...wrong, ...modernly.findings],
    learned: { session }
  }
})

export const protocol: Step = { id: "protocol", title: "Messages and session", rules, check }
