/** The issuer over each of its transports, and how tests ask it. */
import * as Effect from "effect/Effect"
import * as FetchHttpClient from "effect/http/FetchHttpClient"
import * as HttpClient from "effect/http/HttpClient"
import * as HttpClientRequest from "effect/http/HttpClientRequest"
import { TestIssuer } from "../../src/issuer/TestIssuer.ts"
import type { TestIssuerOptions } from "../../src/issuer/TestIssuerOptions.ts"

const handedBack = HttpClient.transformResponse(
  Effect.provideService(FetchHttpClient.RequestInit, { redirect: "manual" })
)

export const onSocket = Effect.fnUntraced(function*(options?: TestIssuerOptions) {
  const client = yield* Effect.provide(HttpClient.HttpClient, FetchHttpClient.layer)
  return { issuer: yield* TestIssuer.make({ keys: "reused", ...options }), client: handedBack(client) }
})

const inMemory = (options?: TestIssuerOptions) =>
  Effect.map(
    TestIssuer.makeMemory({ keys: "reused", ...options }),
    ({ client, issuer }) => ({ issuer, client: handedBack(client) })
  )

export const transports = [{ transport: "on a socket", open: onSocket }, { transport: "in memory", open: inMemory }]

type Headers = Readonly<Record<string, string>>

export const get = (client: HttpClient.HttpClient, url: string, headers: Headers = {}) => client.get(url, { headers })

export const json = (client: HttpClient.HttpClient, url: string) =>
  Effect.flatMap(client.get(url), (response) => response.json)

export const post = (client: HttpClient.HttpClient, url: string, form: Headers, headers: Headers = {}) =>
  client.execute(HttpClientRequest.bodyUrlParams(HttpClientRequest.post(url, { headers }), form))

/** Reads the response to its end, or reports that it failed. */
export const outcome = (client: HttpClient.HttpClient, url: string) =>
  client.get(url).pipe(
    Effect.flatMap((response) =>
      Effect.map(response.status === 204 ? Effect.succeed("") : response.text, (body) => ({
        status: response.status,
        body
      }))
    ),
    Effect.orElseSucceed(() => "broken" as const)
  )
