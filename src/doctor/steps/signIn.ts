/** Step 5: PKCE, and how a client gets a client id. */
import * as Effect from "effect/Effect"
import { show, showAll } from "../../errors/show.ts"
import { type JsonObject, own } from "../../remote/JsonObject.ts"
import { type Finding, makeFinding } from "../Finding.ts"
import { offersS256, registrationEndpoint, takesClientDocuments } from "../offers.ts"
import { rules } from "../rules/signIn.ts"
import { type Known, type KnownServer, type Outcome, skipped, type Step } from "../Step.ts"
import { Exchanges } from "../wire/Exchanges.ts"
import { inShort, isRedirect, jsonOf, requestLine, type Responded, shownUrl } from "../wire/Reply.ts"

const finding = makeFinding(rules)

const checkPkce = ({ document, url }: KnownServer): ReadonlyArray<Finding> => {
  const methods = own(document, "code_challenge_methods_supported")
  const at = `GET ${shownUrl(url)}`
  const offered = offersS256(document)
  if (offered === undefined || !Array.isArray(methods)) {
    return [finding("pkce-absent", { at, found: `code_challenge_methods_supported: ${show(methods)}` })]
  }
  return offered
    ? []
    : [finding("pkce-no-s256", { at, found: `code_challenge_methods_supported: ${showAll(methods)}` })]
}

/** A registration that no server can accept, so that nothing is registered: `redirect_uris` is not a list. */
const impossible = JSON.stringify({ client_name: "mcp-authorizer-doctor", redirect_uris: 0 })

/** A registration as clients send it: Claude's redirect URI, and a public client on the user's machine. */
const ordinary = JSON.stringify({
  client_name: "mcp-authorizer-doctor (may be deleted)",
  redirect_uris: ["http://127.0.0.1:6274/oauth/callback"],
  grant_types: ["authorization_code", "refresh_token"],
  response_types: ["code"],
  token_endpoint_auth_method: "none",
  application_type: "native"
})

const shownError = (reply: Responded): string => {
  const body = jsonOf(reply)
  const error = body && (own(body, "error_description") ?? own(body, "error"))
  return error === undefined ? inShort(reply) : `${inShort(reply)}: ${show(error)}`
}

/** Deletes a client that the doctor has registered (RFC 7592, section 2.3), if the provider supports it. */
const deleteClient = Effect.fnUntraced(function*(client: JsonObject, endpoint: string) {
  const { send } = yield* Exchanges
  const url = own(client, "registration_client_uri")
  const token = own(client, "registration_access_token")
  if (typeof url !== "string" || typeof token !== "string" || !URL.canParse(url)) return false
  // The token must not be sent to another host.
  if (new URL(url).origin !== new URL(endpoint).origin) return false
  const reply = yield* send({ method: "DELETE", url, headers: { authorization: `Bearer ${token}` } })
  return reply._tag === "Responded" && reply.status < 300
})

/**
 * Tries the registration endpoint: with a message that must fail or, if the operator permits, with a real registration.
 */
const tryRegistration = Effect.fnUntraced(function*(endpoint: string, register: boolean) {
  const { send } = yield* Exchanges
  const reply = yield* send({
    method: "POST",
    url: endpoint,
    headers: { "content-type": "application/json" },
    body: register ? ordinary : impossible
  })
  const at = requestLine(reply)
  if (reply._tag === "NoReply") {
    return {
      seen: "registration endpoint dead",
      findings: [finding("registration-dead", { at, found: inShort(reply) })]
    }
  }
  const { status } = reply
  if (status === 401 || status === 403) {
    return { seen: "registration closed", findings: [finding("registration-closed", { at, found: shownError(reply) })] }
  }
  if (
    status === 404 || status === 405 || status === 410 || status === 501 || isRedirect(reply) ||
    (register && status >= 500)
  ) {
    return {
      seen: "registration endpoint dead",
      findings: [finding("registration-dead", { at, found: inShort(reply) })]
    }
  }
  if (!register) return { seen: "dynamic registration", findings: [] }
  const client = status === 200 || status === 201 ? jsonOf(reply) : undefined
  if (client === undefined) {
    return {
      seen: "registration rejected",
      findings: [finding("registration-closed", { at, found: shownError(reply) })]
    }
  }
  const id = own(client, "client_id")
  const isDeleted = yield* deleteClient(client, endpoint)
  return {
    seen: `registered as ${show(id)}${isDeleted ? " and deleted again" : ", which you may delete"}`,
    findings: []
  }
})

const checkRegistration = Effect.fnUntraced(function*({ document, url }: KnownServer, register: boolean) {
  const at = `GET ${shownUrl(url)}`
  const endpoint = registrationEndpoint(document)
  const methods = own(document, "token_endpoint_auth_methods_supported")
  const takesDocuments = takesClientDocuments(document)
  const confidential = Array.isArray(methods) && !methods.includes("none")
    ? [
      finding("registration-confidential", { at, found: `token_endpoint_auth_methods_supported: ${showAll(methods)}` })
    ]
    : []
  if (endpoint === undefined) {
    return takesDocuments
      ? { seen: "client ID metadata documents", findings: confidential }
      : {
        seen: "no registration",
        findings: [
          finding("registration-none", {
            at,
            found: "neither registration_endpoint nor client_id_metadata_document_supported"
          })
        ]
      }
  }
  const tried = yield* tryRegistration(endpoint, register)
  const documents = takesDocuments
    ? []
    : [finding("registration-documents-none", { at, found: "client_id_metadata_document_supported is not true" })]
  return {
    seen: `${takesDocuments ? "client ID metadata documents, " : ""}${tried.seen}`,
    findings: [...tried.findings, ...confidential, ...documents]
  }
})

const check = Effect.fnUntraced(function*(known: Known): Effect.fn.Return<Outcome, never, Exchanges> {
  const { register, servers } = known
  if (servers.length === 0) return skipped("there are no authorization server metadata")
  const checked = yield* Effect.forEach(
    servers,
    (server) =>
      Effect.map(checkRegistration(server, register), ({ findings, seen }) => {
        const ofPkce = checkPkce(server)
        return { seen: `${ofPkce.length === 0 ? "PKCE with S256, " : ""}${seen}`, findings: [...ofPkce, ...findings] }
      })
  )
  return { seen: checked.map(({ seen }) => seen).join("; "), findings: checked.flatMap(({ findings }) => findings) }
})

export const signIn: Step = { id: "sign-in", title: "PKCE and registration", rules, check }
