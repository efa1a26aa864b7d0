/** Gateways that respond incorrectly. */
import * as Effect from "effect/Effect"
import * as HttpServerRequest from "effect/http/HttpServerRequest"
import * as HttpServerResponse from "effect/http/HttpServerResponse"
import { upstreamMark } from "../../../src/testing/httpApp/upstream.ts"
import { around, changingResponse, type Defect, field, json } from "./defects.ts"

const unauthorized = HttpServerResponse.jsonUnsafe({ error: "unauthorized" }, {
  status: 401,
  headers: { "www-authenticate": "Bearer" }
})

export const responseDefects: ReadonlyArray<Defect> = [
  ["replaces the MCP server's Vary with its own (RFC 9110, section 12.5.5)", ["APP-80"], field("vary", () => "Origin")],
  [
    "leaves the CORS fields out of errors (WEB-04)",
    ["APP-01"],
    changingResponse((response) =>
      response.status < 400
        ? response
        : HttpServerResponse.removeHeader(response, "access-control-expose-headers")
    )
  ],
  [
    "reflects every origin (WEB-04)",
    ["APP-01"],
    changingResponse((response, { headers }) =>
      HttpServerResponse.setHeader(response, "access-control-allow-origin", headers["origin"] ?? "*")
    )
  ],
  [
    "takes any trace id over (ERR-04)",
    ["APP-02"],
    changingResponse(
      (response, { headers }, { traceHeader }) =>
        HttpServerResponse.setHeader(response, traceHeader, headers[traceHeader] ?? "made-by-the-gateway")
    )
  ],
  ["writes two challenges (CH-17)", ["APP-03"], field("www-authenticate", (value) => `${value}, Basic realm="x"`)],
  [
    "does not quote what a challenge says (ERR-01)",
    ["APP-03"],
    field(
      "www-authenticate",
      (value) => value.replaceAll("\"", "")
    )
  ],
  [
    "lets errors be stored (HTTP-16)",
    ["APP-04"],
    changingResponse((response) =>
      response.status < 400 ? response : HttpServerResponse.removeHeader(response, "cache-control")
    )
  ],
  [
    "writes errors as HTML (WEB-07)",
    ["APP-04", "APP-24"],
    changingResponse((response) =>
      response.status === 404
        ? HttpServerResponse.html("<h1>Not Found</h1>").pipe(HttpServerResponse.setStatus(404))
        : response
    )
  ],
  [
    "fails on input that it did not expect (ERR-08)",
    ["APP-05"],
    around((handle) =>
      Effect.flatMap(
        HttpServerRequest.HttpServerRequest,
        ({ headers, url }) => Effect.andThen(Effect.sync(() => new URL(url, `http://${headers["host"]}`)), handle)
      )
    )
  ],
  [
    "repeats the token in the error (ERR-03)",
    ["APP-06"],
    json((text, { headers }) => text.replace(/("error_description":")[^"]*/, `$1${headers["authorization"] ?? ""}`))
  ],
  [
    "shows a stack trace (ERR-07)",
    ["APP-06"],
    json((text) => text.replace("Internal server error", "Error\\n    at verify (<anonymous>)"))
  ],
  [
    "names another host's metadata (DISC-07)",
    ["APP-13"],
    field(
      "www-authenticate",
      (value) => value.replace(/resource_metadata="https?:\/\/[^/]+/, "resource_metadata=\"https://evil.example")
    )
  ],
  [
    "leaves out which scopes to ask for (CLM-15)",
    ["APP-12"],
    field(
      "www-authenticate",
      (value) => value.replace(/, scope="[^"]*"/, "")
    )
  ],
  [
    "writes its resource with a slash (CLM-10)",
    ["APP-13", "APP-20"],
    json((text) => text.replace(/("resource":"[^"]+)"/, "$1/\""))
  ],
  [
    "calls the whole host its resource (CVE-2025-69196)",
    ["APP-13", "APP-20"],
    json((text) => text.replace(/("resource":"https?:\/\/[^/"]+)[^"]*"/, "$1\""))
  ],
  [
    "asks for a token where clients learn how to get one (DISC-05)",
    ["APP-21"],
    around((handle) =>
      Effect.flatMap(
        HttpServerRequest.HttpServerRequest,
        ({ headers, url }) =>
          url.startsWith("/.well-known/") && headers["authorization"] === undefined
            ? Effect.succeed(unauthorized)
            : handle
      )
    )
  ],
  [
    "names the issuer as it likes (DISC-01)",
    ["APP-30"],
    json((text) => text.replace(/("issuer":"[^"]+[^/])"/, "$1/\""))
  ],
  [
    "asks for a token on OPTIONS (HTTP-10)",
    ["APP-40"],
    around((handle) =>
      Effect.flatMap(
        HttpServerRequest.HttpServerRequest,
        ({ headers, method }) =>
          method === "OPTIONS" && headers["authorization"] === undefined ? Effect.succeed(unauthorized) : handle
      )
    )
  ],
  [
    "lets shared caches keep what only the caller may see (HTTP-16)",
    ["APP-81"],
    field(
      "cache-control",
      (value) => value === "no-store" ? "public, max-age=60" : value
    )
  ],
  [
    "passes on hop-by-hop fields of the response (FW-9)",
    ["APP-80"],
    changingResponse((response) =>
      response.headers[upstreamMark] === undefined
        ? response
        : HttpServerResponse.setHeader(response, "connection", "x-named")
    )
  ]
]
