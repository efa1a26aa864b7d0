/**
 * An MCP client without a library. Each step from the first 401 to a tool call is a method, so that tests can act in
 * between.
 */
import { assert } from "@effect/vitest"
import * as Effect from "effect/Effect"
import { createHash, randomBytes } from "node:crypto"
import { parseChallenge } from "../../src/testing/parseChallenge.ts"
import { Browser, fetchAgain, post } from "../facade/Browser.ts"
import { toolCall } from "../fixtures/messages.ts"
import type { FillIn } from "./PageForm.ts"

type Json = Readonly<Record<string, unknown>>

/** What a client knows in advance. */
export interface VisitorOptions {
  /** A registered client, for authorization servers without registration. */
  readonly clientId?: string
  /** Default: `http://127.0.0.1:33418/callback`, where nothing listens. */
  readonly redirectUri?: string
}

export interface Tokens {
  readonly access: string
  readonly refresh: string | undefined
  readonly scope: string | undefined
}

const json = (url: string, init: RequestInit = {}): Effect.Effect<{ readonly status: number; readonly body: Json }> =>
  Effect.promise(async () => {
    const response = await fetchAgain(url, init)
    const text = await response.text()
    return { status: response.status, body: text.startsWith("{") ? JSON.parse(text) : { text } }
  })

/** The URL of an authorization server's metadata (RFC 8414, section 3.1). */
const metadataUrl = (issuer: string, name: string): string => {
  const { origin, pathname } = new URL(issuer)
  return `${origin}/.well-known/${name}${pathname === "/" ? "" : pathname}`
}

export class Visitor {
  readonly browser = new Browser(fetchAgain)
  readonly resource: string
  readonly redirectUri: string
  /** The scopes that the challenge names. */
  scope: string | undefined
  issuer = ""
  metadata: Json = {}
  clientId: string
  readonly #verifier = randomBytes(32).toString("base64url")
  readonly #state = randomBytes(8).toString("hex")

  constructor(
    resource: string,
    { clientId = "", redirectUri = "http://127.0.0.1:33418/callback" }: VisitorOptions = {}
  ) {
    this.resource = resource
    this.clientId = clientId
    this.redirectUri = redirectUri
  }

  #endpoint(name: string): string {
    const url = this.metadata[name]
    if (typeof url !== "string") assert.fail(`the metadata of ${this.issuer} have no ${name}`)
    return url
  }

  /** Calls a tool. */
  readonly call = (token?: string): Effect.Effect<Response> =>
    Effect.promise(() =>
      fetchAgain(this.resource, {
        method: "POST",
        headers: {
          accept: "application/json, text/event-stream",
          "content-type": "application/json",
          ...(token === undefined ? {} : { authorization: `Bearer ${token}` })
        },
        body: toolCall("hello")
      })
    )

  /** From the 401 to the metadata of the authorization server. */
  readonly discover: Effect.Effect<void> = Effect.gen({ self: this }, function*() {
    const response = yield* this.call()
    assert.strictEqual(response.status, 401)
    const { parameters } = parseChallenge(response.headers.get("www-authenticate") ?? "")
    this.scope = parameters.get("scope")
    const described = yield* json(parameters.get("resource_metadata") ?? "")
    assert.strictEqual(described.body["resource"], this.resource)
    const servers = described.body["authorization_servers"]
    this.issuer = Array.isArray(servers) ? String(servers[0]) : assert.fail("no authorization server")
    for (const name of ["oauth-authorization-server", "openid-configuration"]) {
      const { body, status } = yield* json(metadataUrl(this.issuer, name))
      if (status === 200) {
        this.metadata = body
        break
      }
    }
    if (this.metadata["issuer"] === undefined) {
      this.metadata = (yield* json(`${this.issuer.replace(/\/$/, "")}/.well-known/openid-configuration`)).body
    }
    assert.strictEqual(this.metadata["issuer"], this.issuer)
    // Clients stop without it.
    assert.include(this.metadata["code_challenge_methods_supported"], "S256")
  })

  /** Registers (RFC 7591). Returns the status and the body. */
  readonly register = (more: Json = {}): Effect.Effect<{ readonly status: number; readonly body: Json }> =>
    Effect.tap(
      Effect.suspend(() =>
        json(this.#endpoint("registration_endpoint"), {
          method: "POST",
          headers: { "content-type": "application/json" },
          body: JSON.stringify({
            client_name: "visitor",
            redirect_uris: [this.redirectUri],
            grant_types: ["authorization_code", "refresh_token"],
            response_types: ["code"],
            token_endpoint_auth_method: "none",
            ...more
          })
        })
      ),
      ({ body, status }) =>
        Effect.sync(() => {
          if (status === 201) this.clientId = String(body["client_id"])
        })
    )

  authorizationUrl(changes: Readonly<Record<string, string | undefined>> = {}): string {
    const url = new URL(this.#endpoint("authorization_endpoint"))
    const parameters = {
      response_type: "code",
      client_id: this.clientId,
      redirect_uri: this.redirectUri,
      state: this.#state,
      code_challenge: createHash("sha256").update(this.#verifier).digest("base64url"),
      code_challenge_method: "S256",
      resource: this.resource,
      scope: this.scope,
      ...changes
    }
    for (const [name, value] of Object.entries(parameters)) if (value !== undefined) url.searchParams.set(name, value)
    return url.href
  }

  /** Sends the user to sign in. Returns the code. */
  readonly authorize = (
    fillIn: FillIn,
    options: {
      readonly before?: (url: string) => Effect.Effect<void>
      readonly changes?: Readonly<Record<string, string | undefined>>
    } = {}
  ): Effect.Effect<string> =>
    Effect.gen({ self: this }, function*() {
      const start = this.authorizationUrl(options.changes)
      const { searchParams } = yield* this.browser.walk(start, `${this.redirectUri}?`, fillIn, options.before)
      assert.strictEqual(searchParams.get("state"), this.#state)
      if (this.metadata["authorization_response_iss_parameter_supported"] === true) {
        assert.strictEqual(searchParams.get("iss"), this.issuer)
      }
      return searchParams.get("code") ?? assert.fail(`no code: ${searchParams}`)
    })

  /** Sends a form to the token endpoint. */
  readonly token = (form: Readonly<Record<string, string>>) =>
    Effect.suspend(() => post(this.#endpoint("token_endpoint"), { client_id: this.clientId, ...form }, {}, fetchAgain))

  /** Sends a code to the token endpoint. */
  readonly redeem = (code: string) =>
    this.token({
      grant_type: "authorization_code",
      code,
      redirect_uri: this.redirectUri,
      code_verifier: this.#verifier,
      resource: this.resource
    })

  readonly #granted = (response: ReturnType<typeof post>): Effect.Effect<Tokens> =>
    Effect.map(response, ({ body, status, text }) => {
      assert.strictEqual(status, 200, text)
      return { access: body["access_token"] ?? "", refresh: body["refresh_token"], scope: body["scope"] }
    })

  readonly exchange = (code: string): Effect.Effect<Tokens> => this.#granted(this.redeem(code))

  readonly refresh = (refreshToken: string | undefined): Effect.Effect<Tokens> =>
    this.#granted(
      this.token({ grant_type: "refresh_token", refresh_token: refreshToken ?? "", resource: this.resource })
    )

  readonly revoke = (token: string) =>
    Effect.suspend(() =>
      post(this.#endpoint("revocation_endpoint"), { client_id: this.clientId, token }, {}, fetchAgain)
    )
}
