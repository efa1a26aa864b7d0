/** The URLs of a provider that the gateway may request. Pure. */
import * as Result from "effect/Result"
import { matchesDomain } from "../config/kinds/domains.ts"
import { isPermitted } from "../config/kinds/urls.ts"

/** Why a URL must not be requested. */
export type UrlProblem = "Malformed" | "NotHttps" | "HasCredentials" | "HostNotAllowed"

/**
 * Checks a URL of a provider: `https` (or `http` to this machine and to the hosts of `allowHttp`), without credentials,
 * and on a host that `allowedDomains` matches.
 *
 * `*.example.com` matches every host below `example.com`, at a label boundary, but not `example.com`. An empty list
 * matches every host.
 */
export const providerUrl = (
  url: string,
  allowedDomains: ReadonlyArray<string>,
  allowHttp: ReadonlyArray<string> = []
): Result.Result<URL, UrlProblem> => {
  if (!URL.canParse(url)) return Result.fail("Malformed")
  const parsed = new URL(url)
  const { hostname, password, username } = parsed
  if (!isPermitted(parsed, allowHttp)) return Result.fail("NotHttps")
  if (username !== "" || password !== "") return Result.fail("HasCredentials")
  return allowedDomains.length === 0 || matchesDomain(allowedDomains, hostname)
    ? Result.succeed(parsed)
    : Result.fail("HostNotAllowed")
}
