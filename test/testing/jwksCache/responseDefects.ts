/** Caches that read responses, or the store, incorrectly. */
import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import * as HttpClient from "effect/http/HttpClient"
import * as HttpClientResponse from "effect/http/HttpClientResponse"
import * as Result from "effect/Result"
import { readPublicJwk } from "../../../src/keys/publicJwk.ts"
import { isJsonObject, own, parseJsonObject } from "../../../src/remote/JsonObject.ts"
import { ProviderRequestFailed, type ProviderResponse } from "../../../src/remote/ProviderHttp.ts"
import { type Defect, forgetful, isForKeys, onClient, onResponse, onSend, onStore } from "./wrapCache.ts"

export const membersOf = ({ body }: ProviderResponse): ReadonlyArray<unknown> => {
  const keys = own(body, "keys")
  return Array.isArray(keys) ? keys : []
}

const withMembers = (reply: ProviderResponse, keys: ReadonlyArray<unknown>): ProviderResponse => ({
  ...reply,
  body: { keys }
})

export const kidOf = (member: unknown): unknown => isJsonObject(member) ? own(member, "kid") : undefined

const isUsable = (member: unknown) => Result.isSuccess(readPublicJwk(member))

/** Merges each set into those before it. */
const merging = onSend((http) => {
  const merged = new Map<string, unknown>()
  return (request) =>
    isForKeys(request)
      ? Effect.map(http.send(request), (reply) => {
        for (const member of membersOf(reply)) merged.set(JSON.stringify(member), member)
        return withMembers(reply, [...merged.values()])
      })
      : http.send(request)
})

/** Caches responses below the key cache, for `millis`. */
const keeping = (millis: (reply: ProviderResponse) => number) =>
  onSend((http) => {
    let kept: { readonly reply: ProviderResponse; readonly until: number } | undefined
    return Effect.fnUntraced(function*(request) {
      if (!isForKeys(request)) return yield* http.send(request)
      const now = yield* Clock.currentTimeMillis
      if (kept !== undefined && now < kept.until) return kept.reply
      const reply = yield* http.send(request)
      kept = { reply, until: now + millis(reply) }
      return reply
    })
  })

/** Makes an entry of the store look like a valid one of the requested source. */
const believing = onStore((store) => ({
  ...store,
  get: Effect.fnUntraced(function*(key) {
    const text = yield* store.get(key)
    const entry = Result.getOrUndefined(parseJsonObject(text ?? ""))
    const now = yield* Clock.currentTimeMillis
    return entry === undefined
      ? text
      : JSON.stringify({ ...entry, uri: key.slice("jwks:".length), expires_at: Math.floor(now / 1000) + 300 })
  })
}))

/** Reads a whole response before inspecting it. */
const buffering = onClient(
  HttpClient.transformResponse(Effect.flatMap((response) =>
    Effect.map(response.arrayBuffer, (bytes) => {
      const { headers, request, status } = response
      return HttpClientResponse.fromWeb(
        request,
        new Response(bytes.byteLength === 0 ? null : bytes, { headers, status })
      )
    })
  ))
)

export const responseDefects: ReadonlyArray<Defect> = [
  ["GHSA-675f-rq2r-jw82 JWKS-22 only adds keys and never forgets one", ["KEYS-11", "KEYS-12"], merging],
  [
    "JWKS-27 honours max-age=31536000",
    ["KEYS-05"],
    keeping(({ cacheControl }) => 1000 * Number(/max-age=(\d+)/.exec(cacheControl ?? "")?.[1] ?? 0))
  ],
  ["JWKS-23 never looks again before the set ends", ["KEYS-22"], keeping(() => 300_000)],
  ["JWKS-25 trusts the store blindly", ["KEYS-14"], believing],
  ["JWKS-28 does not share what it fetches", ["KEYS-04"], onStore(forgetful)],
  [
    "JWKS-09 fails the whole set for one bad key, as jose and agentgateway do",
    ["KEYS-30"],
    onSend((http) => (request) =>
      Effect.filterOrFail(
        http.send(request),
        (reply) => membersOf(reply).every(isUsable),
        () => new ProviderRequestFailed({ kind: "NotAnObject", url: "" })
      )
    )
  ],
  [
    "JWKS-15 believes the last of two keys with one id, as agentgateway does",
    ["KEYS-31"],
    onResponse((reply) =>
      withMembers(reply, [...new Map(membersOf(reply).map((member) => [kidOf(member), member])).values()])
    )
  ],
  [
    "JWKS-10 JWKS-14 takes private keys, and keys for other purposes, for public ones",
    ["KEYS-30"],
    onResponse((reply) =>
      withMembers(
        reply,
        membersOf(reply).map((member) => {
          if (!isJsonObject(member)) return member
          const { d: _, key_ops: __, use: ___, ...rest } = member
          return rest
        })
      )
    )
  ],
  [
    "takes null for a value, as strict parsers do",
    ["KEYS-34"],
    onResponse((reply) =>
      withMembers(
        reply,
        membersOf(reply).filter((member) => !isJsonObject(member) || !Object.values(member).includes(null))
      )
    )
  ],
  [
    "assumes one key for a key id, regardless of the algorithm",
    ["KEYS-36"],
    onResponse((reply) => {
      const members = membersOf(reply)
      return withMembers(
        reply,
        members.filter((member) => members.filter((other) => kidOf(other) === kidOf(member)).length === 1)
      )
    })
  ],
  [
    "JWKS-08 looks at any number of keys",
    ["KEYS-32"],
    onResponse((reply) => withMembers(reply, membersOf(reply).filter(isUsable)))
  ],
  ["CVE-2026-22036 JWKS-07 buffers a response of any size", ["KEYS-33"], buffering],
  ["JWKS-17 follows redirects", ["KEYS-40"], onClient(HttpClient.followRedirects(3))],
  [
    "JWKS-18 fetches from any host",
    ["KEYS-41"],
    onSend((http) => (request) => http.send({ ...request, allowedDomains: [] }))
  ],
  [
    "GHSA-fhv5-28vv-h8m8 clears a good set when a fetch fails",
    ["KEYS-21"],
    onSend((http) => (request) =>
      isForKeys(request)
        ? Effect.orElseSucceed(http.send(request), () => ({ body: { keys: [] }, cacheControl: "no-store" }))
        : http.send(request)
    )
  ]
]
