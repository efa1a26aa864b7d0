import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Redacted from "effect/Redacted"
import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http"
import type { AddressInfo } from "node:net"
import { examine, type ExamineOptions } from "../../src/doctor/examine.ts"
import { plain, render } from "../../src/doctor/render.ts"
import type { Report } from "../../src/doctor/Report.ts"
import { layerEnvironment } from "../../src/node/outbound/ProviderClient.ts"
import { leaks } from "../support/canary.ts"
import { change, goodToken, serveWith } from "./support/HealthyServer.ts"

const token = Redacted.make(goodToken)

const run = (options: ExamineOptions) =>
  Effect.provide(examine({ listenMillis: 300, token, ...options }), layerEnvironment)

const codes = ({ steps }: Report): ReadonlyArray<string> =>
  steps.flatMap(({ findings }) => findings.map(({ code }) => code))

/** A server with arbitrary behaviour; returns its origin. */
const serveHostile = (handle: (request: IncomingMessage, response: ServerResponse) => void) =>
  Effect.map(
    Effect.acquireRelease(
      Effect.callback<Server>((resume) => {
        const server = createServer((request, response) => {
          response.on("error", () => undefined)
          request.resume()
          handle(request, response)
        })
        server.listen(0, "127.0.0.1", () => resume(Effect.succeed(server)))
      }),
      (server) =>
        Effect.callback<void>((resume) => {
          server.close(() => resume(Effect.void))
          server.closeAllConnections()
        })
    ),
    (server) => `http://127.0.0.1:${(server.address() as AddressInfo).port}` // it listens on TCP
  )

const wellKnown = "/.well-known/oauth-protected-resource"

/** Writes as much as the client takes. */
const flood = (response: ServerResponse): void => {
  const chunk = "x".repeat(65_536)
  const write = () => {
    while (!response.destroyed && response.write(chunk));
    if (!response.destroyed) response.once("drain", write)
  }
  write()
}

