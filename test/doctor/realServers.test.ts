import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Redacted from "effect/Redacted"
import { examine, type ExamineOptions } from "../../src/doctor/examine.ts"
import type { Report } from "../../src/doctor/Report.ts"
import { layerEnvironment } from "../../src/node/outbound/ProviderClient.ts"
import { clients } from "../clients/clients.ts"
import { protectResource } from "../clients/protectResource.ts"
import { HeadlessOAuthClient } from "../support/HeadlessOAuthClient.ts"
import { officialServerV1 } from "../support/OfficialServerV1.ts"
import { officialServerV2 } from "../support/OfficialServerV2.ts"
import { makeOidcProvider } from "../support/OidcProvider.ts"

const slow = { tool: "slow", arguments: { steps: 4, pauseMillis: 300 } }

const scopes = { requiredScopes: ["mcp:read"], scopesSupported: ["mcp:read", "mcp:write"] }

const run = (options: ExamineOptions) =>
  Effect.provide(examine({ listenMillis: 500, call: slow, ...options }), layerEnvironment)

const codes = (report: Report, level: string): ReadonlyArray<string> =>
  report.steps.flatMap(({ findings }) => findings.filter((finding) => finding.level === level).map(({ code }) => code))

const seen = ({ steps }: Report, id: string): string => steps.find((step) => step.id === id)?.seen ?? ""

const servers = [["server 1.x", officialServerV1, "with a session"], [
  "server 2.x",
  officialServerV2,
  "2026-07-28"
]] as const

describe("the doctor at real servers", { timeout: 60_000 }, () => {
  for (const [name, server, era] of servers) {
    it.live(`finds no error at the official ${name}, and measures its stream`, () =>
      Effect.gen(function*() {
        const { url } = yield* server
        const report = yield* run({ url: new URL(url) })
        assert.deepStrictEqual(codes(report, "error"), [])
        assert.include(seen(report, "protocol"), era)
        assert.match(seen(report, "streams"), /"slow": 1\.\d s, 5 events, first byte after 0/)
      }))

    it.live(`finds nothing to fix at the gateway before the official ${name}, with a real authorization server`, () =>
      Effect.gen(function*() {
        const { issuer } = yield* makeOidcProvider()
        const url = yield* protectResource((yield* server).url, issuer, scopes)
        const oauth = new HeadlessOAuthClient()
        const [client] = clients
        assert.isDefined(client)
        yield* client[1](url, { oauth })
        const token = Redacted.make(oauth.tokens()?.access_token ?? "")
        const report = yield* run({ url: new URL(url), token, register: true })
        assert.deepStrictEqual(codes(report, "error"), [])
        // Its registration endpoint has no CORS fields.
        assert.deepStrictEqual(codes(report, "warning"), ["cors-provider"])
        assert.match(JSON.stringify(report), /OPTIONS [^"]*\/reg from/)
        assert.strictEqual(report.verdict, "healthy")
        assert.match(seen(report, "sign-in"), /PKCE with S256, registered as/)
        assert.match(seen(report, "token"), /^accepted, iss/)
        assert.include(seen(report, "protocol"), era)
        assert.match(seen(report, "streams"), /"slow": 1\.\d s, 5 events, first byte after 0/)
      }))
  }
})
