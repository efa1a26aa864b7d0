/** Step 6: the keys that verify tokens. Clients do not read them, but without them every token is rejected. */
import * as Effect from "effect/Effect"
import { show, showAll } from "../../errors/show.ts"
import * as KeySet from "../../keys/KeySet.ts"
import { isJsonObject, own } from "../../remote/JsonObject.ts"
import { type Finding, makeFinding } from "../Finding.ts"
import { follow } from "../follow.ts"
import { rules } from "../rules/keys.ts"
import { type Known, type KnownServer, type Outcome, skipped, type Step } from "../Step.ts"
import type { Exchanges } from "../wire/Exchanges.ts"
import { inShort, jsonOf, shownUrl } from "../wire/Reply.ts"

const finding = makeFinding(rules)

const maxShown = 8

const name = ({ index, kid }: KeySet.SkippedKey): string => kid === undefined ? `#${index}` : show(kid)

const checkSet = (
  members: ReadonlyArray<unknown>,
  at: string
): { readonly seen: string; readonly findings: ReadonlyArray<Finding> } => {
  const { keys, skipped: faulty } = KeySet.fromJwks(members)
  const algorithms = [...new Set(keys.flatMap((key) => key.algorithms))]
  const secret = faulty.filter(({ reason }) => reason === "Private" || reason === "Symmetric")
  const others = faulty.filter(({ reason }) =>
    reason !== "ForEncryption" && reason !== "Private" && reason !== "Symmetric"
  )
  const without = keys.filter(({ kid }) => kid === undefined)
  return {
    seen: `${keys.length} ${keys.length === 1 ? "key" : "keys"} for ${algorithms.join(", ") || "no algorithm"}`,
    findings: [
      ...(secret.length === 0
        ? []
        : [finding("keys-private", { at, found: secret.slice(0, maxShown).map(name).join(", ") })]),
      ...(keys.length === 0 ? [finding("keys-none", { at, found: `${members.length} members, none usable` })] : []),
      ...(others.length === 0
        ? []
        : [finding("keys-faulty", {
          at,
          found: others.slice(0, maxShown).map((key) => `${name(key)}: ${key.reason}`).join(", ")
        })]),
      ...(keys.length > 1 && without.length > 0
        ? [finding("keys-no-id", { at, found: `${without.length} of ${keys.length}` })]
        : [])
    ]
  }
}

const checkServer = Effect.fnUntraced(function*({ document, url }: KnownServer) {
  const uri = own(document, "jwks_uri")
  if (uri === undefined) {
    const algorithms = own(document, "id_token_signing_alg_values_supported")
    const found = Array.isArray(algorithms) ? `no jwks_uri, algorithms ${showAll(algorithms)}` : "no jwks_uri"
    return { seen: "no keys", findings: [finding("keys-absent", { at: `GET ${shownUrl(url)}`, found })] }
  }
  if (typeof uri !== "string" || !URL.canParse(uri)) {
    return {
      seen: "no readable keys",
      findings: [finding("keys-unreadable", { at: `GET ${shownUrl(url)}`, found: `jwks_uri: ${show(uri)}` })]
    }
  }
  const { last } = yield* follow({ method: "GET", url: uri })
  const at = `GET ${shownUrl(uri)}`
  const body = last._tag === "Responded" && last.status === 200 ? jsonOf(last) : undefined
  const members = body && own(body, "keys")
  if (!Array.isArray(members)) {
    const found = isJsonObject(body) ? `${inShort(last)}, without an array of keys` : inShort(last)
    return { seen: "no readable keys", findings: [finding("keys-unreadable", { at, found })] }
  }
  return checkSet(members, at)
})

const check = Effect.fnUntraced(function*({ servers }: Known): Effect.fn.Return<Outcome, never, Exchanges> {
  if (servers.length === 0) return skipped("there are no authorization server metadata")
  const checked = yield* Effect.forEach(servers, checkServer)
  return { seen: checked.map(({ seen }) => seen).join("; "), findings: checked.flatMap(({ findings }) => findings) }
})

export const keys: Step = { id: "keys", title: "Keys and algorithms", rules, check }
