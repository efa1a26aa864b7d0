/** Step 8: the messages of the protocol, with a token if the server requires one. */
import * as Effect from "effect/Effect"
import { show } from "../../errors/show.ts"
import { isJsonObject, own } from "../../remote/JsonObject.ts"
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

type ListMethod = typeof listMethods[number]

const announcedLists = (capabilities: unknown): ReadonlyArray<ListMethod> =>
  isJsonObject(capabilities) ? listMethods.filter(([name]) => own(capabilities, name) !== undefined) : []

/** The contents of the lists, and the lists that fail. */
const checkLists = (
  announced: ReadonlyArray<ListMethod>,
  replies: ReadonlyArray<Reply>,
  hasSession: boolean
): Pick<Outcome, "findings" | "seen"> => {
  const findings: Array<Finding> = []
  const counts: Array<string> = []
  for (const [index, reply] of replies.entries()) {
    const [name, method] = announced[index] ?? ["", ""]
    const result = reply._tag === "Responded" ? resultOf(reply) : undefined
    const list = result === undefined ? undefined : own(result, name)
    if (Array.isArray(list)) counts.push(`${name}: ${list.length}`)
    if (result !== undefined) continue
    const isLost = hasSession && reply._tag === "Responded" && reply.status === 404
    findings.push(
      finding(isLost ? "session-lost" : "list-failed", {
        at: `${requestLine(reply)} ${method}`,
        found: described(reply)
      })
    )
  }
  return { seen: counts.join(", "), findings }
}

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
  const announced = announcedLists(session.capabilities)
  const lists = yield* sendAll(announced.map(([, method]) => inSession(url, session, method)))
  const listed = checkLists(announced, lists, session.id !== undefined)
  return { seen: listed.seen, findings: [...notified, ...listed.findings] }
})

/** Checks the responses to requests with a wrong session or revision. */
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

const notModern: Pick<Outcome, "findings" | "seen"> & { readonly isModern: boolean } = {
  isModern: false,
  seen: "",
  findings: []
}

/** Checks revision 2026-07-28, which has no sessions. Servers need not support it. */
const checkModern = Effect.fnUntraced(function*(url: URL) {
  const [discover] = yield* sendAll([modern(url, "server/discover")])
  if (discover === undefined || discover._tag === "NoReply") return notModern
  const at = `${requestLine(discover)} server/discover`
  if (discover.status >= 500) {
    return { ...notModern, findings: [finding("modern-failed", { at, found: described(discover) })] }
  }
  const result = discover.status === 200 ? resultOf(discover) : undefined
  if (result === undefined) return notModern
  const versions = own(result, "supportedVersions")
  if (!Array.isArray(versions)) {
    return {
      ...notModern,
      findings: [finding("modern-malformed", { at, found: `supportedVersions: ${show(versions)}` })]
    }
  }
  // The server knows the message but not the revision, so clients continue with `initialize`.
  if (!versions.includes(modernRevision)) return notModern
  const announced = announcedLists(own(result, "capabilities"))
  const [mismatch, unknown, ...lists] = yield* sendAll([
    modern(url, "server/discover", "tools/list"),
    modern(url, "mcp-authorizer-doctor/unknown"),
    ...announced.map(([, method]) => modern(url, method))
  ])
  const listed = checkLists(announced, lists, false)
  return {
    isModern: true,
    seen: listed.seen,
    findings: [
      ...listed.findings,
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

const shown = (parts: ReadonlyArray<string>): string => parts.filter((part) => part !== "").join(", ")

const check = Effect.fnUntraced(function*(known: Known): Effect.fn.Return<Outcome, never, Exchanges> {
  const { isOpen, token, url } = known
  if (!isOpen && token === undefined) return skipped("needs a token (--token-file)")
  const { send } = yield* Exchanges
  // Not used again if the earlier step has ended it.
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
  const { isModern } = modernly
  if (session === undefined) {
    // In the newest revision, servers need no `initialize`.
    return isModern
      ? { seen: shown([modernRevision, modernly.seen]), findings: modernly.findings, learned: { isModern } }
      : { seen: inShort(begun), findings: [...checkInitialize(begun), ...modernly.findings] }
  }
  const ofInitialize = checkInitialize(begun)
  const inside = yield* checkSession(url, session)
  const isLost = inside.findings.some(({ code }) => code === "session-lost")
  const wrong = isLost ? [] : yield* checkWrong(url, session)
  return {
    seen: shown([
      show(session.version).slice(1, -1),
      isModern ? `and ${modernRevision}` : "",
      session.id === undefined ? "no session" : "with a session",
      inside.seen
    ]),
    findings: [...ofInitialize, ...inside.findings, ...wrong, ...modernly.findings],
    learned: { session, isModern }
  }
})

export const protocol: Step = { id: "protocol", title: "Messages and session", rules, check }
