/** What holds for every answer, whatever was asked and in whatever circumstances. */
import * as Arbitrary from "effect/Arbitrary"
import * as Effect from "effect/Effect"
import type { GatewayConfigInput } from "../../config/GatewayConfigInput.ts"
import { either, oneOf } from "../arbitrary.ts"
import * as assert from "../assert.ts"
import { type Requirement, requirement, type RequirementName } from "../Requirement.ts"
import { anyCaller, anyVerdict, type Caller, good, identityCanaries, refused } from "./caller.ts"
import { anyRequest, type ClientRequest, message, variations } from "./clientRequest.ts"
import { privateDetail } from "./fixture.ts"
import { readChallenge, readOwnError } from "./ownError.ts"
import { type AppResponse, runApp, type RunningApp } from "./RunningApp.ts"
import { anySettings, configuredSecret } from "./settings.ts"
import type { Subject } from "./Subject.ts"
import { anyUpstream, ordinary } from "./upstream.ts"

const anywhere = { settings: anySettings, caller: anyCaller, verdict: anyVerdict, upstream: anyUpstream }

/** The good request, its variations, and one in which anything may be wrong. */
const requests: Arbitrary.Arbitrary<ReadonlyArray<ClientRequest>> = Arbitrary.map(
  Arbitrary.all([variations, anyRequest]),
  ([variations, any]) => [message(), ...variations, any]
)

/** A request, and what the app has made of it. */
interface Exchange {
  readonly app: RunningApp
  readonly caller: Caller
  readonly settings: GatewayConfigInput
  readonly request: ClientRequest
  readonly answer: AppResponse
}

/** A requirement on every answer: several requests to one app. */
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
        holds({ app, caller, settings, request, answer: yield* app.send(request) })
      }
    })
  )

/** Says whether pages of an origin may read what the app sends, by the settings as an operator writes them. */
const mayRead = (allowed: GatewayConfigInput["allowed_origins"], origin: string): boolean =>
  allowed === undefined
    ? /^https?:\/\/(?:localhost|127\.0\.0\.1|\[::1\])(?::\d+)?$/.test(origin)
    : allowed === "*" || (origin !== "null" && [allowed].flat().includes(origin))

const listed = (field: string | null): ReadonlyArray<string> =>
  (field ?? "").split(",").map((name) => name.trim().toLowerCase())

/** A trace id that anyone would accept. */
const validTraceId = oneOf(["trace-1", "0af7651916cd43dd8448eb211c80319c", "a".repeat(128), "A.b_c:1"])

const invalidTraceId = oneOf(["", "two words", "a".repeat(129), "quote\"", "a,b", "\u00ff", "a;b"])

// Stack frames, modules, and names of what runs here.
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
    ({ answer: { headers }, app, request, settings }) => {
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
      // RFC 9110, section 12.5.5: an answer that depends on the field must say so.
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
    ({ answer }) => {
      if (!answer.relayed && (answer.status === 401 || answer.status === 403)) {
        assert.match(readChallenge(answer).get("resource_metadata") ?? "", /^https?:\/\/[^"\\\s]+$/)
      } else {
        assert.isFalse(answer.headers.has("www-authenticate"))
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
    ({ answer, app, request }) => {
      if (answer.relayed) return
      assert.notMatch(answer.headers.get("content-type") ?? "", /html|xml|script/)
      if (answer.status < 400) return
      assert.strictEqual(answer.headers.get("cache-control"), "no-store")
      if (request.method === "HEAD") assert.strictEqual(answer.text, "")
      else if (readOwnError(answer).dialect === "jsonrpc") assert.strictEqual(app.settings.errorStyle, "jsonrpc")
    }
  ),

  onEveryResponse(
    {
      id: "APP-05",
      title: "MUST NOT respond 5xx to anything a client sends while the verifier and the MCP server work",
      source: "RFC 9110, section 15.6",
      runs: 60
    },
    { ...anywhere, verdict: either(Arbitrary.Constant(good), refused), upstream: Arbitrary.Constant(ordinary) },
    ({ answer: { status, text } }) => {
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
    ({ answer: { headers, relayed, text }, caller }) => {
      const shown = [...headers].flat().join("\n") + text
      for (const secret of [...formsOf(caller.token), ...identityCanaries(caller), configuredSecret, privateDetail]) {
        assert.isFalse(shown.includes(secret), `${secret} is in the answer`)
      }
      if (!relayed) assert.notMatch(shown, internals)
    }
  )
]
