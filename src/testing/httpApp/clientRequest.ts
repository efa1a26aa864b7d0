/** Requests as clients and attackers write them. */
import * as Arbitrary from "effect/Arbitrary"
import { either, oneOf, textOf } from "../arbitrary.ts"

/**
 * A request with placeholders in the target and in field values: `{mcp}` for the MCP path, `{token}` for the caller's
 * token.
 */
export interface ClientRequest {
  readonly method: string
  readonly target: string
  readonly headers: Readonly<Record<string, string>>
  readonly body?: string | undefined
  /** The body has no length: first the text, then what this function returns as the body is read. */
  readonly more?: (() => Uint8Array<ArrayBuffer> | undefined) | undefined
}

export const ping = `{"jsonrpc":"2.0","id":1,"method":"ping"}`

/** An ordinary request: a message with the caller's token. */
export const message = (
  headers: Readonly<Record<string, string>> = {},
  body = ping,
  target = "{mcp}"
): ClientRequest => ({
  method: "POST",
  target,
  headers: { authorization: "Bearer {token}", "content-type": "application/json", ...headers },
  body
})

export const get = (target: string, headers: Readonly<Record<string, string>> = {}): ClientRequest => ({
  method: "GET",
  target,
  headers
})

/** The methods that a Web `Request` can have, except `OPTIONS`, and some unknown ones. */
export const methods: ReadonlyArray<string> = [
  "GET",
  "HEAD",
  "POST",
  "PUT",
  "PATCH",
  "DELETE",
  "PROPFIND",
  "QUERY",
  "X-SHOUT"
]

/** One of the methods. */
export const anyMethod: Arbitrary.Arbitrary<string> = oneOf(methods)

const discoveryNames = ["oauth-protected-resource", "oauth-authorization-server", "openid-configuration"]

/** Every target with a discovery document. */
export const discoveryTarget: Arbitrary.Arbitrary<string> = Arbitrary.map(
  Arbitrary.all([oneOf(discoveryNames), oneOf(["", "{mcp}"])]),
  ([name, suffix]) => `/.well-known/${name}${suffix}`
)

const awkwardPiece = [
  "/",
  "//",
  "..",
  ".",
  "%2e%2e",
  "%2F",
  "%5c",
  ";a=b",
  "mcp",
  "{mcp}",
  "?",
  "&",
  "x",
  "%00",
  "%",
  "%zz",
  "%c3%28",
  "山"
]

/** Any target, well-formed or not, known or unknown. */
export const anyTarget: Arbitrary.Arbitrary<string> = either(
  Arbitrary.Constant("{mcp}"),
  discoveryTarget,
  oneOf(["{mcp}/tools", "{mcp}?a=b", "/healthz", "/readyz", "/favicon.ico", "{mcp}?access_token={token}"]),
  Arbitrary.map(textOf(awkwardPiece, { maxLength: 6 }), (text) => `/${text}`)
)

/** `Authorization` as clients and attackers write it; `undefined`: no field. */
export const anyAuthorization: Arbitrary.Arbitrary<string | undefined> = oneOf([
  undefined,
  "Bearer {token}",
  "bearer   {token}",
  "Bearer wrong",
  "Bearer {token}, Bearer {token}",
  "Bearer",
  "Bearer \u00ff\"",
  "Basic dXNlcjpwYXNz",
  `Bearer ${"a".repeat(9000)}`,
  "{token}",
  ","
])

export const anyOrigin: Arbitrary.Arbitrary<string | undefined> = oneOf([
  undefined,
  "https://app.example",
  "http://localhost:6274",
  "https://evil.example",
  "null",
  "\u00ff\""
])

/** Field values that RFC 9110, section 5.5, permits: visible Latin-1, with blanks inside. */
const awkwardValue = textOf(["a", " ", "\"", "\\", ",", ";", "=", "%0d%0a", "\u00ff", "\t", "{}", "<b>"], {
  maxLength: 6
})

/** Invalid values of `Host`. */
export const malformedHost: Arbitrary.Arbitrary<string> = oneOf([
  "evil.example\"",
  "evil.example\\",
  "evil .example",
  "user@evil.example",
  "evil.example,gateway.test",
  "evil.example/path",
  "evil.example?query",
  "evil.example#fragment",
  "evil.example:99999",
  "[evil::",
  "%65vil.example",
  "evil\u00e9.example"
])

const definedOnly = (headers: Readonly<Record<string, string | undefined>>): Record<string, string> =>
  Object.fromEntries(Object.entries(headers).flatMap(([name, value]) => value === undefined ? [] : [[name, value]]))

const anyHeaders: Arbitrary.Arbitrary<Record<string, string>> = Arbitrary.map(
  Arbitrary.all({
    authorization: anyAuthorization,
    origin: anyOrigin,
    host: either<string | undefined>(oneOf([undefined, "localhost:3000", "[::1]:8080"]), malformedHost),
    "content-type": oneOf([undefined, "application/json", "text/plain", "application/x-www-form-urlencoded"]),
    "content-encoding": oneOf([undefined, undefined, "gzip"]),
    connection: oneOf([undefined, "keep-alive", "authorization, x-auth-user-id"]),
    "x-trace-id": oneOf([undefined, "trace-1", "two words", "a".repeat(200)]),
    "x-forwarded-host": oneOf([undefined, "evil.example", "\"evil\""]),
    "access-control-request-headers": oneOf([undefined, "authorization, x-custom", "a b\""]),
    "mcp-session-id": awkwardValue,
    "x-awkward": awkwardValue
  }),
  definedOnly
)

const anyBody: Arbitrary.Arbitrary<string | undefined> = oneOf([
  undefined,
  "",
  ping,
  "{",
  "[]",
  "null",
  "{\"method\":\"a\",\"method\":\"b\"}",
  "access_token={token}",
  "\ufeff{}",
  "[".repeat(300)
])

/** The ordinary request with one change each, so that no other problem hides the effect. */
export const variations: Arbitrary.Arbitrary<ReadonlyArray<ClientRequest>> = Arbitrary.map(
  Arbitrary.all({
    method: anyMethod,
    target: anyTarget,
    authorization: anyAuthorization,
    origin: anyOrigin,
    host: malformedHost,
    body: anyBody
  }),
  ({ authorization, body, host, method, origin, target }) => {
    const good = message()
    return [
      { ...good, method },
      { ...good, target },
      { ...good, body },
      { ...good, headers: definedOnly({ ...good.headers, authorization }) },
      { ...good, headers: definedOnly({ ...good.headers, origin }) },
      { ...good, headers: { ...good.headers, host } }
    ]
  }
)

/** Any request, except a preflight. Its body is never an `initialize`. */
export const anyRequest: Arbitrary.Arbitrary<ClientRequest> = Arbitrary.all({
  method: anyMethod,
  target: anyTarget,
  headers: anyHeaders,
  body: anyBody
})
