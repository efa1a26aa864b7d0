/** The healthy server at a public https address, without sockets: for addresses, certificates and times. */
import * as Effect from "effect/Effect"
import * as HttpClient from "effect/http/HttpClient"
import * as HttpClientError from "effect/http/HttpClientError"
import * as HttpClientResponse from "effect/http/HttpClientResponse"
import * as Layer from "effect/Layer"
import { type Asked, cors, healthy, type Told, withId } from "./HealthyServer.ts"

export const publicUrl = new URL("https://mcp.example.com/mcp")

/** A response, a failure with the code of a system error, or a delay before the healthy response, in milliseconds. */
export type PublicMistake = (asked: Asked, well: Told) =>
  | { readonly _tag: "Code"; readonly code: string }
  | { readonly _tag: "Delay"; readonly millis: number }
  | Told
  | undefined

const rpcMethod = (text: string): string | undefined => text.startsWith("{") ? JSON.parse(text).method : undefined

const toResponse = (told: Told, asked: Asked): Response => {
  const body = withId(told.body, asked)
  const text = typeof body === "object" ? JSON.stringify(body) : body
  const type = typeof body === "object" ? { "content-type": "application/json" } : {}
  const isEmpty = told.status === 204 || told.status === 202 || text === undefined
  return new Response(isEmpty ? null : text, { status: told.status, headers: { ...cors, ...type, ...told.headers } })
}

/** A stream that never has a byte. */
const silent = () => new Response(new ReadableStream(), { headers: { "content-type": "text/event-stream", ...cors } })

/** An `HttpClient` whose only server this is; `sent` gets each request. */
export const layerPublic = (
  mistake: PublicMistake,
  sent: Array<{ readonly url: string; readonly authorization: string | undefined }> = []
) =>
  Layer.succeed(
    HttpClient.HttpClient,
    HttpClient.make((request, url) =>
      Effect.gen(function*() {
        const { headers, method } = request
        sent.push({ url: url.href, authorization: headers["authorization"] })
        const text = request.body._tag === "Uint8Array" ? new TextDecoder().decode(request.body.body) : ""
        const asked: Asked = {
          method,
          path: `${url.pathname}${url.search}`,
          headers,
          text,
          rpc: rpcMethod(text),
          origin: url.origin
        }
        const well = healthy(asked)
        const told = mistake(asked, typeof well === "function" ? { status: 200 } : well)
        if (told !== undefined && "_tag" in told) {
          if (told._tag === "Code") {
            const cause = Object.assign(new Error("failed"), { code: told.code })
            return yield* new HttpClientError.HttpClientError({
              reason: new HttpClientError.TransportError({ request, cause })
            })
          }
          yield* Effect.sleep(told.millis)
        }
        const response = told === undefined || "_tag" in told ? well : told
        return HttpClientResponse.fromWeb(
          request,
          typeof response === "function" ? silent() : toResponse(response, asked)
        )
      })
    )
  )
