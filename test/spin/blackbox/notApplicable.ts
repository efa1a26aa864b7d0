/** Which of the suites that were written for the service on Node run on the component, and which do not, and why. */

interface Reason {
  readonly because: string
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
  "attacks/paths",
  "clients/refusals",
  "proxy/answers",
  "proxy/challenges",
  "proxy/initialize",
  "proxy/requests",
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
    because:
      "The host reads HTTP: what is no request, or too long a head, or an expectation, it answers in its own way.",
    tests: [
      "CRED-12, CRED-14 judge a token up to the limit and refuse a longer one unread",
      "WEB-07 answers in JSON that no browser takes for a page, and repeats nothing of the request",
      "HTTP-01 reads no request whose length can be read in two ways, and nothing after it",
      "HTTP-02 refuses lines that parsers could end or read differently",
      "HTTP-03 refuses chunks that are not what they say",
      "ERR-03 a token in the path of a request that is refused is not in the log",
      "HTTP-04 judges pipelined requests each alone, in their order",
      "HTTP-08 forwards no path that a server could read as another one",
      "HTTP-10 opens no tunnel",
      "HTTP-10 knows no method by another spelling",
      "HTTP-13 asks for a body only after the token, and meets no other expectation",
      "HTTP-14, HTTP-15 speaks HTTP/1.1 and 1.0 and nothing else"
    ]
  },
  {
    because: "WASI HTTP gives the component one authority, and the engine ends where no URL can have it.",
    files: ["attacks/pathsHosts"],
    tests: [
      "ERR-01 a challenge parses back to its parameters, whatever the Host and in every dialect",
      "ERR-01, HTTP-06 takes no Host for one that no URL can have, in any dialect"
    ]
  },
  {
    because: "WASI HTTP keeps Connection and Upgrade, and the fields of one hop, from the component.",
    tests: [
      "FWD-04 Connection takes no field of the gateway's away",
      "HTTP-12 upgrades nothing, and hands on nothing of the attempt"
    ]
  },
  {
    because: "Repeated header fields reach the component as one.",
    tests: ["CRED-02 picks none of several credentials"]
  },
  {
    because: "The component asks the MCP server for identity, and refuses an answer that is encoded.",
    tests: [
      "HTTP-18 hands an encoded answer on as it is",
      "FWD-09 naughty subjects, e-mails and clients arrive decodable, and break nothing",
      "FWD-09 any subject arrives as itself, in the field and in the message",
      "an encoded answer passes as it is, its fields in accord with its bytes",
      "answers that are none to this initialize pass untouched",
      "requests and answers without initialize, of whatever era, pass untouched",
      "MCP_INJECT_RESPONSE_CONTEXT=false: answers pass untouched, and may be encoded"
    ]
  },
  {
    because: "The component reads a message to its end before it sends it on.",
    tests: ["a body that the gateway has nothing to add to arrives byte for byte, to its limit"]
  },
  {
    because: "The engine hands no body of a GET on, so that the component sees none, and the MCP server gets none.",
    tests: ["HTTP-03 refuses a body where servers disagree on whether there is one"]
  },
  {
    because: "The engine encodes some characters of a query, and drops a fragment.",
    tests: [
      "HTTP-08 sends the rest of a plain path upstream byte for byte, after a token",
      "a query arrives byte for byte",
      "any query of visible ASCII arrives byte for byte"
    ]
  },
  {
    because:
      "An instance remembers no earlier answer: it asks where the metadata say if the usual userinfo endpoint answers a page.",
    tests: [
      "Integration Guide, Step 4 \"catch { return null }\", safely: AuthKit's outage is 500, and nobody is sent to log in"
    ]
  },
  {
    because: "A component does not know the address of its peer.",
    tests: ["FTL Auth Gateway \"Full support for X-Forwarded-Host and X-Forwarded-Proto\": from a trusted proxy"]
  },
  {
    because: "An instance lives for one request: it gives no warnings, and its log names failures in its host's words.",
    tests: [
      "FTL MCP Authorizer, error table: 500 \"server_error\" \"Internal server error\"; the log has what \"Failed to fetch JWKS\" told",
      "FTL MCP Authorizer \"Invalid audience\": \"omit for no audience validation\"",
      "FTL MCP Authorizer \"Enable/disable authentication\": off lets everyone in, as nobody, with a warning",
      "FW-7 one that is down is 502, for every request anew, and public paths answer"
    ]
  },
  {
    because:
      "The WASI shim of the test host writes one line for each field, in UTF-8, and ends with a broken connection.",
    tests: [
      "each Set-Cookie keeps a line of its own, byte for byte",
      "values beyond ASCII come back as the bytes that they are",
      "FW-3 fields arrive byte for byte, whatever the method",
      "names and values of UTF-8 bytes arrive as those bytes",
      "FW-7 one that does not begin its answer in time is 504, and its request is cancelled",
      "FW-7 one that breaks off before its head is whole, or talks nonsense, is 502",
      "FW-7 a short answer that breaks off is 502; of a long or open one the rest is visibly missing"
    ]
  },
  {
    because: "The test host runs one instance at a time: nothing can wait behind an open answer.",
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
    tests: ["FWD-15 nobody gets another's answer or identity, with one id, one session and shared connections"]
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
    tests: ["ERR-01 believes a trusted proxy's host only where it is one, and quotes scopes"]
  },
  {
    because:
      "They start gateways of their own, on Node and on Effect's client; the component has the rules of the latter.",
    files: ["proxy/dialects", "proxy/respelledUrl", "proxy/sessions", "proxy/strictPeers"]
  },
  {
    because: "No gateway listens in it: it is of functions.",
    files: ["compatibility/time", "discovery/authorizationServer"]
  },
  {
    because: "It is of the volume: functions judge it that are the same on Node.",
    tests: [
      "FWD-11 FWD-12 every other message loses what was forged and nothing else",
      "FWD-14 every text of the JSON corpus arrives byte for byte, or is refused",
      "WEB-02 takes nothing for a loopback origin that is not one character for character"
    ]
  }
]

/** The names of the tests that do not run. */
export const notApplicable: ReadonlySet<string> = new Set(reasons.flatMap(({ tests = [] }) => tests))
