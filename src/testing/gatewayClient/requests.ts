/** The parts of a request that must arrive, and those that must not. */
import * as Arbitrary from "effect/Arbitrary"
import * as Effect from "effect/Effect"
import type { Identity } from "../../identity/Identity.ts"
import * as assert from "../assert.ts"
import * as arbitraries from "./arbitraries.ts"
import { clientRequirement } from "./clientRequirement.ts"
import { bodyOf, connect, request, Subject } from "./Subject.ts"
import { type Exchange, ok, respond, type Upstream } from "./Upstream.ts"

/**
 * Fields that a client may add or change, because they belong to the connection or to the platform: they reveal nothing
 * about the caller.
 */
const ofTheClient: ReadonlySet<string> = new Set([
  "accept",
  "accept-encoding",
  "accept-language",
  "cache-control",
  "connection",
  "content-length",
  "host",
  "keep-alive",
  "pragma",
  "sec-fetch-mode",
  "transfer-encoding",
  "user-agent"
])

const namesOf = ({ fields }: Exchange): ReadonlyArray<string> => fields.map(([name]) => name.toLowerCase())

/** Returns the only request that has arrived. */
const onlyOf = ({ exchanges }: Upstream): Exchange => {
  const [only, ...others] = exchanges
  assert.isDefined(only, "no request has arrived")
  assert.lengthOf(others, 0, "a request has arrived again")
  return only
}

const assertCarries = (exchange: Exchange, headers: Readonly<Record<string, string>>): void => {
  for (const [name, value] of Object.entries(headers)) assert.deepStrictEqual(exchange.values(name), [value], name)
}

const decoded = (target: string): string =>
  target.replace(/%([0-9a-f]{2})/gi, (_, hex: string) => String.fromCharCode(Number.parseInt(hex, 16)))

/** A caller, which the fields of the request already describe as far as the server may know it. */
const identity: Identity = {
  subject: "ada",
  clientId: "desktop",
  issuer: "https://issuer.example",
  scopes: ["mcp:read"],
  email: "ada@example.com",
  name: "Ada",
  provider: "issuer",
  expiresAt: undefined,
  claims: { sub: "ada" }
}

