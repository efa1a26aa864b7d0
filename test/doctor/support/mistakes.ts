/** For each finding, a server that makes the mistake, and what else follows from it. */
import type { ExamineOptions } from "../../../src/doctor/examine.ts"
import {
  type Asked,
  change,
  goodToken,
  healthy,
  mcpPath,
  type Mistake,
  publicKey,
  type Told,
  withFields
} from "./HealthyServer.ts"

/** One mistake. */
export interface Case {
  readonly code: string
  /** The mistake in words, where a finding has several cases. */
  readonly what?: string
  readonly mistake: Mistake
  /** Findings that follow from the same mistake. */
  readonly also?: ReadonlyArray<string>
  readonly options?: Partial<ExamineOptions>
  /** Without the operator's token. */
  readonly withoutToken?: true
  /** The address to examine, from that of the server. */
  readonly address?: (url: URL) => URL
}

const wellKnown = "/.well-known/oauth-protected-resource"
const serverPlaces: ReadonlySet<string> = new Set([
  "/.well-known/oauth-authorization-server",
  "/.well-known/openid-configuration"
])

const html: Told = { status: 200, headers: { "content-type": "text/html" }, body: "<!doctype html><title>App</title>" }

const isMcp = ({ path }: Asked): boolean => path === mcpPath
const hasGoodToken = ({ headers }: Asked): boolean => headers.authorization === `Bearer ${goodToken}`
const isAnonymous = (asked: Asked): boolean =>
  isMcp(asked) && asked.method !== "OPTIONS" && asked.headers.authorization === undefined
const isFirst = (asked: Asked): boolean => isAnonymous(asked) && asked.rpc === "initialize"

/** Requests for which the response is another one. */
const respond = (matches: (asked: Asked) => boolean, told: Told | ((asked: Asked, well: Told) => Told)): Mistake =>
(
  asked,
  well
) => matches(asked) ? typeof told === "function" ? told(asked, well) : told : undefined

const at = (path: string) => (asked: Asked): boolean => asked.path === path

/** Other members of the resource metadata, at each place. */
const resourceWith = (members: (origin: string) => Readonly<Record<string, unknown>>): Mistake =>
  respond(
    ({ path }) => path.startsWith(wellKnown),
    ({ origin }, well) => well.status === 200 ? change(well, members(origin)) : well
  )

/** Other members of the authorization server's metadata, at each place. */
const serverWith = (members: (origin: string) => Readonly<Record<string, unknown>>): Mistake =>
  respond(({ path }) => serverPlaces.has(path), ({ origin }, well) => change(well, members(origin)))

/** Another challenge for all requests without a good token. */
const challengeWith = (field: (origin: string) => string): Mistake =>
  respond(
    (asked) => isMcp(asked) && !hasGoodToken(asked),
    ({ origin }, well) => well.status === 401 ? withFields(well, { "www-authenticate": field(origin) }) : well
  )

const named = (origin: string): string => `resource_metadata="${origin}${wellKnown}${mcpPath}"`

const keysWith = (keys: ReadonlyArray<object>): Mistake => respond(at("/jwks"), { status: 200, body: { keys } })

const inSession = (asked: Asked): boolean => isMcp(asked) && hasGoodToken(asked)

const called = (method: string) => (asked: Asked): boolean => inSession(asked) && asked.rpc === method

const rpcResult = (result: object): Told => ({ status: 200, body: { jsonrpc: "2.0", id: 1, result } })

/** A server without authorization. */
const open: Mistake = ({ headers, method, path, rpc }) => {
  if (path !== mcpPath || method === "OPTIONS") return undefined
  if (headers.origin !== undefined) return { status: 403 }
  if (method !== "POST") return { status: 405 }
  if (rpc === "initialize") return rpcResult({ protocolVersion: "2025-11-25", capabilities: { tools: {} } })
  if (rpc?.startsWith("notifications/") === true) return { status: 202 }
  const revision = headers["mcp-protocol-version"]
  if (revision !== undefined && revision !== "2025-11-25") return { status: 400 }
  return rpc === "tools/list" ? rpcResult({ tools: [] }) : rpcResult({})
}

