/** Preflights of browsers, and probes of load balancers: they succeed for every client. */
import * as Arbitrary from "effect/Arbitrary"
import * as Effect from "effect/Effect"
import { either, oneOf } from "../arbitrary.ts"
import * as assert from "../assert.ts"
import { type Requirement, requirement } from "../Requirement.ts"
import { anyCaller, anyVerdict } from "./caller.ts"
import { anyAuthorization, anyOrigin, anyTarget, get } from "./clientRequest.ts"
import { assertNotForwarded, assertVerified } from "./ownError.ts"
import { runApp } from "./RunningApp.ts"
import { anySettings, configuredSecret } from "./settings.ts"
import type { Subject } from "./Subject.ts"
import { anyUpstream } from "./upstream.ts"

const anything = { settings: anySettings, caller: anyCaller, verdict: anyVerdict, upstream: anyUpstream }

// The fields of MCP clients, for the transports of 2025 and 2026.
const usual = ["authorization", "content-type", "accept", "mcp-session-id", "mcp-protocol-version", "last-event-id"]

const soundNames = /^[!#$%&'*+.^_`|~0-9a-z-]+(?:, ?[!#$%&'*+.^_`|~0-9a-z-]+)*$/i

export const preflight: ReadonlyArray<Requirement<Subject>> = [
  requirement(
    {
      id: "APP-40",
      title: "MUST respond 204 to OPTIONS before anything else, and forward none",
      source: "Fetch, section 3.3.3 (CORS preflight carries no credentials)",
      runs: 40
    },
    {
      ...anything,
      target: anyTarget,
      // Browsers send none; other clients may.
      authorization: either(Arbitrary.Constant(undefined), anyAuthorization),
      origin: anyOrigin,
      requested: oneOf([
        undefined,
        "authorization",
        "authorization, x-custom,mcp-session-id",
        "a b",
        "\"",
        "a,,b",
        "\u00ff"
      ])
    },
    Effect.fnUntraced(function*({ authorization, origin, requested, target, ...circumstances }) {
      const app = yield* runApp(circumstances)
      const { headers, status, text } = yield* app.send({
        method: "OPTIONS",
        target,
        headers: {
          ...(authorization === undefined ? {} : { authorization }),
          ...(origin === undefined ? {} : { origin }),
          ...(requested === undefined ? {} : { "access-control-request-headers": requested })
        }
      })
      assert.deepStrictEqual([status, text], [204, ""])
      const methods = (headers.get("access-control-allow-methods") ?? "").split(", ")
      assert.includeMembers(methods, ["GET", "POST", "DELETE", "OPTIONS"])
      const allowed = headers.get("access-control-allow-headers") ?? ""
      if (requested !== undefined && soundNames.test(requested)) assert.strictEqual(allowed, requested)
      else assert.includeMembers(allowed.toLowerCase().split(", "), usual)
      assert.strictEqual(headers.get("access-control-max-age"), "86400")
      assertVerified(app, [])
      assertNotForwarded(app)
    })
  ),

  requirement(
    {
      id: "APP-41",
      title: "MUST report liveness and readiness in any error style, without showing the configuration",
      source: "src/http/README.md, Endpoints",
      runs: 30
    },
    { ...anything, providersDown: oneOf([true, false]), host: oneOf(["10.0.0.7:3000", "gateway.test", "a b"]) },
    Effect.fnUntraced(function*({ host, ...circumstances }) {
      const app = yield* runApp(circumstances)
      const live = yield* app.send(get("/healthz", { host }))
      assert.strictEqual(live.status, 200, live.text)
      const ready = yield* app.send(get("/readyz", { host }))
      assert.strictEqual(ready.status, circumstances.providersDown ? 503 : 200, ready.text)
      if (circumstances.providersDown) assert.match(ready.headers.get("retry-after") ?? "", /^[1-9][0-9]*$/)
      for (const { headers, text } of [live, ready]) {
        assert.strictEqual(headers.get("content-type"), "application/json")
        assert.strictEqual(headers.get("cache-control"), "no-store")
        assert.notMatch(text, /:\/\//)
        assert.notInclude(text, configuredSecret)
      }
    })
  )
]
