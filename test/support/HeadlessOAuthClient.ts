/** The OAuth side of an MCP client without a browser, for the official clients 1.x and 2.x. */
import type { OAuthClientProvider as ProviderV2 } from "@modelcontextprotocol/client"
import type { OAuthClientProvider as ProviderV1, OAuthDiscoveryState } from "@modelcontextprotocol/sdk/client/auth.js"
import type {
  OAuthClientInformationMixed,
  OAuthClientMetadata,
  OAuthTokens
} from "@modelcontextprotocol/sdk/shared/auth.js"
import * as Effect from "effect/Effect"
import { randomUUID } from "node:crypto"
import { Browser, fetchAgain } from "../facade/Browser.ts"
import type { FillIn } from "./PageForm.ts"

// Nothing listens there: the test reads the redirect instead of following it.
const redirectUrl = "http://127.0.0.1:9/callback"

/**
 * Keeps client and tokens in memory, and follows the redirects of an authorization request itself.
 *
 * After a failed `connect`, pass the callback parameters to `finishAuth` of the transport.
 */
export class HeadlessOAuthClient implements ProviderV1, ProviderV2 {
  readonly redirectUrl = redirectUrl
  readonly clientMetadata: OAuthClientMetadata
  /** The URLs that a browser would have been sent to. */
  readonly authorizations: Array<URL> = []
  #client: OAuthClientInformationMixed | undefined
  #tokens: OAuthTokens | undefined
  #verifier = ""
  #state = ""
  #discovered: OAuthDiscoveryState | undefined
  #callback: URLSearchParams | undefined

  readonly #fillIn: FillIn
  readonly #before: ((url: string) => Effect.Effect<void>) | undefined

  /**
   * `scope` is what the client requests if the server names no scopes; nothing by default. `fillIn` fills in the pages
   * of an authorization server in place of the user; by default there are no pages. `before` runs before each request
   * of the browser.
   */
  constructor(
    scope?: string,
    fillIn: FillIn = () => undefined,
    before?: (url: string) => Effect.Effect<void>
  ) {
    this.#fillIn = fillIn
    this.#before = before
    this.clientMetadata = {
      client_name: "headless",
      redirect_uris: [redirectUrl],
      grant_types: ["authorization_code", "refresh_token"],
      response_types: ["code"],
      token_endpoint_auth_method: "none",
      ...(scope === undefined ? {} : { scope })
    }
  }

  state(): string {
    this.#state = randomUUID()
    return this.#state
  }

  clientInformation(): OAuthClientInformationMixed | undefined {
    return this.#client
  }

  saveClientInformation(client: OAuthClientInformationMixed): void {
    this.#client = client
  }

  tokens(): OAuthTokens | undefined {
    return this.#tokens
  }

  saveTokens(tokens: OAuthTokens): void {
    this.#tokens = tokens
  }

  saveCodeVerifier(verifier: string): void {
    this.#verifier = verifier
  }

  codeVerifier(): string {
    return this.#verifier
  }

  saveDiscoveryState(discovered: OAuthDiscoveryState): void {
    this.#discovered = discovered
  }

  discoveryState(): OAuthDiscoveryState | undefined {
    return this.#discovered
  }

  async redirectToAuthorization(url: URL): Promise<void> {
    this.authorizations.push(url)
    const { searchParams } = await Effect.runPromise(
      new Browser(fetchAgain).walk(url.href, `${redirectUrl}?`, this.#fillIn, this.#before)
    )
    if (searchParams.get("state") !== this.#state) throw new Error("the callback has another state")
    this.#callback = searchParams
  }

  /** The parameters of the callback, once. Throws if there was no authorization since the last call. */
  takeCallback(): URLSearchParams {
    const callback = this.#callback
    if (callback === undefined) throw new Error("no authorization has taken place")
    this.#callback = undefined
    return callback
  }
}