const modernResult = (versions: ReadonlyArray<string>) => rpcResult({ supportedVersions: versions, capabilities: {} })

/** A server that also speaks 2026-07-28, correctly but for `mistake`. */
const modern = (mistake: Mistake): Mistake => (asked, well) => {
  const isModern = inSession(asked) && asked.method === "POST" && asked.headers["mcp-protocol-version"] === "2026-07-28"
  if (!isModern) return undefined
  const wrong = mistake(asked, well)
  if (wrong !== undefined) return wrong
  if (asked.headers["mcp-method"] !== asked.rpc) {
    return { status: 400, body: { jsonrpc: "2.0", id: 1, error: { code: -32_020, message: "mismatch" } } }
  }
  return asked.rpc === "server/discover"
    ? modernResult(["2026-07-28", "2025-11-25"])
    : { status: 404, body: { jsonrpc: "2.0", id: 1, error: { code: -32_601, message: "unknown" } } }
}

const part = (value: object): string => Buffer.from(JSON.stringify(value)).toString("base64url")

const signatureOfNoKey = "c2lnbmF0dXJlLW9mLW5vLWtleS1hdC1hbGw"

const error = (status: number, code: number): Told => ({
  status,
  body: { jsonrpc: "2.0", id: 1, error: { code, message: "error" } }
})

/** A server that knows no `initialize`. */
const modernOnly = ({ headers, method, rpc }: Asked): Told => {
  if (headers.origin !== undefined && !headers.origin.includes("localhost")) return { status: 403 }
  if (method !== "POST") return { status: 405, headers: { allow: "POST" } }
  if (headers["mcp-protocol-version"] !== "2026-07-28") return error(400, -32_022)
  if (headers["mcp-method"] !== rpc) return error(400, -32_020)
  switch (rpc) {
    case "server/discover":
      return rpcResult({ supportedVersions: ["2026-07-28"], capabilities: { tools: {} } })
    case "tools/list":
      return rpcResult({ tools: [{ name: "echo", inputSchema: { type: "object" } }] })
    case "tools/call":
      return headers["mcp-name"] === "echo" ? rpcResult({ content: [] }) : error(400, -32_020)
    default:
      return error(404, -32_601)
  }
}

export const openModern: Mistake = (asked) => isMcp(asked) && asked.method !== "OPTIONS" ? modernOnly(asked) : undefined

export const protectedModern: Mistake = (asked) =>
  inSession(asked) && asked.method !== "OPTIONS" ? modernOnly(asked) : undefined

/** A JWT without a signature that anyone could verify. */
export const jwt = (claims: object, signature = signatureOfNoKey): string => {
  return `${part({ alg: "ES256", kid: "one" })}.${part(claims)}.${signature}`
}

/** Rejects every token of the operator. */
const rejecting = (told: (origin: string) => Told): Mistake =>
  respond(
    (asked) => isMcp(asked) && (asked.headers.authorization ?? "").includes(".") && asked.headers.origin === undefined,
    ({ origin }) => told(origin)
  )

const invalidToken = (origin: string): Told => ({
  status: 401,
  headers: {
    "www-authenticate": `Bearer error="invalid_token", error_description="Invalid audience", ${named(origin)}`
  }
})

/** Sends the pieces of a body at these times, in milliseconds. */
const pieces =
  (headers: Readonly<Record<string, string>>, parts: ReadonlyArray<readonly [number, string]>): Mistake => (asked) =>
    !(inSession(asked) && (asked.method === "GET" || asked.rpc === "tools/call")) ? undefined : (response) => {
      const last = parts.at(-1)?.[0] ?? 0
      for (const [millis, text] of parts) {
        setTimeout(() => {
          if (!response.headersSent) response.writeHead(200, { "content-type": "text/event-stream", ...headers })
          if (millis === last) response.end(text)
          else response.write(text)
        }, millis)
      }
    }

