/** The token endpoint of a provider that exchanges tokens, as a test tells it. */
import * as Effect from "effect/Effect"
import * as Http from "node:http"
import { listen } from "../../src/issuer/LoopbackServer.ts"

/** A request to it. */
export interface TokenRequest {
  readonly form: URLSearchParams
  readonly authorization: string | undefined
}

/** Its response: a status, a body, and fields. */
export type TokenResponse = readonly [status: number, body: object, headers?: Readonly<Record<string, string>>]

/** Starts an endpoint that stops with its scope. */
export const startTokenEndpoint = Effect.gen(function*() {
  const requests: Array<TokenRequest> = []
  let respond: (request: TokenRequest, count: number) => TokenResponse | Promise<TokenResponse> = () => [500, {}]
  const origin = yield* listen((message: Http.IncomingMessage, response: Http.ServerResponse) => {
    const chunks: Array<Buffer> = []
    message.on("data", (chunk: Buffer) => chunks.push(chunk))
    message.on("end", () => {
      const form = new URLSearchParams(Buffer.concat(chunks).toString())
      const request = { form, authorization: message.headers.authorization }
      requests.push(request)
      void Promise.resolve(respond(request, requests.length)).then(([status, body, headers = {}]) => {
        response.writeHead(status, { "content-type": "application/json", ...headers })
        response.end(JSON.stringify(body))
      })
    })
  })
  return {
    url: `${origin}/token`,
    requests,
    /** What it responds from now on. */
    responds: (next: typeof respond) => {
      respond = next
    }
  }
})
