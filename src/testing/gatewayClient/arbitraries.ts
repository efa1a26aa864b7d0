/** Generated requests and responses. */
import * as Arbitrary from "effect/Arbitrary"
import * as Schema from "effect/Schema"
import { identityHeaders } from "../../forward/identityHeaders.ts"
import { either, oneOf, textOf } from "../arbitrary.ts"

const characters = (from: number, to: number): ReadonlyArray<string> =>
  Array.from({ length: to - from + 1 }, (_, index) => String.fromCharCode(from + index))

const letters = [...characters(0x61, 0x7a), ...characters(0x41, 0x5a), ...characters(0x30, 0x39)]
const triplets = ["%20", "%2F", "%2f", "%2e", "%00", "%0d%0a", "%3F", "%E2%82%AC", "%ff", "%27"]

// RFC 3986, section 3.3, as far as URL parsers leave the characters unchanged.
const pathCharacters = [...letters, ..."-._~!$&()*+,;=:@", ...triplets]
const segment = Arbitrary.map(textOf(pathCharacters, { maxLength: 8 }), (text) => `/s${text}`)
// RFC 3986, section 3.4; parsers encode the apostrophe.
const query = Arbitrary.map(
  textOf([...pathCharacters, "/", "?", "&", "=", "a=1", "+", "&&", "b="], { minLength: 1, maxLength: 12 }),
  (text) => `?${text}`
)

/** Targets that every URL parser leaves unchanged. */
export const target: Arbitrary.Arbitrary<string> = Arbitrary.map(
  Arbitrary.all({
    segments: Arbitrary.array(segment, { maxLength: 3 }),
    query: either(Arbitrary.Constant(""), query, query, query)
  }),
  ({ query, segments }) => `/mcp${segments.join("")}${query}`
)

/** Targets that URL parsers change. */
export const trickyTarget: Arbitrary.Arbitrary<string> = Arbitrary.map(
  textOf(
    [
      "/",
      "/..",
      "/.",
      "/%2e%2e",
      "/.%2E",
      "\\",
      "//",
      "#",
      "?",
      "'",
      "\"",
      "<",
      "|",
      "`",
      "{",
      "@",
      ":",
      ";",
      "a",
      "\t"
    ],
    { minLength: 2, maxLength: 6 }
  ),
  (text) => `/mcp${text}`
)

export const method: Arbitrary.Arbitrary<string> = oneOf(["GET", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "HEAD"])

/** Methods that usually have a body. */
export const writingMethod: Arbitrary.Arbitrary<string> = oneOf(["POST", "PUT", "PATCH", "DELETE"])

const byte = Arbitrary.schema(Schema.Int.check(Schema.isBetween({ minimum: 0, maximum: 255 })))
const bytes = Arbitrary.map(
  either(Arbitrary.array(byte, { maxLength: 3 }), Arbitrary.array(byte, { minLength: 8, maxLength: 200 })),
  (numbers) => Uint8Array.from(numbers)
)

const repeated = (piece: Uint8Array, times: number): Uint8Array => {
  const whole = new Uint8Array(piece.length * times)
  for (let index = 0; index < times; index++) whole.set(piece, index * piece.length)
  return whole
}

/** Bytes: none, a few, or more than a buffer holds. */
export const body: Arbitrary.Arbitrary<Uint8Array> = Arbitrary.map(
  Arbitrary.all({ bytes, times: oneOf([1, 1, 1, 100, 1000, 20_000]) }),
  ({ bytes, times }) => repeated(bytes, times)
)

/** Bytes in chunks. */
export const chunks: Arbitrary.Arbitrary<ReadonlyArray<Uint8Array>> = Arbitrary.array(
  Arbitrary.filter(body, ({ length }) => length > 0),
  { minLength: 1, maxLength: 5 }
)

// RFC 9110, section 5.6.2; a made-up name, or one that clients send. Not `accept-encoding`: a client that cannot
// recognize decoded responses may request plain ones.
const tokenCharacters = [...characters(0x61, 0x7a), ...characters(0x30, 0x39), ..."!#$%&'*+-.^_`|~"]
const ownName = Arbitrary.map(
  textOf(tokenCharacters, { minLength: 1, maxLength: 12 }),
  (text) => `x-${text}`
)
const usualName = oneOf([
  "accept",
  "accept-language",
  "content-type",
  "etag",
  "last-event-id",
  "mcp-protocol-version",
  "mcp-session-id",
  "user-agent",
  "x-forwarded-for"
])

const visible = characters(0x21, 0x7e)
// RFC 9110, section 5.5: visible characters, including obsolete ones beyond ASCII, with blanks between them.
const value = either(
  Arbitrary.map(
    textOf([...visible, ...characters(0xa0, 0xff), " ", "   ", "\t", ", "], { minLength: 1, maxLength: 20 }),
    (text) => `v${text}v`
  ),
  oneOf(["", "a   b", "\"a\", W/\"b\""])
)

