/** The proxy for requests to a provider, from the environment. Pure. */
import * as IpNetwork from "effect/net/IpNetwork"
import * as NetAddress from "effect/net/NetAddress"
import * as Result from "effect/Result"
import type { Problem } from "../../config/InvalidConfiguration.ts"
import { isLoopbackHost } from "../../config/kinds/loopback.ts"

/** A proxy that is reached over http or https. */
export interface Proxy {
  /** Without credentials, so that it can be logged. */
  readonly origin: string
  /** The value of `Proxy-Authorization`. */
  readonly authorization: string | undefined
}

/** Returns the proxy for a URL, or `undefined` for a direct request. */
export type ProxyFor = (url: URL) => Proxy | undefined

type Environment = Readonly<Record<string, string | undefined>>

interface Variable {
  readonly name: string
  readonly value: string
}

/** Returns the first variable that is set. The lower-case spelling is the older one and comes first, as in curl. */
const firstSet = (environment: Environment, ...names: ReadonlyArray<string>): Variable | undefined => {
  for (const name of names) {
    for (const spelling of [name.toLowerCase(), name]) {
      const value = environment[spelling]?.trim() ?? ""
      if (value !== "") return { name: spelling, value }
    }
  }
  return undefined
}

const decoded = (text: string): Result.Result<string, unknown> => Result.try(() => decodeURIComponent(text))

const base64 = (text: string): string => Buffer.from(text, "utf8").toString("base64")

/** Parses the URL of a proxy. Problems never repeat the value, because it may contain credentials. */
const parseProxy = ({ name, value }: Variable): Result.Result<Proxy, Problem> => {
  const invalid = (problem: string) =>
    Result.fail({
      setting: name,
      source: undefined,
      problem,
      fix:
        "Write it as http://proxy.example:3128, with user:password@ before the host if the proxy requires credentials"
    })
  const text = value.includes("://") ? value : `http://${value}`
  if (!URL.canParse(text)) return invalid("is not a URL")
  const { hostname, origin, password, pathname, protocol, search, username } = new URL(text)
  if (protocol !== "http:" && protocol !== "https:") return invalid("is not the URL of an http or https proxy")
  if (hostname === "" || pathname !== "/" || search !== "") return invalid("contains more than the address of a proxy")
  const [user, secret] = [decoded(username), decoded(password)]
  if (Result.isFailure(user) || Result.isFailure(secret)) return invalid("has credentials that are not percent-encoded")
  const given = username !== "" || password !== ""
  return Result.succeed({
    origin,
    authorization: given ? `Basic ${base64(`${user.success}:${secret.success}`)}` : undefined
  })
}

const defaultPorts: Readonly<Record<string, string>> = { "http:": "80", "https:": "443" }

/** Chrome's entry for "this machine, too", which otherwise gets direct requests. */
const loopbackToo = "<-loopback>"

const address = (hostname: string) =>
  Result.getOrUndefined(NetAddress.ipFromString(hostname.replace(/^\[(.*)\]$/, "$1")))

/** Whether an entry of `NO_PROXY` matches a URL: a host and all hosts below it, with or without a port, or a network. */
const makeMatches = (entry: string): (url: URL) => boolean => {
  if (entry === "*") return () => true
  const network = entry.includes("/") ? Result.getOrUndefined(IpNetwork.fromString(entry)) : undefined
  if (network !== undefined) {
    return ({ hostname }) => {
      const ip = address(hostname)
      return ip !== undefined && IpNetwork.contains(network, ip)
    }
  }
  const [, host = "", port] = /^(.*?)(?::(\d{1,5}))?$/.exec(/^[^[].*:.*:/.test(entry) ? `[${entry}]` : entry) ?? []
  const name = host.toLowerCase().replace(/^\*?\./, "").replace(/\.$/, "")
  return ({ hostname, port: given, protocol }) => {
    if (name === "" || (port !== undefined && port !== (given === "" ? defaultPorts[protocol] : given))) return false
    const target = hostname.replace(/\.$/, "")
    return target === name || target.endsWith(`.${name}`)
  }
}

/**
 * Reads `HTTPS_PROXY`, `HTTP_PROXY`, `ALL_PROXY` and `NO_PROXY`, in upper or lower case.
 *
 * Requests to this machine are always direct, unless `NO_PROXY` has `<-loopback>`. Fails with the problem of a proxy's
 * URL, never with the URL itself.
 */
export const readProxies = (environment: Environment): Result.Result<ProxyFor, ReadonlyArray<Problem>> => {
  const chosen = [
    firstSet(environment, "HTTPS_PROXY", "ALL_PROXY"),
    firstSet(environment, "HTTP_PROXY", "ALL_PROXY")
  ].map((variable) => variable && parseProxy(variable))
  const problems = chosen.flatMap((proxy) => proxy !== undefined && Result.isFailure(proxy) ? [proxy.failure] : [])
  if (problems.length > 0) {
    return Result.fail(
      problems.filter(({ setting }, index) => problems.findIndex((other) => other.setting === setting) === index)
    )
  }
  const [https, http] = chosen.map((proxy) => proxy && Result.getOrUndefined(proxy))
  const entries = (firstSet(environment, "NO_PROXY")?.value ?? "").split(/[\s,]+/).filter((entry) => entry !== "")
  const straight = entries.filter((entry) => entry !== loopbackToo).map(makeMatches)
  const loopback = entries.includes(loopbackToo)
  return Result.succeed((url) => {
    if (!loopback && isLoopbackHost(url.hostname)) return undefined
    const proxy = url.protocol === "https:" ? https : http
    return proxy === undefined || straight.some((matches) => matches(url)) ? undefined : proxy
  })
}
