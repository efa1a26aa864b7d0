/** The suites for the service on Node that run on the component, and those that do not, with the reasons. */

interface Reason {
  readonly because: string
  /** The one host for which it is a reason; for all hosts unless given. */
  readonly only?: "the test host" | "Spin"
  /** Whole files, and tests by their names in files that run. */
  readonly files?: ReadonlyArray<string>
  readonly tests?: ReadonlyArray<string>
}

/** The files that are run, from the root of the repository. */
export const suites: ReadonlyArray<string> = [
  "attacks/browser",
  "attacks/browserRequests",
  "attacks/credential",
  "attacks/errors",
  "attacks/errorsCanary",
  "attacks/forwarding",
  "attacks/forwardingBodies",
  "attacks/forwardingClaims",
  "attacks/forwardingHops",
  "attacks/framing",
  "attacks/framingBodies",
  "attacks/framingContent",
  "attacks/isolation",
  "attacks/methods",
  "attacks/mirroredFields",
  "attacks/paths",
  "attacks/rules",
  "clients/rejections",
  "proxy/responses",
  "proxy/callers",
  "proxy/challenges",
  "proxy/initialize",
  "proxy/requests",
  "proxy/rules",
  "proxy/upstreamFailures",
  "compatibility/authKitExample",
  "compatibility/ftlMcpAuthorizer",
  "compatibility/ftlMcpAuthorizerProviders",
  "compatibility/ftlAuthGateway",
  "compatibility/ftlAuthGatewayCloud",
  "compatibility/wasmcpSpinAuthkit",
  "compatibility/integrationGuide"
].map((name) => `test/${name}.test.ts`)

