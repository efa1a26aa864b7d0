import { assert, layer } from "@effect/vitest"
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import { eventually } from "../fixtures/eventually.ts"
import { initialize, message } from "../fixtures/messages.ts"
import { settings } from "../fixtures/settings.ts"
import { LogCapture } from "../support/canary.ts"
import { startEffectGateway } from "../support/effectGateway.ts"
import { startGateway } from "../support/gateway.ts"
import { rawExchange, rawRequest } from "../support/rawHttp.ts"
import type { UpstreamHandler } from "../support/RecordedRequest.ts"
import { makeRecordingUpstream } from "../support/RecordingUpstream.ts"
import * as responses from "../support/upstreamResponses.ts"

/** Responds at one path and redirects all others to it, as web frameworks do. */
const at = (path: string, status: number): UpstreamHandler => (request, response) =>
  (request.url === path
    ? responses.jsonRpc
    : responses.redirect(`http://${request.headers("host")[0]}${path}`, status))(
      request,
      response
    )

/** Redirects either spelling to the other. */
const both: UpstreamHandler = (request, response) =>
  responses.redirect(request.url === "/server" ? "/server/" : "/server", 307)(request, response)

const make = Effect.fnUntraced(function*(
  start: "Node" | "Effect",
  configured: string,
  handler: UpstreamHandler
) {
  const upstream = yield* makeRecordingUpstream
  yield* upstream.respondWith(handler)
  const capture = yield* Layer.build(LogCapture.layer)
  const logger = Layer.succeedContext(capture)
  const given = settings(upstream.origin + configured)
  const origin = start === "Node"
    ? (yield* startGateway(given, { logger })).origin
    : yield* startEffectGateway(given, logger)
  const ask = Effect.fnUntraced(function*(target: string, body = initialize) {
    const before = upstream.requests().length
    const { responses: [reply] } = yield* rawExchange(
      origin,
      rawRequest([
        `POST ${target} HTTP/1.1`,
        "Host: 127.0.0.1",
        "Authorization: Bearer dev-token",
        "Content-Type: application/json",
        `Content-Length: ${body.length}`
      ], body)
    )
    return { status: reply?.status, text: reply?.text, seen: upstream.requests().slice(before) }
  })
  const log = () => Context.get(capture, LogCapture).entries().join("\n")
  /** Waits until this is in the log: the entry of a request comes after its response. */
  const logged = (text: string) => eventually(() => log().includes(text))
  return { ask, log, logged, upstream }
})

layer(Layer.empty, { excludeTestServices: true })("an MCP server that serves one form of its URL", (it) => {
  it.effect("gets a configured slash, whether or not the client sends one", () =>
    Effect.gen(function*() {
      for (const start of ["Node", "Effect"] as const) {
        const { ask } = yield* make(start, "/server/", at("/server/", 307))
        for (const target of ["/mcp", "/mcp/"]) {
          const { seen, status } = yield* ask(target)
          assert.deepStrictEqual([status, seen.map(({ url }) => url)], [200, ["/server/"]], `${start} ${target}`)
        }
      }
    }))

  it.effect("gets a second request where it redirects the configured URL to the other form, and later ones there directly", () =>
    Effect.gen(function*() {
      for (const start of ["Node", "Effect"] as const) {
        for (const [configured, actual] of [["/server", "/server/"], ["/server/", "/server"]] as const) {
          for (const status of [301, 302, 307, 308]) {
            const { ask, logged, upstream } = yield* make(start, configured, at(actual, status))
            const first = yield* ask("/mcp")
            const what = `${start} ${configured} ${status}`
            assert.deepStrictEqual(first.seen.map(({ url }) => url), [configured, actual], what)
            assert.strictEqual(first.status, 200, what)
            // The same request: its method, its message with the identity in it, its fields.
            const [one, two] = yield* Effect.forEach(first.seen, (request) => request.body)
            assert.deepStrictEqual(two, one, what)
            assert.include(Buffer.from(two ?? []).toString(), "_authContext", what)
            assert.deepStrictEqual(first.seen[1]?.rawHeaders, first.seen[0]?.rawHeaders, what)
            assert.include(first.text, "authInfo", what)
            const second = yield* ask("/mcp")
            assert.deepStrictEqual([second.status, second.seen.map(({ url }) => url)], [200, [actual]], what)
            yield* logged(`"location":"${upstream.origin}${actual}"`)
          }
        }
      }
    }))

  it.effect("is not followed for what the client added, nor elsewhere, and the log names target and fix", () =>
    Effect.gen(function*() {
      for (const start of ["Node", "Effect"] as const) {
        const slash = yield* make(start, "/server", at("/server/x/", 307))
        const below = yield* slash.ask("/mcp/x")
        assert.deepStrictEqual([below.status, below.seen.map(({ url }) => url)], [502, ["/server/x"]], start)
        assert.notInclude(below.text, "/server")
        yield* slash.logged(`redirects (307) to ${slash.upstream.origin}/server/x/; set MCP_SERVER_URL`)

        const other = yield* make(
          start,
          "/server",
          responses.redirect("https://elsewhere.example/server/?t=secret", 308)
        )
        const elsewhere = yield* other.ask("/mcp")
        assert.deepStrictEqual([elsewhere.status, elsewhere.seen.length], [502, 1], start)
        yield* other.logged("redirects (308) to https://elsewhere.example/server/; set MCP_SERVER_URL")
        assert.notInclude(other.log(), "secret")
      }
    }))

  it.effect("that redirects both forms gets two requests, and no more", () =>
    Effect.gen(function*() {
      for (const start of ["Node", "Effect"] as const) {
        const { ask } = yield* make(start, "/server", both)
        for (let round = 0; round < 3; round++) {
          const { seen, status } = yield* ask("/mcp")
          assert.deepStrictEqual([status, seen.length], [502, 2], start)
        }
      }
    }))

  it.effect("redirects a message that is too long to be sent again, and the next one goes to the new form", () =>
    Effect.gen(function*() {
      const { ask } = yield* make("Node", "/server", at("/server/", 307))
      const long = message("ping", `{"x":"${"x".repeat(1_500_000)}"}`)
      assert.strictEqual((yield* ask("/mcp", long)).status, 502)
      assert.strictEqual((yield* ask("/mcp", long)).status, 200)
    }))
})
