import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Redacted from "effect/Redacted"
import { examine, type ExamineOptions } from "../../src/doctor/examine.ts"
import type { Report } from "../../src/doctor/Report.ts"
import { rules } from "../../src/doctor/steps.ts"
import { layerEnvironment } from "../../src/node/outbound/ProviderClient.ts"
import { goodToken, serveWith } from "./support/HealthyServer.ts"
import { cases, jwt, openModern, protectedModern, steadyTool } from "./support/mistakes.ts"

const run = (options: ExamineOptions) => Effect.provide(examine({ listenMillis: 1_200, ...options }), layerEnvironment)

const codes = ({ steps }: Report): ReadonlyArray<string> => [
  ...new Set(steps.flatMap(({ findings }) => findings.map(({ code }) => code)))
]

/** Every server here is on loopback. */
const always = "address-private"

/** The tokens of the cases that look into them. */
const tokenFor = (code: string, origin: string): string => {
  const claims = { iss: origin, aud: `${origin}/mcp`, exp: 9_999_999_999 }
  switch (code) {
    case "token-expired":
      return jwt({ ...claims, exp: 1_000_000_000 })
    case "token-audience":
    case "token-foreign-audience":
      return jwt({ ...claims, aud: "account" })
    case "token-issuer":
      return jwt({ ...claims, iss: "https://other.example" })
    default:
      return goodToken
  }
}

/** Findings that servers on loopback over http cannot cause: `test/doctor/address.test.ts`. */
const elsewhere: ReadonlyArray<string> = [
  "url-http",
  "unreachable",
  "tls-certificate",
  "tls-expires",
  "no-response",
  "slow",
  "resource-server-private",
  "server-endpoint-private",
  "server-quirk",
  "stream-silent"
]

describe.concurrent("the doctor", { timeout: 60_000 }, () => {
  it.live("finds nothing wrong with a healthy server", () =>
    Effect.gen(function*() {
      const { log, url } = yield* serveWith()
      const report = yield* run({ url, token: Redacted.make(goodToken) })
      assert.deepStrictEqual(codes(report), [always])
      assert.strictEqual(report.verdict, "healthy")
      assert.isTrue(report.clients.every(({ verdict }) => verdict === "works"))
      assert.isTrue(
        report.steps.every(({ verdict }) => verdict === "ok" || verdict === "note"),
        JSON.stringify(report.steps)
      )
      // The session that it began.
      assert.isTrue(log.some(({ method }) => method === "DELETE"))
    }))

  it.live("finds nothing wrong with a stream that arrives in pieces", () =>
    Effect.gen(function*() {
      const { url } = yield* serveWith(steadyTool)
      const report = yield* run({ url, token: Redacted.make(goodToken), call: { tool: "slow", arguments: {} } })
      assert.deepStrictEqual(codes(report), [always])
      assert.include(report.steps.find(({ id }) => id === "streams")?.seen, "3 events")
    }))

  it.live.each([["without a token", false], ["with a token", true]] as const)(
    "finds nothing wrong with a server of revision 2026-07-28 only, %s",
    ([, isProtected]) =>
      Effect.gen(function*() {
        const { url } = yield* serveWith(isProtected ? protectedModern : openModern)
        const token = isProtected ? { token: Redacted.make(goodToken) } : {}
        const report = yield* run({ url, ...token, call: { tool: "echo", arguments: {} } })
        assert.sameMembers([...codes(report)], isProtected ? [always] : [always, "open"])
        assert.strictEqual(report.verdict, "healthy")
        assert.strictEqual(report.steps.find(({ id }) => id === "protocol")?.seen, "2026-07-28, tools: 1")
        assert.include(report.steps.find(({ id }) => id === "streams")?.seen, "\"echo\"")
      })
  )

  for (const { address = (url: URL) => url, also = [], code, mistake, options = {}, what, withoutToken } of cases) {
    it.live(`${code}${what === undefined ? "" : `: ${what}`}`, () =>
      Effect.gen(function*() {
        const { origin, url } = yield* serveWith(mistake)
        const token = withoutToken === true ? {} : { token: Redacted.make(tokenFor(code, origin)) }
        const report = yield* run({ url: address(url), ...token, ...options })
        assert.sameMembers([...codes(report)], [always, code, ...also])
        const isBroken = report.steps.some(({ verdict }) => verdict === "error")
        assert.strictEqual(report.verdict, isBroken ? "broken" : "healthy")
      }))
  }

  it("has a server for each finding", () => {
    const tested = new Set([always, ...cases.map(({ code }) => code), ...elsewhere])
    assert.deepStrictEqual([...rules.keys()].filter((code) => !tested.has(code)), [])
  })
})
