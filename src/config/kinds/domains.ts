import * as Result from "effect/Result"
import { invalid, type Kind } from "./kind.ts"
import { list } from "./kinds.ts"

/**
 * Returns whether a host (`URL.hostname`, without port) matches one of the patterns.
 *
 * `example.com` matches itself, `*.example.com` every name below it but neither `example.com` nor `badexample.com`. An
 * empty list of patterns matches no host. Callers for which an empty list means "any host" must check that first.
 */
export const matchesDomain = (patterns: ReadonlyArray<string>, hostname: string): boolean =>
  patterns.some((pattern) =>
    pattern.startsWith("*.")
      ? hostname.length > pattern.length - 1 && hostname.endsWith(pattern.slice(1))
      : hostname === pattern
  )

const pattern =
  /^(?:(?:\*\.)?[a-z0-9_](?:[a-z0-9_-]*[a-z0-9_])?(?:\.[a-z0-9_](?:[a-z0-9_-]*[a-z0-9_])?)*|\[[0-9a-f:.]+\])$/

/** Host patterns in lower case. */
export const domains: Kind<ReadonlyArray<string>, string | ReadonlyArray<string>> = list(
  "comma list",
  /,/,
  (members) => {
    const patterns = members.map((member) => member.toLowerCase())
    return patterns.every((member) => pattern.test(member))
      ? Result.succeed(patterns)
      : invalid(
        "contains something that is not a host pattern",
        "Write example.com or *.example.com, without scheme, port and path"
      )
  }
)

const host = /^(?:[a-z0-9_](?:[a-z0-9_-]*[a-z0-9_])?(?:\.[a-z0-9_](?:[a-z0-9_-]*[a-z0-9_])?)*|\[[0-9a-f:.]+\])$/

const yesOrNo = /^(?:true|false|yes|no|on|off|1|0)$/

/** Hosts by their full names, in lower case: a permission for one host must not extend to others. */
export const hosts: Kind<ReadonlyArray<string>, string | ReadonlyArray<string>> = list(
  "comma list",
  /,/,
  (members) => {
    const names = members.map((member) => member.toLowerCase())
    if (names.some((name) => yesOrNo.test(name))) {
      return invalid("says yes or no where the names of hosts are expected", "Name the hosts: keycloak or idp.lan")
    }
    return names.every((name) => host.test(name))
      ? Result.succeed(names)
      : invalid(
        "contains something that is not the name of a host",
        "Write keycloak or idp.lan, without scheme, port, path and wildcard"
      )
  }
)

/** The host pattern of AuthKit issuers. */
export const authkitDomains: ReadonlyArray<string> = ["*.authkit.app", "*.workos.com"]
