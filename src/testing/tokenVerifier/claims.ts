/** The audience, issuer and subject of a token are compared exactly. */
import * as Arbitrary from "effect/Arbitrary"
import * as Effect from "effect/Effect"
import * as assert from "../assert.ts"
import { type Requirement, requirement } from "../Requirement.ts"
import { nearMiss, resembling, text } from "./arbitrary.ts"
import type { JwtVerifierSettings } from "./JwtVerifierOptions.ts"
import { decided, rejectedAlongside } from "./verdict.ts"
import { VerifierUnderTest } from "./VerifierUnderTest.ts"

/** Values that are not strings, derived from the valid one; `undefined` leaves the claim out. */
const notStrings: ReadonlyArray<(right: string) => unknown> = [
  () => undefined,
  () => null,
  () => 0,
  () => true,
  (right) => ({ 0: right }),
  (right) => ({ value: right, length: 1 }),
  () => []
]

const otherIssuers: ReadonlyArray<(right: string) => unknown> = [
  ...notStrings,
  ...resembling,
  (right) => [right],
  (right) => [right, right],
  (right) => [`${right}x`, right]
]

const otherAudiences: ReadonlyArray<(right: string) => unknown> = [
  ...notStrings,
  ...resembling,
  (right) => `${right}/`,
  (right) => [[right]],
  (right) => [null, right.slice(0, -2)],
  (right) => [right.slice(0, -1), right.slice(1)],
  (right) => [`${right}/`, `x${right}`],
  (right) => URL.canParse(right) ? new URL(right).origin : "null",
  (right) => [...right]
]

/** Generated changes, in addition to all listed ones. */
const changes = { made: Arbitrary.array(nearMiss, { minLength: 8, maxLength: 16 }) }

const audience: Requirement<VerifierUnderTest> = requirement(
  {
    id: "JWT-41",
    title: "MUST reject a token for another audience, however similar, or for none",
    source: "RFC 7519, section 4.1.3; RFC 8707; CVE-2025-69196",
    runs: 8
  },
  changes,
  ({ made }) =>
    Effect.gen(function*() {
      const { settings, sign, verify } = yield* VerifierUnderTest
      const good = yield* sign()
      const others = [...otherAudiences, ...made].map((change) => change(settings.audience))
      for (const aud of others.filter((other) => other !== settings.audience)) {
        yield* rejectedAlongside(verify, good, yield* sign({ claims: { aud } }))
      }
    })
)

/** Claims other than `aud` that may name the audience, or a client of this name. */
const audienceElsewhere = ["azp", "client_id", "appid", "resource", "audience", "sub", "iss_aud"]

const audienceClaim: Requirement<VerifierUnderTest> = requirement(
  {
    id: "JWT-45",
    title: "MUST NOT take another claim for the audience of a token",
    source: "RFC 7519, section 4.1.3; RFC 9068, section 4",
    runs: 5
  },
  { sub: text },
  ({ sub }) =>
    Effect.gen(function*() {
      const { settings: { audience }, sign, verify } = yield* VerifierUnderTest
      const good = yield* sign({ claims: { sub } })
      for (const aud of [undefined, "https://other.example/mcp", []]) {
        for (const name of audienceElsewhere) {
          yield* rejectedAlongside(verify, good, yield* sign({ claims: { sub, aud, [name]: audience } }))
        }
      }
    })
)

/** Claims that a token of a user's session has, and one of a program lacks. */
const sessions: ReadonlyArray<Readonly<Record<string, unknown>>> = [
  { sid: "s-1" },
  { auth_time: 1_700_000_000 },
  { preferred_username: "ada" },
  { email: "ada@example.com" },
  { scope: "openid mcp:read" },
  { scope: undefined, scp: ["offline_access"] }
]

/** Values that look like scopes with `admin` among them. */
const notScopes: ReadonlyArray<unknown> = [
  7,
  true,
  null,
  {},
  { 0: "admin", length: 1 },
  { admin: true },
  [["admin"]],
  ["admin", 7],
  [{ admin: true }],
  ["read admin"],
  ["read\tadmin"],
  ["read\nadmin"],
  "\u00a0admin",
  "admin\u0000",
  "ADMIN",
  "administrator sub:admin"
]

