/**
 * GitHub as OAuth apps see it: no metadata, no registration, opaque tokens without an expiry or a refresh token, which
 * the user endpoint describes. Clients authenticate only in the form, as in GitHub's documentation. Errors of the token
 * endpoint have status 200, and its responses are forms unless JSON is requested. Scopes are separated by commas.
 */
import * as Effect from "effect/Effect"
import type * as Scope from "effect/Scope"
import { createHash, randomUUID } from "node:crypto"
import type { ServerResponse } from "node:http"
import { text } from "node:stream/consumers"
import { listen } from "../../src/issuer/LoopbackServer.ts"

export interface GithubStandIn {
  /** `http://127.0.0.1:<port>`, without a slash. */
  readonly origin: string
  /** Requests to the authorization endpoint. */
  readonly authorizations: ReadonlyArray<URLSearchParams>
}

/** The user, whose `id` never changes. */
export const githubUser = { login: "octocat", id: 583231, type: "User", name: "The Octocat", email: null }

interface App {
  readonly clientId: string
  readonly clientSecret: string
  readonly callback: string
}

interface Code {
  readonly scope: string
  readonly challenge: string | null
}

const json = (response: ServerResponse, status: number, body: object, fields: Record<string, string> = {}): void => {
  response.writeHead(status, { "content-type": "application/json; charset=utf-8", ...fields }).end(JSON.stringify(body))
}

/** Starts the stand-in; it stops with its scope. */
export const makeGithubStandIn = Effect.fnUntraced(function*(
  { callback, clientId, clientSecret }: App
): Effect.fn.Return<GithubStandIn, never, Scope.Scope> {
  const authorizations: Array<URLSearchParams> = []
  const codes = new Map<string, Code>()
  const tokens = new Map<string, string>()

  const authorize = (parameters: URLSearchParams, response: ServerResponse): void => {
    authorizations.push(parameters)
    if (parameters.get("client_id") !== clientId || parameters.get("redirect_uri") !== callback) {
      response.writeHead(404).end()
      return
    }
    const code = randomUUID()
    codes.set(code, {
      scope: (parameters.get("scope") ?? "").replaceAll(" ", ","),
      challenge: parameters.get("code_challenge")
    })
    const location = new URL(callback)
    location.searchParams.set("code", code)
    location.searchParams.set("state", parameters.get("state") ?? "")
    response.writeHead(302, { location: location.href }).end()
  }

  const tokenFor = (form: URLSearchParams): Readonly<Record<string, string>> => {
    if (form.get("client_id") !== clientId || form.get("client_secret") !== clientSecret) {
      return { error: "incorrect_client_credentials" }
    }
    const id = form.get("code") ?? ""
    const code = codes.get(id)
    codes.delete(id)
    const challenge = createHash("sha256").update(form.get("code_verifier") ?? "").digest("base64url")
    if (code === undefined || (code.challenge !== null && code.challenge !== challenge)) {
      return { error: "bad_verification_code" }
    }
    const token = `gho_${randomUUID().replaceAll("-", "")}`
    tokens.set(token, code.scope)
    return { access_token: token, scope: code.scope, token_type: "bearer" }
  }

  const { origin } = yield* listen((request, response) =>
    Effect.promise(async () => {
      const url = new URL(request.url ?? "/", "http://127.0.0.1")
      switch (url.pathname) {
        case "/login/oauth/authorize":
          return authorize(url.searchParams, response)
        case "/login/oauth/access_token": {
          const body = tokenFor(new URLSearchParams(await text(request)))
          if (request.headers.accept?.includes("application/json") === true) return json(response, 200, body)
          response.writeHead(200, { "content-type": "application/x-www-form-urlencoded" })
          response.end(new URLSearchParams(body).toString())
          return
        }
        case "/user": {
          const scope = tokens.get(request.headers.authorization?.replace(/^Bearer /, "") ?? "")
          return scope === undefined
            ? json(response, 401, { message: "Bad credentials" })
            : json(response, 200, githubUser, {
              "x-oauth-scopes": scope.replaceAll(",", ", "),
              "x-oauth-client-id": clientId
            })
        }
        default:
          response.writeHead(404).end()
      }
    })
  )
  return { origin, authorizations }
})