/** Why the other files and tests that talk to a gateway do not run on the component. */
export const reasons: ReadonlyArray<Reason> = [
  {
    because: "The host reads HTTP: it responds in its own way to malformed requests, long heads and expectations.",
    tests: [
      "CRED-12, CRED-14 check a token up to the limit and reject a longer one unread",
      "WEB-07 responds in JSON that no browser displays as a page, and repeats nothing of the request",
      "HTTP-01 rejects a request whose length can be read in two ways, and reads nothing after it",
      "HTTP-02 rejects lines that parsers could end or read differently",
      "HTTP-03 rejects malformed chunks",
      "ERR-03 a token in the path of a rejected request is not in the log",
      "HTTP-04 checks each pipelined request on its own, in order",
      "HTTP-08 forwards no path that a server could read as another one",
      "HTTP-10 opens no tunnel",
      "MO-1 are rejected if they are sent twice, although both together would say what the message says",
      "HTTP-10 rejects other spellings of a method",
      "HTTP-13 requests a body only after the token was accepted, and meets no other expectation",
      "HTTP-14, HTTP-15 accepts HTTP/1.1 and 1.0 and nothing else"
    ]
  },
  {
    because: "WASI HTTP gives the component one authority, and the engine ends where no URL can have it.",
    files: ["attacks/pathsHosts"],
    tests: [
      "ERR-01 a challenge parses back to its parameters, for every Host and in every dialect",
      "ERR-01, HTTP-06 rejects a Host that no URL can have, in every dialect"
    ]
  },
  {
    because: "WASI HTTP keeps Connection and Upgrade, and the fields of one hop, from the component.",
    tests: [
      "FWD-04 Connection cannot remove the gateway's fields",
      "HTTP-12 upgrades no connection, and forwards nothing of the attempt"
    ]
  },
  {
    because: "Repeated header fields reach the component as one.",
    tests: ["CRED-02 picks none of several credentials"]
  },
  {
    because: "The component asks the MCP server for identity, and rejects a response that is encoded.",
    tests: [
      "HTTP-18 passes on an encoded response as it is",
      "FWD-09 hostile subjects, e-mail addresses and clients arrive decodable, and break nothing",
      "FWD-09 any subject arrives as itself, in the field and in the message",
      "an encoded response passes as it is, with fields that match its bytes",
      "responses to other requests pass unchanged",
      "requests and responses without initialize, of either era, pass unchanged",
      "MCP_INJECT_RESPONSE_CONTEXT=false: responses pass unchanged, and may be encoded"
    ]
  },
  {
    because: "The component reads a message to its end before it sends it on.",
    tests: ["a body without additions arrives byte for byte, up to the limit"]
  },
  {
    because: "The engine hands no body of a GET on, so that the component sees none, and the MCP server gets none.",
    tests: ["HTTP-03 rejects a body where servers disagree on whether there is one"]
  },
  {
    because: "The engine encodes some characters of a query, and drops a fragment.",
    tests: [
      "HTTP-08 forwards the rest of a plain path byte for byte, with a token",
      "a query arrives byte for byte",
      "any query of visible ASCII arrives byte for byte"
    ]
  },
  {
    because: "An instance remembers no session of another one.",
    tests: ["a session that began without a token is its first caller's from then on"]
  },
  {
    because:
      "An instance does not remember earlier responses: it asks the endpoint of the metadata where the usual one sends a page.",
    tests: [
      "Integration Guide, Step 4 \"catch { return null }\", safely: AuthKit's outage is 500, and no one is sent to log in"
    ]
  },
  {
    because: "An instance lives for one request: it gives no warnings, and its log names failures in its host's words.",
    tests: [
      "FTL MCP Authorizer, error table: 500 \"server_error\" \"Internal server error\"; the log has what \"Failed to fetch JWKS\" told",
      "FTL MCP Authorizer \"Invalid audience\": \"omit for no audience validation\"",
      "FTL MCP Authorizer \"Enable/disable authentication\": off accepts everyone, without an identity, with a warning",
      "FW-7 one that is down gives 502 for each request, and public paths respond"
    ]
  },
  {
    only: "the test host",
    because:
      "The WASI shim of the test host writes one line for each field, in UTF-8, and ends with a broken connection.",
    tests: [
      "each Set-Cookie keeps its own line, byte for byte",
      "values beyond ASCII come back with the same bytes",
      "FW-3 fields arrive byte for byte, for every method",
      "names and values in UTF-8 arrive with the same bytes",
      "FW-7 one that does not begin its response in time gives 504, and its request is cancelled",
      "FW-7 one that breaks off before its head is complete, or sends garbage, gives 502",
      "FW-7 a short response that breaks off gives 502; a long or open one is visibly incomplete"
    ]
  },
  {
    only: "the test host",
    because: "The test host runs one instance at a time: nothing can wait behind an open response.",
    files: [
      "attacks/errorsSurvival",
      "clients/bothEras",
      "clients/sessions",
      "proxy/backPressure",
      "proxy/floods",
      "proxy/longMessages",
      "proxy/pipelining",
      "proxy/shares",
      "proxy/streaming"
    ],
    tests: ["FWD-15 no caller gets another's response or identity, with one id, one session and shared connections"]
  },
  {
    because: "The host chooses the port, stops the instance and connects; the component has no verifier but its own.",
    files: [
      "clients/authorization",
      "clients/stepUp",
      "proxy/shutdown",
      "proxy/slowClients",
      "proxy/upstreamConnections",
      "proxy/unixSocket",
      "compatibility/integrationGuidePattern"
    ],
    tests: ["CFG-03, ERR-07 an internal failure is a bare 500, and the next request succeeds"]
  },
  {
    because: "Variables cannot say it: a scope with a quotation mark, an expiry within a second.",
    files: ["proxy/tokenEnd"],
    tests: ["ERR-01 uses a trusted proxy's host only if it is well-formed, and quotes scopes"]
  },
  {
    because:
      "They start gateways of their own, on Node and on Effect's client; the component has the rules of the latter.",
    files: [
      "discovery/standIn",
      "proxy/dialects",
      "proxy/respelledUrl",
      "proxy/sessions",
      "proxy/sessionsOfReplicas",
      "proxy/strictPeers"
    ]
  },
  {
    because: "No gateway listens in it: it is of functions.",
    files: ["compatibility/time", "discovery/authorizationServer"]
  },
  {
    because: "It is about volume: the functions that check it are the same on Node.",
    tests: [
      "FWD-11 FWD-12 every other message loses the forged context and nothing else",
      "FWD-14 every text of the JSON corpus arrives byte for byte or is rejected",
      "WEB-02 accepts as a loopback origin only one that is one character for character"
    ]
  }
]

/** The files that are run in Spin. */
export const suitesInSpin: ReadonlyArray<string> = [
  ...suites,
  ...reasons.flatMap(({ files = [], only }) => only === "the test host" ? files : []).map((name) =>
    `test/${name}.test.ts`
  )
]

/** The names of the tests that do not run. */
export const notApplicable = (host: "the test host" | "Spin"): ReadonlySet<string> =>
  new Set(reasons.flatMap(({ only = host, tests = [] }) => only === host ? tests : []))