describe.concurrent("the doctor, facing a hostile server", { timeout: 60_000 }, () => {
  it.live("reads at most 1 MiB of a body that never ends", () =>
    Effect.gen(function*() {
      let written = 0
      const { url } = yield* serveWith(({ path }) =>
        path !== wellKnown ? undefined : (response) => {
          response.writeHead(200, { "content-type": "application/json" })
          flood(response)
          response.on("close", () => (written = response.socket?.bytesWritten ?? 0))
        }
      )
      const report = yield* run({ url })
      assert.include(codes(report), "resource-error")
      assert.isBelow(written, 20_000_000)
    }))

  it.live("ends in its time, however slowly the server sends", () =>
    Effect.gen(function*() {
      const origin = yield* serveHostile((_request, response) => {
        response.writeHead(200, { "content-type": "application/json" })
        const drip = setInterval(() => response.write(" "), 100)
        response.on("close", () => clearInterval(drip))
      })
      const report = yield* run({ url: new URL(`${origin}/mcp`), totalMillis: 3_000 })
      assert.strictEqual(report.verdict, "unknown")
      assert.isBelow(report.millis, 10_000)
    }))

  it.live("follows no loop of redirects", () =>
    Effect.gen(function*() {
      let hops = 0
      const { url } = yield* serveWith(({ path }) => {
        if (!path.startsWith(wellKnown)) return undefined
        hops++
        return { status: 302, headers: { location: `${path}x` } }
      })
      const report = yield* run({ url })
      assert.include(codes(report), "resource-named-missing")
      assert.isBelow(hops, 12)
    }))

  it.live.each([
    "file:///etc/passwd",
    "javascript:alert(1)",
    "http://user:pass@127.0.0.1/",
    "not a url at all\u0000",
    "//"
  ])(
    "requests nothing at %s",
    (target) =>
      Effect.gen(function*() {
        const { url } = yield* serveWith(({ origin, path }, well) => {
          if (path === "/mcp" && well.status === 401) {
            return {
              ...well,
              headers: { "www-authenticate": `Bearer resource_metadata="${target.replace("\u0000", "")}"` }
            }
          }
          if (path.startsWith(wellKnown)) return change(well, { authorization_servers: [target, origin] })
          return path === "/.well-known/oauth-authorization-server"
            ? change(well, {
              jwks_uri: target,
              token_endpoint: target,
              registration_endpoint: target,
              authorization_endpoint: target
            })
            : undefined
        })
        const report = yield* run({ url })
        assert.strictEqual(report.verdict, "broken")
        assert.include(codes(report), "resource-server-url")
      })
  )

  it.live("sends the token to no other origin, wherever documents and redirects lead", () =>
    Effect.gen(function*() {
      const seen: Array<string | undefined> = []
      const elsewhere = yield* serveHostile((request, response) => {
        seen.push(request.headers.authorization)
        response.writeHead(404).end()
      })
      const { url } = yield* serveWith(({ headers, method, path }, well) => {
        if (path === "/mcp" && headers.authorization !== undefined && method === "POST") {
          return { status: 307, headers: { location: `${elsewhere}/mcp` } }
        }
        if (path.startsWith(wellKnown)) return { status: 302, headers: { location: `${elsewhere}/x` } }
        return path === "/mcp" && well.status === 401
          ? { ...well, headers: { "www-authenticate": `Bearer resource_metadata="${elsewhere}/resource"` } }
          : undefined
      })
      yield* run({ url })
      assert.isAbove(seen.length, 2)
      assert.isTrue(seen.every((authorization) => authorization === undefined))
    }))

  it.live("sends at most 250 requests to a server that leads it on", () =>
    Effect.gen(function*() {
      const { url } = yield* serveWith(({ origin, path }, well) =>
        path.startsWith(wellKnown)
          ? change(well, { authorization_servers: Array.from({ length: 2_000 }, (_, index) => `${origin}/${index}`) })
          : undefined
      )
      const report = yield* run({ url })
      assert.isAtMost(report.requests, 250)
      assert.include(codes(report), "server-missing")
      // No list of 2,000 values.
      assert.isBelow(JSON.stringify(report).length, 60_000)
    }))

  it.live.each(
    [
      ["deep JSON", `${"[".repeat(100_000)}${"]".repeat(100_000)}`],
      ["a prototype", "{\"__proto__\":{\"resource\":\"x\"},\"constructor\":1}"],
      ["members of wrong types", "{\"resource\":{},\"authorization_servers\":{\"0\":1},\"scopes_supported\":7}"],
      ["duplicate members", "{\"resource\":\"a\",\"resource\":\"b\",\"authorization_servers\":[]}"],
      ["an empty body", ""],
      ["invalid UTF-8", "\ud800"]
    ] as const
  )("survives %s in each document", ([, body]) =>
    Effect.gen(function*() {
      const { url } = yield* serveWith(({ path }) =>
        path.startsWith("/.well-known/") || path === "/jwks"
          ? { status: 200, headers: { "content-type": "application/json" }, body }
          : undefined
      )
      const report = yield* run({ url })
      assert.strictEqual(report.verdict, "broken")
    }))

  it.live.each(
    [
      ["garbage", "data: {\n\nevent: \u0000\n\n"],
      ["other ids", "data: {\"jsonrpc\":\"2.0\",\"id\":\"99\",\"result\":{}}\n\n"],
      ["a scalar", "data: 7\n\n"],
      ["nested batches", "data: [[[[{\"jsonrpc\":\"2.0\",\"id\":1,\"result\":{}}]]]]\n\n"],
      [
        "a result of a wrong type",
        "data: {\"jsonrpc\":\"2.0\",\"id\":1,\"result\":{\"protocolVersion\":{},\"capabilities\":7}}\n\n"
      ]
    ] as const
  )("survives %s in event streams", ([, body]) =>
    Effect.gen(function*() {
      const { url } = yield* serveWith(({ headers, method, path }) =>
        path === "/mcp" && method === "POST" && headers.authorization !== undefined
          ? { status: 200, headers: { "content-type": "text/event-stream" }, body }
          : undefined
      )
      const report = yield* run({ url })
      assert.strictEqual(report.verdict, "broken")
    }))

  it.live("shows no control character and no token that the server put anywhere", () =>
    Effect.gen(function*() {
      const evil = `\u001b[31m${goodToken}\u0007\u202e`
      const { url } = yield* serveWith(({ path }, well) =>
        path.startsWith("/.well-known/") || path === "/jwks"
          ? change(well, {
            issuer: evil,
            resource: evil,
            scopes_supported: [evil],
            keys: [{ kid: evil, kty: "oct", k: evil }]
          })
          : path === "/mcp" && well.status === 401
          ? { ...well, body: { error_description: evil } }
          : undefined
      )
      const report = yield* run({ url })
      const text = render(report, { style: plain, width: 100 })
      assert.notMatch(text.replaceAll("\n", ""), /[\p{Cc}\u202e]/u)
      assert.isEmpty(leaks([text, JSON.stringify(report)], goodToken))
      assert.include(text, "(token)")
    }))
})
