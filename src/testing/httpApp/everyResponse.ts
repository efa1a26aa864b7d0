/** What every response must satisfy, for all requests and circumstances. */
import * as Arbitrary from "effect/Arbitrary"
import * as Effect from "effect/Effect"
import type { GatewayConfigInput } from "../../config/GatewayConfigInput.ts"
import { either, oneOf } from "../arbitrary.ts"
import * as assert from "../assert.ts"
import { type Requirement, requirement, type RequirementName } from "../Requirement.ts"
import { anyCaller, anyVerdict, type Caller, good, identityCanaries, rejected } from "./caller.ts"
import { anyRequest, type ClientRequest, message, variations } from "./clientRequest.ts"
import { privateDetail } from "./fixture.ts"
import { readChallenge, readOwnError } from "./ownError.ts"
import { type AppResponse, runApp, type RunningApp } from "./RunningApp.ts"
import { anySettings, configuredSecret } from "./settings.ts"
import type { Subject } from "./Subject.ts"
import { anyUpstream, ordinary } from "./upstream.ts"

const anywhere = { settings: anySettings, caller: anyCaller, verdict: anyVerdict, upstream: anyUpstream }

/** The ordinary request, its variations, and one with any number of problems. */
const requests: Arbitrary.Arbitrary<ReadonlyArray<ClientRequest>> = Arbitrary.map(
  Arbitrary.all([variations, anyRequest]),
  ([variations, any]) => [message(), ...variations, any]
)

/** A request, and the app's response. */
interface Exchange {
  readonly app: RunningApp
  readonly caller: Caller
  readonly settings: GatewayConfigInput
  readonly request: ClientRequest
  readonly response: AppResponse
}

/** A requirement on every response, checked with several requests to one app. */
const onEveryResponse = (
  name: RequirementName,
  given: typeof anywhere,
  holds: (exchange: Exchange) => void
): Requirement<Subject> =>
  requirement(
    name,
    { ...given, requests },
    Effect.fnUntraced(function*({ requests, ...circumstances }) {
      const app = yield* runApp(circumstances)
      for (const request of requests) {
        const { caller, settings } = circumstances
        holds({ app, caller, settings, request, response: yield* app.send(request) })
      }
    })
  )

/** Whether pages of an origin may read the app's responses, by the settings as an operator writes them. */
const mayRead = (allowed: GatewayConfigInput["allowed_origins"], origin: string): boolean =>
  allowed === undefined
    ? /^https?:\/\/(?:localhost|127\.0\.0\.1|\[::1\])(?::\d+)?$/.test(origin)
    : allowed === "*" || (origin !== "null" && [allowed].flat().includes(origin))

const listed = (field: string | null): ReadonlyArray<string> =>
  (field ?? "").split(",").map((name) => name.trim().toLowerCase())

/** A trace id that every implementation accepts. */
const validTraceId = oneOf(["trace-1", "0af7651916cd43dd8448eb211c80319c", "a".repeat(128), "A.b_c:1"])

const invalidTraceId = oneOf(["", "two words", "a".repeat(129), "quote\"", "a,b", "\u00ff", "a;b"])

// Stack frames, modules, and names of the runtime.
const internals = /(?:\n|\\n)\s+at |node_modules|node:internal|\.[cm]?[jt]s:\d/

/** The forms in which a token could leak. */
export const formsOf = (token: string): ReadonlyArray<string> => [
  token,
  ...token.split("."),
  btoa(token).replace(/=+$/, ""),
  encodeURIComponent(token)
]