/** The requirements on `iss`, `aud`, `sub` and the scopes. */
export const claims = ({ checksAudience }: JwtVerifierSettings): ReadonlyArray<Requirement<VerifierUnderTest>> => [
  requirement(
    {
      id: "JWT-40",
      title: "MUST reject a token of another issuer, however similar, or without an issuer",
      source: "RFC 7519, section 4.1.1; CVE-2024-53861, CVE-2025-30144",
      runs: 8
    },
    changes,
    ({ made }) =>
      Effect.gen(function*() {
        const { issuer: { issuer }, sign, verify } = yield* VerifierUnderTest
        const good = yield* sign()
        const others = [...otherIssuers, ...made].map((change) => change(issuer))
        for (const iss of others.filter((other) => other !== issuer)) {
          yield* rejectedAlongside(verify, good, yield* sign({ claims: { iss } }))
        }
      })
  ),
  ...(checksAudience ? [audience, audienceClaim] : []),
  requirement(
    {
      id: "JWT-42",
      title: "MUST reject a token whose subject is missing, empty, or not a string",
      source: "RFC 7519, section 4.1.2; RFC 9068, section 2.2",
      runs: 5
    },
    { sub: text },
    ({ sub }) =>
      Effect.gen(function*() {
        const { sign, verify } = yield* VerifierUnderTest
        const good = yield* sign({ claims: { sub } })
        for (const other of [...notStrings.map((change) => change(sub)), "", [sub]]) {
          // A machine token without a subject is about its client (RFC 9068, section 2.2), which is missing here.
          const client = (other ?? undefined) === undefined ? { client_id: undefined, azp: undefined } : {}
          yield* rejectedAlongside(verify, good, yield* sign({ claims: { ...client, sub: other } }))
        }
      })
  ),
  requirement(
    {
      id: "JWT-44",
      title: "MUST NOT use the client as the subject of a user's token, which would merge all users into one",
      source: "RFC 9068, section 2.2; RFC 7519, section 4.1.2",
      runs: 5
    },
    { client: text },
    ({ client }) =>
      Effect.gen(function*() {
        const { sign, verify } = yield* VerifierUnderTest
        for (const session of sessions) {
          const good = yield* sign({ claims: { client_id: client, ...session } })
          yield* rejectedAlongside(
            verify,
            good,
            yield* sign({ claims: { client_id: client, ...session, sub: undefined } })
          )
          yield* rejectedAlongside(verify, good, yield* sign({ claims: { azp: client, ...session, sub: null } }))
        }
      })
  ),
  requirement(
    {
      id: "JWT-46",
      title: "MUST NOT report an e-mail address that the token marks as unverified",
      source: "OpenID Connect Core 1.0, section 5.1; CWE-290",
      runs: 5
    },
    { sub: text },
    ({ sub }) =>
      Effect.gen(function*() {
        const { sign, verify } = yield* VerifierUnderTest
        const email = "unverified@example.com"
        for (const said of [false, "false", "False", "no", "", 0, 1, [], [true], {}]) {
          const verdict = yield* decided(verify, yield* sign({ claims: { sub, email, email_verified: said } }))
          if ("subject" in verdict) {
            assert.notStrictEqual(verdict.email, email, `email_verified is ${JSON.stringify(said)}`)
          }
        }
      })
  ),
  requirement(
    {
      id: "JWT-43",
      title: "MUST NOT read scopes from anything but a list of words",
      source: "RFC 6749, section 3.3; RFC 8693, section 4.2",
      runs: 5
    },
    { sub: text },
    ({ sub }) =>
      Effect.gen(function*() {
        const { sign, verify } = yield* VerifierUnderTest
        for (const value of notScopes) {
          for (const scopes of [{ scope: value, scp: undefined }, { scope: undefined, scp: value }]) {
            const verdict = yield* decided(verify, yield* sign({ claims: { sub, ...scopes } }))
            if ("scopes" in verdict) assert.notInclude(verdict.scopes, "admin", JSON.stringify(value))
          }
        }
      })
  )
]