const event = (message: object): string => `data: ${JSON.stringify({ jsonrpc: "2.0", ...message })}\n\n`
const progress = (value: number) =>
  event({ method: "notifications/progress", params: { progressToken: "doctor", progress: value } })
const result = event({ id: 6, result: { content: [] } })

/** A tool whose progress arrives in time, for `--call`. */
export const steadyTool: Mistake = (asked, well) =>
  asked.rpc === "tools/call"
    ? pieces({}, [[50, progress(1)], [500, progress(2)], [1_000, result]])(asked, well)
    : undefined

const call = { call: { tool: "slow", arguments: {} } }

export const cases: ReadonlyArray<Case> = [
  // The address
  {
    code: "url-credentials",
    mistake: () => undefined,
    address: (url) => new URL(url.href.replace("http://", "http://user:secret@"))
  },
  {
    code: "url-secret",
    mistake: () => undefined,
    address: (url) => new URL(`${url.href}?api_key=abc`),
    also: ["not-found"]
  },
  { code: "url-fragment", mistake: () => undefined, address: (url) => new URL(`${url.href}#tools`) },
  { code: "not-found", mistake: respond(isMcp, { status: 404 }) },
  {
    code: "not-found",
    what: "POST is not allowed",
    mistake: respond(isMcp, { status: 405, headers: { allow: "GET" } })
  },
  {
    code: "old-transport",
    mistake: (asked) => {
      if (!isMcp(asked)) return undefined
      return asked.method === "GET"
        ? {
          status: 200,
          headers: { "content-type": "text/event-stream" },
          body: "event: endpoint\ndata: /messages?id=1\n\n"
        }
        : { status: 405 }
    }
  },
  { code: "server-error", mistake: respond(isMcp, { status: 502 }) },
  { code: "html", mistake: respond(isMcp, html) },
  { code: "host-rejected", mistake: respond(isMcp, { status: 421, body: "Invalid Host header" }) },
  { code: "redirect-method", mistake: respond(isMcp, { status: 301, headers: { location: "/mcp/" } }) },
  {
    code: "redirect-origin",
    mistake: respond(isMcp, { status: 308, headers: { location: "https://elsewhere.invalid/mcp" } })
  },
  {
    code: "redirect-login",
    mistake: respond(isMcp, { status: 302, headers: { location: "/oauth2/start?rd=%2Fmcp" } })
  },
  {
    code: "redirect-login",
    what: "a page with a form",
    mistake: respond(isMcp, { ...html, status: 403, body: "<!doctype html><form>Sign in with Google</form>" })
  },
  {
    code: "redirect-slash",
    mistake: (asked, well) => {
      if (asked.path === "/mcp") return { status: 307, headers: { location: "/mcp/v1" } }
      return asked.path === "/mcp/v1" && !hasGoodToken(asked) ?
        withFields({ ...well, status: 401, body: {} }, {
          "www-authenticate": `Bearer ${named(asked.origin)}`
        }) :
        undefined
    },
    withoutToken: true,
    also: ["resource-prefix", "resource-inserted-missing", "cors-preflight"]
  },
  // The challenge
  { code: "open", mistake: open },
  { code: "forbidden", mistake: respond(isAnonymous, { status: 403 }), withoutToken: true },
  { code: "rate-limited", mistake: respond(isAnonymous, { status: 429 }), withoutToken: true },
  { code: "not-challenged", mistake: respond(isAnonymous, { status: 400 }), withoutToken: true },
  {
    code: "tool-error",
    mistake: respond(isAnonymous, {
      status: 200,
      body: { jsonrpc: "2.0", id: 1, error: { code: -32_001, message: "Unauthorized" } }
    }),
    withoutToken: true
  },
  { code: "challenge-missing", mistake: respond(isFirst, { status: 401 }) },
  {
    code: "challenge-missing",
    what: "renamed by a gateway",
    mistake: respond(isFirst, { status: 401, headers: { "x-amzn-remapped-www-authenticate": "Bearer" } })
  },
  {
    code: "forbidden",
    what: "by a filter of bots",
    mistake: respond(isAnonymous, { status: 403, headers: { "cf-mitigated": "challenge" } }),
    withoutToken: true
  },
  {
    code: "challenge-login",
    mistake: (asked) => {
      if (!isMcp(asked) || asked.method === "OPTIONS" || hasGoodToken(asked)) return undefined
      return asked.headers.accept === "text/html"
        ? {
          status: 403,
          headers: { "content-type": "text/html" },
          body: "<!doctype html><button>Sign in with Google</button>"
        }
        : { status: 401, body: {} }
    },
    also: ["challenge-missing", "bad-token-challenge"]
  },
  {
    code: "challenge-malformed",
    mistake: challengeWith(() => "Bearer realm=\"x, scope"),
    also: ["bad-token-challenge"]
  },
  { code: "challenge-not-bearer", mistake: challengeWith(() => "Basic realm=\"mcp\""), also: ["bad-token-challenge"] },
  {
    code: "challenge-not-first",
    mistake: challengeWith((origin) => `Negotiate, Bearer ${named(origin)}, scope="mcp"`)
  },
  { code: "challenge-no-metadata", mistake: challengeWith(() => "Bearer scope=\"mcp\"") },
  { code: "challenge-metadata-url", mistake: challengeWith(() => `Bearer resource_metadata="${wellKnown}${mcpPath}"`) },
  {
    code: "challenge-metadata-http",
    mistake: challengeWith(() => `Bearer resource_metadata="http://mcp.invalid${wellKnown}${mcpPath}"`),
    also: ["challenge-metadata-host", "resource-named-missing", "resource-error"]
  },
  {
    code: "challenge-metadata-host",
    mistake: challengeWith((origin) => `Bearer ${named(origin.replace("127.0.0.1", "localhost"))}`)
  },
  {
    code: "challenge-description",
    mistake: challengeWith((origin) => `Bearer error_description="needs scope=admin", ${named(origin)}`)
  },
  { code: "challenge-error", mistake: challengeWith((origin) => `Bearer error="unauthorized", ${named(origin)}`) },
  {
    code: "get-not-challenged",
    mistake: respond((asked) => isAnonymous(asked) && asked.method === "GET", { status: 405 })
  },
  {
    code: "modern-not-challenged",
    mistake: respond((asked) => isAnonymous(asked) && asked.rpc === "server/discover", { status: 400 })
  },
  {
    code: "bad-token-accepted",
    mistake: respond(
      (asked) => isMcp(asked) && asked.rpc === "initialize" && asked.headers.authorization !== undefined,
      rpcResult({ protocolVersion: "2025-11-25", capabilities: {} })
    ),
    withoutToken: true
  },
  {
    code: "bad-token-status",
    mistake: respond((asked) => isMcp(asked) && asked.headers.authorization?.includes("made-up") === true, {
      status: 403
    })
  },
  {
    code: "bad-token-challenge",
    mistake: respond((asked) => isMcp(asked) && asked.headers.authorization?.includes("made-up") === true, {
      status: 401
    })
  },
  {
    code: "challenge-html",
    mistake: respond(
      isFirst,
      (_, well) => ({ ...withFields(well, { "content-type": "text/html" }), body: "<html></html>" })
    )
  },
  // The resource metadata
  {
    code: "resource-missing",
    mistake: (asked, well) => {
      if (asked.path.startsWith("/.well-known/")) return { status: 404 }
      return isAnonymous(asked) && well.status === 401 ? withFields(well, { "www-authenticate": "Bearer" }) : undefined
    },
    also: ["challenge-no-metadata"]
  },
  {
    code: "resource-legacy",
    mistake: (asked, well) => {
      if (asked.path.startsWith(wellKnown)) return { status: 404 }
      return isAnonymous(asked) && well.status === 401 ? withFields(well, { "www-authenticate": "Bearer" }) : undefined
    },
    also: ["challenge-no-metadata"]
  },
  {
    code: "resource-named-missing",
    mistake: challengeWith((origin) => `Bearer resource_metadata="${origin}/nowhere"`)
  },
  {
    code: "resource-inserted-missing",
    mistake: (asked, well) => {
      if (asked.path === `${wellKnown}${mcpPath}`) return { status: 404 }
      return isAnonymous(asked) && well.status === 401
        ? withFields(well, { "www-authenticate": "Bearer scope=\"mcp\"" })
        : undefined
    },
    also: ["challenge-no-metadata"]
  },
  { code: "resource-root-missing", mistake: respond(at(wellKnown), { status: 404 }) },
  { code: "resource-protected", mistake: respond(at(wellKnown), { status: 401 }), also: ["resource-root-missing"] },
  { code: "resource-html", mistake: respond(at(wellKnown), html), also: ["resource-root-missing"] },
  {
    code: "resource-redirects",
    mistake: respond(at(wellKnown), { status: 302, headers: { location: `${wellKnown}${mcpPath}` } })
  },
  { code: "resource-error", mistake: respond(at(wellKnown), { status: 500 }), also: ["resource-root-missing"] },
  {
    code: "resource-media-type",
    mistake: respond(at(wellKnown), (_, well) => withFields(well, { "content-type": "text/plain" }))
  },
  { code: "resource-no-identifier", mistake: resourceWith(() => ({ resource: undefined })) },
  { code: "resource-other", mistake: resourceWith(() => ({ resource: "https://mcp.example/mcp" })) },
  { code: "resource-prefix", mistake: resourceWith((origin) => ({ resource: origin })) },
  { code: "resource-slash", mistake: resourceWith((origin) => ({ resource: `${origin}${mcpPath}/` })) },
  { code: "resource-no-servers", mistake: resourceWith(() => ({ authorization_servers: [] })) },
  {
    code: "resource-server-url",
    mistake: resourceWith((origin) => ({ authorization_servers: [origin, "http://idp.example"] })),
    also: ["resource-several-servers"]
  },
  {
    code: "resource-several-servers",
    mistake: resourceWith((origin) => ({ authorization_servers: [origin, `${origin}/other`] })),
    also: ["server-missing"]
  },
  {
    code: "resource-disagree",
    mistake: respond(at(wellKnown), ({ origin }, well) => change(well, { resource: origin }))
  },
  { code: "resource-null", mistake: resourceWith(() => ({ resource_name: null })) },
  { code: "resource-types", mistake: resourceWith(() => ({ scopes_supported: "mcp" })) },
  { code: "resource-offline-access", mistake: resourceWith(() => ({ scopes_supported: ["mcp", "offline_access"] })) },
  { code: "resource-bearer-methods", mistake: resourceWith(() => ({ bearer_methods_supported: ["query"] })) },
  // The authorization server's metadata
  { code: "server-missing", mistake: respond(({ path }) => serverPlaces.has(path), { status: 404 }) },
  {
    code: "server-early-error",
    mistake: respond(at("/.well-known/oauth-authorization-server"), { status: 500 })
  },
  { code: "server-early-html", mistake: respond(at("/.well-known/oauth-authorization-server"), html) },
  {
    code: "server-redirects",
    mistake: respond(at("/.well-known/oauth-authorization-server"), {
      status: 302,
      headers: { location: "/.well-known/openid-configuration" }
    })
  },
  { code: "server-no-issuer", mistake: serverWith(() => ({ issuer: undefined })) },
  { code: "server-other-issuer", mistake: serverWith(() => ({ issuer: "https://idp.internal" })) },
  { code: "server-issuer-slash", mistake: serverWith((origin) => ({ issuer: `${origin}/` })) },
  { code: "server-endpoint-missing", mistake: serverWith(() => ({ token_endpoint: undefined })) },
  {
    code: "server-endpoint-http",
    mistake: serverWith(() => ({ token_endpoint: "http://idp.invalid/token" })),
    also: ["cors-provider"]
  },
  { code: "server-endpoint-dead", mistake: respond(at("/authorize"), { status: 404 }) },
  { code: "server-no-code", mistake: serverWith(() => ({ response_types_supported: ["token"] })) },
  { code: "server-no-refresh", mistake: serverWith(() => ({ grant_types_supported: ["authorization_code"] })) },
  { code: "server-scopes", mistake: serverWith(() => ({ scopes_supported: ["openid"] })) },
  {
    code: "server-clock",
    mistake: respond(
      ({ path }) => serverPlaces.has(path),
      // @effect-diagnostics-next-line globalDate:off - the date of a server, by its own clock.
      (_, well) => withFields(well, { date: new Date(Date.now() - 600_000).toUTCString() })
    )
  },
  { code: "server-no-iss", mistake: serverWith(() => ({ authorization_response_iss_parameter_supported: undefined })) },
  // PKCE and registration
  { code: "pkce-absent", mistake: serverWith(() => ({ code_challenge_methods_supported: undefined })) },
  { code: "pkce-no-s256", mistake: serverWith(() => ({ code_challenge_methods_supported: ["plain"] })) },
  {
    code: "registration-none",
    mistake: serverWith(() => ({ registration_endpoint: undefined, client_id_metadata_document_supported: false }))
  },
  { code: "registration-dead", mistake: respond(at("/register"), { status: 404 }), also: ["cors-provider"] },
  {
    code: "registration-closed",
    mistake: respond((asked) => asked.path === "/register" && asked.method === "POST", {
      status: 401,
      body: { error: "invalid_token", error_description: "an initial access token is needed" }
    })
  },
  {
    code: "registration-closed",
    what: "a policy that only a real registration meets",
    mistake: respond((asked) => asked.path === "/register" && asked.text.includes("127.0.0.1"), {
      status: 403,
      body: { error: "insufficient_scope", error_description: "Policy 'Trusted Hosts' rejected request" }
    }),
    options: { register: true }
  },
  {
    code: "registration-confidential",
    mistake: serverWith(() => ({ token_endpoint_auth_methods_supported: ["client_secret_basic"] }))
  },
  {
    code: "registration-documents-none",
    mistake: serverWith(() => ({ client_id_metadata_document_supported: undefined }))
  },
  // Keys
  { code: "keys-absent", mistake: serverWith(() => ({ jwks_uri: undefined })) },
  { code: "keys-unreadable", mistake: respond(at("/jwks"), html) },
  { code: "keys-none", mistake: keysWith([]) },
  { code: "keys-private", mistake: keysWith([publicKey, { kty: "oct", k: "c2VjcmV0", kid: "two" }]) },
  { code: "keys-faulty", mistake: keysWith([publicKey, { ...publicKey, kid: "two", y: publicKey.x }]) },
  {
    code: "keys-no-id",
    mistake: keysWith([
      publicKey,
      { kty: "OKP", crv: "Ed25519", x: "11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo" }
    ])
  },
  // The token
  {
    code: "token-rejected",
    mistake: respond(
      inSession,
      ({ origin, headers }, well) => headers.origin === undefined ? invalidToken(origin) : well
    )
  },
  {
    code: "token-expired",
    mistake: rejecting(invalidToken),
    options: {},
    also: []
  },
  { code: "token-audience", mistake: rejecting(invalidToken) },
  { code: "token-issuer", mistake: rejecting(invalidToken) },
  {
    code: "token-rejected",
    what: "for want of a key",
    mistake: respond(
      inSession,
      ({ headers, origin }, well) =>
        headers.origin === undefined
          ? {
            ...invalidToken(origin),
            headers: {
              "www-authenticate": `Bearer error_description="no matching key for this token", ${named(origin)}`
            }
          }
          : well
    )
  },
  {
    code: "token-lost",
    mistake: respond(
      inSession,
      ({ headers, origin }, well) =>
        headers.origin === undefined
          ? {
            ...invalidToken(origin),
            headers: { "www-authenticate": `Bearer error_description="Missing Authorization header", ${named(origin)}` }
          }
          : well
    )
  },
  {
    code: "token-scope",
    mistake: respond(inSession, ({ headers, origin }, well) =>
      headers.origin === undefined
        ? {
          status: 403,
          headers: { "www-authenticate": `Bearer error="insufficient_scope", scope="admin", ${named(origin)}` }
        }
        : well)
  },
  {
    code: "token-failed",
    mistake: respond((asked) => inSession(asked) && asked.headers.origin === undefined, { status: 503 })
  },
  {
    code: "token-unchecked-signature",
    mistake: respond(
      (asked) =>
        isMcp(asked) && !hasGoodToken(asked) && asked.rpc === "initialize" &&
        asked.headers.authorization?.startsWith("Bearer good") === true &&
        asked.headers.origin === undefined,
      rpcResult({ protocolVersion: "2025-11-25", capabilities: {} })
    )
  },
  {
    code: "session-without-token",
    mistake: respond((asked) => isAnonymous(asked) && asked.headers["mcp-session-id"] !== undefined, rpcResult({}))
  },
  {
    code: "token-foreign-audience",
    mistake: (asked) => {
      const { authorization, origin } = asked.headers
      const isJwt = authorization?.startsWith("Bearer eyJ") === true && authorization.endsWith(`.${signatureOfNoKey}`)
      return isMcp(asked) && isJwt && origin === undefined
        ? healthy({ ...asked, headers: { ...asked.headers, authorization: `Bearer ${goodToken}` } })
        : undefined
    }
  },
  // Messages
  {
    code: "initialize-failed",
    mistake: respond(called("initialize"), {
      status: 200,
      body: { jsonrpc: "2.0", id: 1, error: { code: -32_603, message: "Internal error" } }
    })
  },
  {
    code: "response-media-type",
    mistake: respond(called("initialize"), (_, well) => withFields(well, { "content-type": "text/plain" }))
  },
  {
    code: "revision-unknown",
    mistake: respond(called("initialize"), (_, well) => ({
      ...well,
      body: { jsonrpc: "2.0", id: 1, result: { protocolVersion: "2027-01-01", capabilities: {} } }
    })),
    also: ["session-lost"]
  },
  {
    code: "session-characters",
    mistake: respond(called("initialize"), (_, well) => withFields(well, { "mcp-session-id": "a b" })),
    also: ["session-lost"]
  },
  { code: "notification-status", mistake: respond(called("notifications/initialized"), { status: 204 }) },
  { code: "session-lost", mistake: respond(called("notifications/initialized"), { status: 404 }) },
  { code: "list-failed", mistake: respond(called("tools/list"), { status: 500 }) },
  {
    code: "session-unknown-status",
    mistake: respond(
      (asked) => inSession(asked) && String(asked.headers["mcp-session-id"]).startsWith("0000"),
      { status: 400 }
    )
  },
  {
    code: "revision-field",
    mistake: respond(
      (asked) => inSession(asked) && asked.headers["mcp-protocol-version"] === "1999-01-01",
      rpcResult({})
    )
  },
  { code: "modern-failed", mistake: respond(called("server/discover"), { status: 500 }) },
  { code: "modern-malformed", mistake: modern(respond(called("server/discover"), rpcResult({}))) },
  {
    code: "modern-mismatch",
    mistake: modern(respond(called("server/discover"), modernResult(["2026-07-28"])))
  },
  {
    code: "modern-unknown-method",
    mistake: modern(respond((asked) => asked.rpc?.endsWith("/unknown") === true, {
      status: 200,
      body: { jsonrpc: "2.0", id: 1, error: { code: -32_601, message: "unknown" } }
    }))
  },
  // Event streams
  {
    code: "get-status",
    mistake: respond((asked) => inSession(asked) && asked.method === "GET", { status: 404 })
  },
  { code: "stream-held", mistake: pieces({}, [[8_000, event({})]]) },
  { code: "stream-length", mistake: pieces({ "content-length": "8" }, [[0, ": beat\n\n"]]), also: ["stream-ends"] },
  { code: "stream-compressed", mistake: pieces({ "content-encoding": "gzip" }, [[0, "x"], [500, "y"], [1_500, "z"]]) },
  { code: "stream-ends", mistake: pieces({}, [[0, ": beat\n\n"], [50, ": beat\n\n"]]) },
  {
    code: "stream-bunched",
    mistake: (asked, well) =>
      asked.rpc === "tools/call" ? pieces({}, [[1_000, progress(1) + progress(2) + result]])(asked, well) : undefined,
    options: call
  },
  // Discovery probes
  { code: "probe-protected", mistake: respond(at(`${mcpPath}${wellKnown}`), { status: 401 }) },
  { code: "probe-html", mistake: respond(at(`${mcpPath}${wellKnown}`), html) },
  { code: "probe-error", mistake: respond(at(`${mcpPath}${wellKnown}`), { status: 500 }) },
  {
    code: "probe-redirects",
    mistake: respond(at(`${mcpPath}${wellKnown}`), { status: 302, headers: { location: "/" } })
  },
  {
    code: "probe-other-issuer",
    mistake: (asked, well) => {
      if (asked.path.startsWith(wellKnown)) {
        return change(well, { authorization_servers: [asked.origin.replace("127.0.0.1", "localhost")] })
      }
      return serverPlaces.has(asked.path)
        ? change(well, { issuer: asked.origin.replace("127.0.0.1", "localhost") })
        : undefined
    }
  },
  // Browsers
  { code: "cors-preflight", mistake: respond((asked) => isMcp(asked) && asked.method === "OPTIONS", { status: 401 }) },
  {
    code: "cors-origin",
    mistake: respond(
      (asked) => isMcp(asked) && asked.method === "OPTIONS",
      (_, well) => withFields(well, { "access-control-allow-origin": "https://app.example" })
    )
  },
  {
    code: "cors-headers",
    mistake: respond(
      (asked) => isMcp(asked) && asked.method === "OPTIONS",
      (_, well) => withFields(well, { "access-control-allow-headers": "*" })
    )
  },
  {
    code: "cors-methods",
    mistake: respond(
      (asked) => isMcp(asked) && asked.method === "OPTIONS",
      (_, well) => withFields(well, { "access-control-allow-methods": "GET, POST" })
    )
  },
  {
    code: "cors-exposed",
    mistake: respond(isFirst, (_, well) => withFields(well, { "access-control-expose-headers": "Retry-After" }))
  },
  {
    code: "cors-error-origin",
    mistake: respond(isFirst, (_, well) => withFields(well, { "access-control-allow-origin": "null" }))
  },
  {
    code: "cors-metadata",
    mistake: respond(
      at(`${wellKnown}${mcpPath}`),
      (_, well) => withFields(well, { "access-control-allow-origin": "null" })
    )
  },
  {
    code: "cors-provider",
    mistake: respond(at("/token"), (_, well) => withFields(well, { "access-control-allow-origin": "null" }))
  },
  {
    code: "cors-credentials",
    mistake: respond(
      (asked) => isMcp(asked) && asked.method === "OPTIONS",
      ({ headers }, well) =>
        withFields(well, {
          "access-control-allow-origin": headers.origin ?? "",
          "access-control-allow-credentials": "true"
        })
    )
  },
  // Origin
  {
    code: "origin-unchecked",
    mistake: respond(
      (asked) => inSession(asked) && asked.headers.origin !== undefined,
      rpcResult({ protocolVersion: "2025-11-25", capabilities: {} })
    )
  }
]
