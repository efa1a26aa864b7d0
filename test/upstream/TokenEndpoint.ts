/** The token endpoint of a provider that exchanges tokens, as a test tells it. */
import * as Effect from "effect/Effect"
import { text } from "node:stream/consumers"
import { listen } from "../../src/issuer/LoopbackServer.ts"

/** A request to it. */
export interface TokenRequest {
  readonly form: URLSearchParams
  readonly authorization: string | undefined
}

/** Its response: a status, a body, and fields. */
export type TokenResponse = readonly [status: number, body: object, headers?: Readonly<Record<string, string>>]

type Respond = (request: TokenRequest, count: number) => TokenResponse | Promise<TokenResponse>

const untold: Respond = () => [500, {}]

/** Starts an endpoint that stops with its scope. */
export const startTokenEndpoint = Effect.gen(function*() {
  const requests: Array<TokenRequest> = []
  let respond: Respond = untold
  const { origin } = yield* listen((message, response) =>
    Effect.promise(async () => {
      const form = new URLSearchParams(await text(message))
      const request = { form, authorization: message.headers.authorization }
      requests.push(request)
      const [status, body, headers = {}] = await respond(request, requests.length)
      response.writeHead(status, { "content-type": "application/json", ...headers })
      response.end(JSON.stringify(body))
    })
  )
  return {
    url: `${origin}/token`,
    requests,
    /** What it responds from now on. */
    responds: (next: Respond) => {
      respond = next
    }
  }
})
