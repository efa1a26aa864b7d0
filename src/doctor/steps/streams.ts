/** Step 9: whether event streams arrive as they are sent, or are held back on the way. */
import * as Effect from "effect/Effect"
import { show } from "../../errors/show.ts"
import { type Finding, makeFinding } from "../Finding.ts"
import { gapsOf } from "../gaps.ts"
import { callTool, sessionHeaders } from "../messages.ts"
import { errorOf, hasResponse, responseOf } from "../readMessage.ts"
import { rules } from "../rules/streams.ts"
import { type Call, type Known, type KnownSession, type Outcome, skipped, type Step } from "../Step.ts"
import { Exchanges } from "../wire/Exchanges.ts"
import { inShort, isEventStream, isHtml, type Reply, requestLine, type Responded } from "../wire/Reply.ts"

const finding = makeFinding(rules)

/** How long a server that has just responded to other requests may take to begin a stream. */
const headMillis = 5_000

/** A stream without a byte for longer than this has no heartbeat. */
const heartbeatMillis = 20_000

const checkHead = (reply: Responded): ReadonlyArray<Finding> => {
  const at = requestLine(reply)
  const encoding = reply.headers["content-encoding"]
  const length = reply.headers["content-length"]
  return [
    ...(encoding === undefined || encoding === "identity"
      ? []
      : [finding("stream-compressed", { at, found: `Content-Encoding: ${show(encoding)}` })]),
    ...(length === undefined ? [] : [finding("stream-length", { at, found: `Content-Length: ${show(length)}` })])
  ]
}

const seconds = (millis: number): string => `${Math.round(millis / 100) / 10} s`

/** Opens the stream for messages of the server, and listens for a while. */
const listen = Effect.fnUntraced(function*({ listenMillis, url }: Known, session: KnownSession) {
  const { send } = yield* Exchanges
  const reply: Reply = yield* send({
    method: "GET",
    url: url.href,
    headers: { accept: "text/event-stream", "accept-encoding": "gzip, deflate, br", ...sessionHeaders(session) },
    withToken: true,
    headMillis,
    bodyMillis: listenMillis
  })
  const at = requestLine(reply)
  if (reply._tag === "NoReply") {
    return reply.kind === "Timeout"
      ? {
        seen: "no stream",
        findings: [finding("stream-held", { at, found: `no head within ${seconds(headMillis)}` })]
      }
      : { seen: inShort(reply), findings: [finding("get-status", { at, found: inShort(reply) })] }
  }
  if (reply.status === 405) return { seen: "no stream for GET (405)", findings: [] }
  if (reply.status !== 200 || isHtml(reply) || !isEventStream(reply)) {
    return { seen: inShort(reply), findings: [finding("get-status", { at, found: inShort(reply) })] }
  }
  const { longest } = gapsOf(reply)
  const isSilent = reply.end === "slow" && longest > heartbeatMillis
  const isShort = reply.end === "complete" && reply.totalMillis - reply.headMillis < Math.min(listenMillis, 1_000)
  return {
    seen: `GET opens a stream after ${Math.round(reply.headMillis)} ms, then ${
      reply.chunks.length === 1 ? "1 piece" : `${reply.chunks.length} pieces`
    } in ${seconds(reply.totalMillis - reply.headMillis)}`,
    findings: [
      ...checkHead(reply),
      ...(isShort ? [finding("stream-ends", { at, found: `after ${seconds(reply.totalMillis)}` })] : []),
      ...(isSilent ? [finding("stream-silent", { at, found: `nothing for ${seconds(longest)}` })] : [])
    ]
  }
})

/** The minimum duration of a call whose chunks show whether something buffers them. */
const callMillis = 500

/**
 * Calls the tool that the operator named, with a request for progress, and compares the arrival times of the chunks.
 */
const measureCall = Effect.fnUntraced(function*({ listenMillis, session, url }: Known, call: Call) {
  const { send } = yield* Exchanges
  const reply = yield* send({
    ...callTool(url, session, call),
    withToken: true,
    enough: hasResponse,
    headMillis: Math.max(listenMillis, 60_000),
    bodyMillis: Math.max(listenMillis, 60_000)
  })
  const at = `${requestLine(reply)} tools/call`
  if (reply._tag === "NoReply") return { seen: inShort(reply), findings: [] }
  if (!isEventStream(reply)) {
    const error = errorOf(reply)
    return {
      seen: error === undefined
        ? `${show(call.tool)} responds with ${inShort(reply)}, not with a stream`
        : `${show(call.tool)}: ${show(error.message)}`,
      findings: []
    }
  }
  const { events, isBunched, longest } = gapsOf(reply)
  const took = `${seconds(reply.totalMillis)}, ${events} events, first byte after ${
    seconds(reply.chunks[0]?.at ?? reply.totalMillis)
  }, longest gap ${seconds(longest)}`
  return {
    seen: `${show(call.tool)}: ${took}${responseOf(reply) === undefined ? ", without a result" : ""}`,
    findings: [
      ...checkHead(reply),
      ...(isBunched && reply.totalMillis > callMillis ? [finding("stream-bunched", { at, found: took })] : [])
    ]
  }
})

const check = Effect.fnUntraced(function*(known: Known): Effect.fn.Return<Outcome, never, Exchanges> {
  const { call, isModern, session } = known
  if (session === undefined && !isModern) return skipped("needs a session")
  if (session === undefined && call === undefined) return skipped("only tools have streams here: name one with --call")
  const stream = session === undefined ? { seen: "", findings: [] } : yield* listen(known, session)
  if (call === undefined) return stream
  const called = yield* measureCall(known, call)
  if (session === undefined) return called
  return { seen: `${stream.seen}; ${called.seen}`, findings: [...stream.findings, ...called.findings] }
})

export const streams: Step = { id: "streams", title: "Event streams", rules, check }
