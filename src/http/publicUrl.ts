import * as Result from "effect/Result"
import { isLoopbackHost } from "../config/kinds/loopback.ts"
import { resourceUrl } from "../config/kinds/resourceUrl.ts"
import { InvalidRequest } from "../errors/GatewayError.ts"

/** The fields of a request that determine the URL under which the client reached the gateway. */
export interface RequestAuthority {
  /** The values of the `Host` field lines. */
  readonly host: ReadonlyArray<string>
  /** `X-Forwarded-Host`, else `X-Original-Host`; `undefined` unless a trusted proxy sent it. */
  readonly forwardedHost: string | undefined
  /** `X-Forwarded-Proto`; `undefined` unless a trusted proxy sent it. */
  readonly forwardedProto: string | undefined
}

// RFC 9110, section 7.2: uri-host [ ":" port ], here without percent-encoding, sub-delims and userinfo.
const authority = /^([a-z0-9](?:[a-z0-9_.-]*[a-z0-9])?\.?|\[[0-9a-f:.]+\])(?::([0-9]{1,5}))?$/

const malformed = (detail: string) => Result.fail(new InvalidRequest({ reason: "MalformedHost", detail }))

/** Returns the last value of the list, which the trusted proxy itself wrote. */
const last = (list: string | undefined): string | undefined => list?.split(",").at(-1)?.trim()

/** A host and port that a request names, in lower case. */
export interface NamedHost {
  readonly host: string
  readonly port: string | undefined
}

/**
 * The host that a request is for: `Host`, strictly parsed, or the value from a trusted proxy; `undefined` if there is
 * neither.
 */
export const namedHost = (
  { forwardedHost, host: lines }: Pick<RequestAuthority, "forwardedHost" | "host">
): Result.Result<NamedHost | undefined, InvalidRequest> => {
  if (lines.length > 1) return malformed("several Host fields")
  const value = last(forwardedHost) ?? lines[0]
  if (value === undefined || value === "") return Result.succeed(undefined)
  const match = value.length > 255 ? null : authority.exec(value.toLowerCase())
  const host = match?.[1]
  const port = match?.[2]
  return host === undefined || (port !== undefined && Number(port) > 65_535)
    ? malformed("unusable Host")
    : Result.succeed({ host, port })
}

/**
 * The URL that clients use for the gateway, without a slash at its end.
 *
 * The protected resource document, the challenge and the automatic audience all use this function, so that they cannot
 * disagree. A configured URL takes precedence; otherwise `Host`, strictly parsed, or the value from a trusted proxy,
 * with `http` for loopback hosts and `https` for all others.
 */
export const publicUrl = (
  configured: string | undefined,
  requested: RequestAuthority
): Result.Result<string, InvalidRequest> => {
  const { forwardedProto } = requested
  const named = namedHost(requested)
  if (Result.isFailure(named)) return Result.fail(named.failure)
  if (configured !== undefined) return Result.succeed(configured)
  if (named.success === undefined) return malformed("no Host")
  const { host, port } = named.success
  const forwarded = last(forwardedProto)?.toLowerCase()
  const scheme = forwarded === "http" || forwarded === "https" ? forwarded : isLoopbackHost(host) ? "http" : "https"
  const url = `${scheme}://${host}${port === undefined ? "" : `:${port}`}`
  // Some values have the form of a host but are invalid (`256.1`, `[1:2]`), and some have another spelling (`127.1`).
  return URL.canParse(url) ? Result.succeed(new URL(url).origin) : malformed("unusable Host")
}

const wellKnown = "/.well-known/oauth-protected-resource"

/** The URL of the protected resource metadata at the root of the host (RFC 9728, section 3). */
export const metadataUrl = (publicUrl: string): string => publicUrl + wellKnown

/** The URL of the protected resource metadata with the path inserted after the host (RFC 9728, section 3.1). */
export const insertedMetadataUrl = (publicUrl: string, mcpPath: string): string => {
  const resource = new URL(resourceUrl(publicUrl, mcpPath))
  return resource.pathname === "/" ? metadataUrl(publicUrl) : resource.origin + wellKnown + resource.pathname
}