export const everyResponse: ReadonlyArray<Requirement<Subject>> = [
  onEveryResponse(
    {
      id: "APP-01",
      title: "MUST send the CORS fields on every response, and none to pages of denied origins",
      source: "Fetch, section 3.3",
      runs: 60
    },
    anywhere,
    ({ response: { headers }, app, request, settings }) => {
      const { traceHeader } = app.settings
      const origin = request.headers["origin"]
      assert.includeMembers([...listed(headers.get("access-control-expose-headers"))], [
        "www-authenticate",
        "mcp-session-id",
        traceHeader
      ])
      assert.isFalse(headers.has("access-control-allow-credentials"))
      const allowed = headers.get("access-control-allow-origin")
      if (origin === undefined || mayRead(settings.allowed_origins, origin)) {
        assert.include(["*", origin ?? "*"], allowed)
      } else if (!request.target.startsWith("/.well-known/")) {
        assert.isNull(allowed)
      }
      // RFC 9110, section 12.5.5: a response that depends on the field must name it.
      if (allowed !== "*") assert.include(listed(headers.get("vary")), "origin")
    }
  ),

  requirement(
    {
      id: "APP-02",
      title: "MUST send a trace id on every response: the client's if it is valid, otherwise a new one",
      source: "src/forward/README.md, What the MCP server sees",
      runs: 30
    },
    {
      ...anywhere,
      request: either(anyRequest, Arbitrary.Constant(message())),
      sound: validTraceId,
      unsound: invalidTraceId
    },
    Effect.fnUntraced(function*({ request, sound, unsound, ...circumstances }) {
      const app = yield* runApp(circumstances)
      const { traceHeader } = app.settings
      const traceOf = (value: string) =>
        Effect.map(
          app.send({ ...request, headers: { ...request.headers, [traceHeader]: value } }),
          ({ headers }) => headers.get(traceHeader) ?? ""
        )
      assert.strictEqual(yield* traceOf(sound), sound)
      const made = [yield* traceOf(unsound), yield* traceOf(unsound)]
      assert.notInclude(made, unsound)
      for (const traceId of made) assert.match(traceId, /^[\x21-\x7e]{8,128}$/)
      assert.lengthOf(new Set(made), 2)
    })
  ),

  onEveryResponse(
    {
      id: "APP-03",
      title: "MUST send exactly one Bearer challenge with its own 401 and 403 responses, and none with others",
      source: "RFC 9110, section 11.6.1; RFC 6750, section 3; RFC 9728, section 5.1",
      runs: 60
    },
    anywhere,
    ({ response }) => {
      if (!response.relayed && (response.status === 401 || response.status === 403)) {
        assert.match(readChallenge(response).get("resource_metadata") ?? "", /^https?:\/\/[^"\\\s]+$/)
      } else {
        assert.isFalse(response.headers.has("www-authenticate"))
      }
    }
  ),

  onEveryResponse(
    {
      id: "APP-04",
      title: "MUST write its own errors in one JSON form, marked no-store, never as HTML",
      source: "RFC 6749, section 5.2; JSON-RPC 2.0, section 5.1; RFC 9110, section 15",
      runs: 60
    },
    anywhere,
    ({ response, app, request }) => {
      if (response.relayed) return
      assert.notMatch(response.headers.get("content-type") ?? "", /html|xml|script/)
      if (response.status < 400) return
      assert.strictEqual(response.headers.get("cache-control"), "no-store")
      if (request.method === "HEAD") assert.strictEqual(response.text, "")
      else if (readOwnError(response).dialect === "jsonrpc") assert.strictEqual(app.settings.errorStyle, "jsonrpc")
    }
  ),

  onEveryResponse(
    {
      id: "APP-05",
      title: "MUST NOT respond 5xx to anything a client sends while the verifier and the MCP server work",
      source: "RFC 9110, section 15.6",
      runs: 60
    },
    { ...anywhere, verdict: either(Arbitrary.Constant(good), rejected), upstream: Arbitrary.Constant(ordinary) },
    ({ response: { status, text } }) => {
      assert.isBelow(status, 500, text)
    }
  ),

  onEveryResponse(
    {
      id: "APP-06",
      title: "MUST NOT show the token or a part of it, the caller, a secret, or log details in any response",
      source: "RFC 6750, section 5.2",
      runs: 80
    },
    anywhere,
    ({ response: { headers, relayed, text }, caller }) => {
      const shown = [...headers].flat().join("\n") + text
      for (const secret of [...formsOf(caller.token), ...identityCanaries(caller), configuredSecret, privateDetail]) {
        assert.isFalse(shown.includes(secret), `${secret} is in the response`)
      }
      if (!relayed) assert.notMatch(shown, internals)
    }
  )
]
