/** Step 7: whether the server accepts the operator's token, and rejects changed ones. */
import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import * as Redacted from "effect/Redacted"
import { show, showAll } from "../../errors/show.ts"
import { parseChallenges } from "../../forward/parseChallenges.ts"
import { own } from "../../remote/JsonObject.ts"
import { orDiscover } from "../begin.ts"
import { type Finding, makeFinding } from "../Finding.ts"
import { initialize, rpc } from "../messages.ts"
import { errorOf, hasResponse, resultOf } from "../readMessage.ts"
import { rules } from "../rules/token.ts"
import { readSession } from "../session.ts"
import { type Known, type Outcome, skipped, type Step } from "../Step.ts"
import { type Claims, claimsOf, forgeries } from "../tokenParts.ts"
import { Exchanges } from "../wire/Exchanges.ts"
import { inShort, jsonOf, type Reply, requestLine, type Responded, type ToSend } from "../wire/Reply.ts"

const finding = makeFinding(rules)

/** The server's message about a rejection. */
const shownError = (reply: Responded): string => {
  const bearer = parseChallenges(reply.headers["www-authenticate"] ?? "")?.find(({ scheme }) => scheme === "bearer")
  const body = jsonOf(reply)
  const text = bearer?.parameters.get("error_description") ?? (body && own(body, "error_description")) ??
    errorOf(reply)?.message ?? bearer?.parameters.get("error")
  return text === undefined ? inShort(reply) : `${inShort(reply)}: ${show(text)}`
}

/** The claims of the token, without those that identify a user. */
const shownClaims = ({ audience, issuer }: Claims): string => `iss ${show(issuer)}, aud ${showAll(audience)}`

const identifiers = ({ resource, url }: Known): ReadonlyArray<string> => {
  const named = resource && own(resource.document, "resource")
  return [
    url.href,
    `${url.origin}${url.pathname}`,
    url.origin,
    `${url.origin}/`,
    ...(typeof named === "string" ? [named] : [])
  ]
}

const isForServer = (known: Known, { audience }: Claims): boolean =>
  audience.some((one) => identifiers(known).includes(one))

/** Texts by which servers report a missing token. */
const isMissing =
  /\b(?:missing|no|without) (?:an? |the )?(?:bearer |access |oauth )*(?:token|authorization|credentials?)\b|\b(?:token|authorization|credentials?) (?:is |are )?(?:missing|required)\b|\bnot authenticated\b/i

const rejection = (reply: Responded, known: Known, claims: Claims | undefined, nowSeconds: number): Finding => {
  const at = `${requestLine(reply)} with the token`
  const said = shownError(reply)
  if (reply.status >= 500) return finding("token-failed", { at, found: said })
  const challenge = parseChallenges(reply.headers["www-authenticate"] ?? "")?.find(({ scheme }) => scheme === "bearer")
  if (reply.status === 403) {
    const scope = challenge?.parameters.get("scope")
    const had = claims?.scope === undefined ? "" : `, the token has ${show(claims.scope)}`
    return finding("token-scope", { at, found: `${said}${scope === undefined ? "" : `, needed ${show(scope)}`}${had}` })
  }
  if (isMissing.test(said)) return finding("token-lost", { at, found: said })
  if (claims === undefined) return finding("token-rejected", { at, found: `${said}. The token is opaque` })
  if (claims.expires !== undefined && claims.expires <= nowSeconds) {
    return finding("token-expired", {
      at,
      found: `${said}. It expired ${Math.round(nowSeconds - claims.expires)} seconds ago`
    })
  }
  const found = `${said}. The token has ${shownClaims(claims)}`
  const issuers = known.servers.flatMap(({ document, issuer }) => [issuer, own(document, "issuer")])
  if (issuers.length > 0 && !issuers.includes(claims.issuer)) return finding("token-issuer", { at, found })
  return isForServer(known, claims)
    ? finding("token-rejected", { at, found })
    : finding("token-audience", { at, found })
}

const isAccepted = (reply: Reply): boolean =>
  reply._tag === "Responded" && reply.status < 300 && resultOf(reply) !== undefined

/** Sends changed tokens, which must all be rejected. */
const checkForgeries = Effect.fnUntraced(function*(opening: ToSend, token: string) {
  const { send } = yield* Exchanges
  const tried = yield* Effect.forEach(
    forgeries(token),
    ({ text, what }) =>
      Effect.map(
        send({ ...opening, authorization: `Bearer ${text}`, enough: hasResponse }),
        (reply) => ({ reply, what })
      ),
    { concurrency: "unbounded" }
  )
  return tried.flatMap(({ reply, what }) =>
    isAccepted(reply)
      ? [finding("token-unchecked-signature", { at: requestLine(reply), found: `accepted: ${what}` })]
      : []
  )
})

/** Sends a request in the token's session without the token. */
const checkSession = Effect.fnUntraced(function*({ url }: Known, id: string) {
  const { send } = yield* Exchanges
  const request = initialize(url)
  const reply = yield* send({
    ...request,
    body: rpc("ping"),
    headers: { ...request.headers, "mcp-session-id": id },
    enough: hasResponse
  })
  return isAccepted(reply)
    ? [
      finding("session-without-token", { at: `${requestLine(reply)} with Mcp-Session-Id only`, found: inShort(reply) })
    ]
    : []
})

const check = Effect.fnUntraced(function*(known: Known): Effect.fn.Return<Outcome, never, Exchanges> {
  const { isOpen, token, url } = known
  if (isOpen) return skipped("no authorization required")
  if (token === undefined) return skipped("needs a token (--token-file)")
  const { send } = yield* Exchanges
  const arrival = yield* send({ ...initialize(url), withToken: true, enough: hasResponse })
  if (arrival._tag === "NoReply") {
    return {
      seen: inShort(arrival),
      findings: [finding("token-failed", { at: requestLine(arrival), found: inShort(arrival) })]
    }
  }
  const { opening, reply } = yield* orDiscover(url, arrival, true)
  const value = Redacted.value(token)
  const claims = claimsOf(value)
  const nowSeconds = (yield* Clock.currentTimeMillis) / 1_000
  const session = readSession(reply)
  if (session === undefined || !isAccepted(reply)) {
    // The response does not reject the token, so the next step reports its problem.
    if (reply.status < 400) return { seen: inShort(reply), findings: [], learned: { arrival: reply } }
    return { seen: inShort(reply), findings: [rejection(reply, known, claims, nowSeconds)] }
  }
  const foreign = claims !== undefined && known.resource !== undefined && claims.audience.length > 0 &&
      !isForServer(known, claims)
    ? [finding("token-foreign-audience", { at: `${requestLine(reply)} with the token`, found: shownClaims(claims) })]
    : []
  const forged = yield* checkForgeries(opening, value)
  const taken = session.id === undefined ? [] : yield* checkSession(known, session.id)
  return {
    seen: claims === undefined ? "accepted, opaque" : `accepted, ${shownClaims(claims)}`,
    findings: [...forged, ...taken, ...foreign],
    // Without `initialize` there is no session.
    learned: reply === arrival ? { session, arrival } : { arrival }
  }
})

export const token: Step = { id: "token", title: "Token", rules, check }