/** Fields of a request or a response: any valid name and value. */
export const fields: Arbitrary.Arbitrary<Record<string, string>> = Arbitrary.map(
  Arbitrary.all({
    own: Arbitrary.array(Arbitrary.all({ name: ownName, value }), { maxLength: 5 }),
    usual: Arbitrary.array(Arbitrary.all({ name: usualName, value }), { maxLength: 3 })
  }),
  ({ own, usual }) => Object.fromEntries([...own, ...usual].map(({ name, value }) => [name, value]))
)

/** Values that would end the field, or the head, and start another one. */
export const unwritableValue: Arbitrary.Arbitrary<string> = Arbitrary.map(
  Arbitrary.all({
    before: textOf(visible, { maxLength: 3 }),
    sign: oneOf(["\r\n", "\n", "\r", "\0", "\r\nx-auth-user-id: root\r\n", "\u0100", "\u{1f600}"]),
    after: textOf(visible, { minLength: 1, maxLength: 3 })
  }),
  ({ after, before, sign }) => `v${before}${sign}${after}`
)

// Without a body, or a redirect; 407 is for the client itself (RFC 9110, section 15.5.8), and 421 permits it to retry
// on another connection (section 15.5.20), which `fetch` does.
const unusualStatuses: ReadonlySet<number> = new Set([204, 205, 300, 301, 302, 303, 304, 307, 308, 407, 421])

/** Statuses of responses with a body that are returned unchanged; those of MCP servers are as likely as all others. */
export const status: Arbitrary.Arbitrary<number> = either(
  oneOf([200, 202, 400, 401, 403, 404, 405, 408, 409, 425, 429, 500, 502, 503, 504]),
  Arbitrary.filter(
    Arbitrary.schema(Schema.Int.check(Schema.isBetween({ minimum: 200, maximum: 599 }))),
    (status) => !unusualStatuses.has(status)
  )
)

const cookieText = textOf([...letters, ..."!#$%&'()*+-./:<=>?@[]^_`{|}~"], { minLength: 1, maxLength: 8 })
const attributes = oneOf([
  "",
  "; Path=/",
  "; Expires=Wed, 21 Oct 2026 07:28:00 GMT; HttpOnly",
  "; Max-Age=0; Secure; SameSite=Lax"
])

const cookie = Arbitrary.map(
  Arbitrary.all({ name: oneOf(["a", "b", "__Host-session", "x.y"]), text: cookieText, attributes }),
  ({ attributes, name, text }) => `${name}=${text}${attributes}`
)

/** `Set-Cookie` values of RFC 6265, section 4.1.1, including repeated names. */
export const cookies: Arbitrary.Arbitrary<ReadonlyArray<string>> = either(
  Arbitrary.all([cookie]),
  Arbitrary.array(cookie, { minLength: 2, maxLength: 4 }),
  Arbitrary.array(cookie, { minLength: 2, maxLength: 4 })
)

/** Bodies of concurrent requests. */
export const bodies: Arbitrary.Arbitrary<ReadonlyArray<Uint8Array>> = Arbitrary.array(body, {
  minLength: 2,
  maxLength: 12
})

/** The identity fields of callers with any name. */
export const identityFields: Arbitrary.Arbitrary<Record<string, string>> = Arbitrary.map(
  Arbitrary.all({
    subject: Arbitrary.schema(Schema.NonEmptyString),
    email: Arbitrary.schema(Schema.NonEmptyString),
    scopes: Arbitrary.array(Arbitrary.schema(Schema.NonEmptyString), { maxLength: 3 })
  }),
  (caller) =>
    identityHeaders({
      ...caller,
      issuer: "https://issuer.example",
      provider: "issuer",
      clientId: "client",
      name: undefined,
      expiresAt: undefined,
      claims: {}
    })
)

const event = Arbitrary.map(
  textOf([...letters, " ", "\ndata: ", ":"], { maxLength: 20 }),
  (text) => `data: ${text}\n\n`
)

/** Parts of an event stream that are no events: comments, with which servers keep connections alive, and lone fields. */
const betweenEvents = oneOf([": keep-alive\n\n", ":\n\n", ": a\r\n\r\n", "retry: 100\n\n", "id: 1\n\n", "\n"])

/** Parts of an event stream, in ASCII. The last one is a comment. */
export const eventTexts: Arbitrary.Arbitrary<ReadonlyArray<string>> = Arbitrary.map(
  Arbitrary.array(either(event, event, betweenEvents), { minLength: 1, maxLength: 6 }),
  (texts) => [...texts, ": the end\n\n"]
)

/** Random bytes, or the given texts. */
export const garbage = (meaningful: ReadonlyArray<string>): Arbitrary.Arbitrary<Uint8Array> =>
  either(
    // No response begins with these bytes.
    Arbitrary.map(bytes, (any) => Uint8Array.of(0x21, ...any)),
    Arbitrary.map(oneOf(meaningful), (text) => new TextEncoder().encode(text))
  )