export const requests = [
  clientRequirement(
    {
      id: "CLIENT-01",
      title: "MUST send the given method and target unchanged, once",
      source: "RFC 9112, section 3; RFC 9110, section 7.6",
      runs: 40
    },
    { method: arbitraries.method, target: arbitraries.target },
    Effect.fnUntraced(function*({ method, target }) {
      const { send, upstream } = yield* connect(ok)
      yield* send(request({ method, target, body: undefined }))
      const exchange = onlyOf(upstream)
      assert.strictEqual(exchange.method, method)
      assert.strictEqual(exchange.target, target)
    })
  ),

  clientRequirement(
    {
      id: "CLIENT-02",
      title: "MUST NOT send a target with another meaning than the given one",
      source: "RFC 3986, section 6.2.2; CVE-2026-26205"
    },
    { target: arbitraries.trickyTarget },
    Effect.fnUntraced(function*({ target }) {
      const { send, upstream } = yield* connect(ok)
      const outcome = yield* Effect.result(send(request({ target })))
      if (outcome._tag === "Success") assert.strictEqual(decoded(onlyOf(upstream).target), decoded(target))
      else {
        assert.strictEqual(outcome.failure._tag, "UpstreamUnavailable")
        assert.lengthOf(upstream.exchanges, 0)
      }
    })
  ),

  clientRequirement(
    {
      id: "CLIENT-03",
      title: "MUST send every given field once, byte for byte",
      source: "RFC 9110, sections 5.1 and 5.5"
    },
    { headers: arbitraries.fields },
    Effect.fnUntraced(function*({ headers }) {
      const { send, upstream } = yield* connect(ok)
      yield* send(request({ headers }))
      assertCarries(onlyOf(upstream), headers)
    })
  ),

  clientRequirement(
    {
      id: "CLIENT-04",
      title: "MUST send the identity of each request with that request only",
      source: "CWE-488; CVE-2026-32887"
    },
    { callers: Arbitrary.array(arbitraries.identityFields, { minLength: 2, maxLength: 4 }) },
    Effect.fnUntraced(function*({ callers }) {
      const { send, upstream } = yield* connect(ok)
      // The last request has no identity.
      const all: ReadonlyArray<Readonly<Record<string, string>>> = [...callers, {}]
      for (const headers of all) yield* Effect.scoped(send(request({ headers })))
      assert.lengthOf(upstream.exchanges, all.length)
      for (const [index, exchange] of upstream.exchanges.entries()) {
        const headers = all[index] ?? {}
        assertCarries(exchange, headers)
        const identity = namesOf(exchange).filter((name) => name.startsWith("x-auth-"))
        assert.sameMembers(identity, Object.keys(headers))
      }
    })
  ),

  clientRequirement(
    {
      id: "CLIENT-05",
      title: "MUST NOT add fields about the caller, the route or a trace, nor cookies",
      source: "RFC 9110, section 7.6; RFC 7239, section 8; W3C Trace Context"
    },
    { headers: arbitraries.fields },
    Effect.fnUntraced(function*({ headers }) {
      const { adds } = yield* Subject
      const { send, upstream } = yield* connect(respond(200, [["set-cookie", "session=1; Path=/"]]))
      for (let count = 0; count < 2; count++) {
        const response = yield* send(request({ headers, identity }))
        yield* bodyOf(response)
      }
      assert.lengthOf(upstream.exchanges, 2)
      for (const exchange of upstream.exchanges) {
        const added = namesOf(exchange).filter((name) =>
          !ofTheClient.has(name) && !adds.has(name) && !Object.hasOwn(headers, name)
        )
        assert.deepStrictEqual(added, [])
        assert.deepStrictEqual(exchange.values("host"), [new URL(upstream.origin).host])
        // The caller could not decode a coding that it has not requested.
        assert.includeMembers(["identity"], exchange.values("accept-encoding"))
      }
    }, Effect.withSpan("a request that is traced"))
  ),

  clientRequirement(
    {
      id: "CLIENT-06",
      title: "MUST send the body byte for byte, with exactly one kind of framing",
      source: "RFC 9112, section 6.3; CVE-2026-1525"
    },
    { method: arbitraries.writingMethod, body: arbitraries.body },
    Effect.fnUntraced(function*({ body, method }) {
      const { send, upstream } = yield* connect(ok)
      yield* send(request({ method, body }))
      const exchange = onlyOf(upstream)
      assert.isTrue(Buffer.from(body).equals(yield* exchange.body))
      // As long as a message may be.
      const long = new Uint8Array(4 * 1024 * 1024).fill(body[0] ?? 0x20)
      yield* send(request({ method, body: long }))
      assert.strictEqual((yield* upstream.exchanges[1]?.body ?? Effect.succeed(body)).length, long.length)
      const lengths = exchange.values("content-length")
      const codings = exchange.values("transfer-encoding")
      if (body.length > 0 || lengths.length + codings.length > 0) {
        assert.include([`${body.length};`, ";chunked"], `${lengths.join()};${codings.join()}`)
      }
    })
  ),

  clientRequirement(
    {
      id: "CLIENT-07",
      title: "MUST fail with UpstreamUnavailable, unsent, when a field value is invalid",
      source: "RFC 9110, section 5.5; CWE-113"
    },
    {
      headers: Arbitrary.map(
        Arbitrary.all({ headers: arbitraries.fields, unwritable: arbitraries.unwritableValue }),
        ({ headers, unwritable }) => ({ ...headers, "x-name": unwritable })
      )
    },
    Effect.fnUntraced(function*({ headers }) {
      const { send, upstream } = yield* connect(ok)
      const error = yield* Effect.flip(send(request({ headers })))
      assert.strictEqual(error._tag, "UpstreamUnavailable")
      assert.lengthOf(upstream.exchanges, 0)
    })
  )
]
