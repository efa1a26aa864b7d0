import * as Data from "effect/Data"
import type { ProviderRefusal } from "./bearerChallenge.ts"
import { hintOf } from "./failureCause.ts"
import type { JsonProblem } from "./JsonObject.ts"
import type { UrlProblem } from "./providerUrl.ts"

/** What went wrong between the gateway and a provider. */
export type ProviderFailureKind =
  | UrlProblem
  | JsonProblem
  /** The endpoint is not configured, and the metadata do not name it. */
  | "NoMetadata"
  | "Unreachable"
  | "Timeout"
  | "Redirect"
  | "Status"
  | "TooLarge"
  | "NotUtf8"
  | "Overloaded"
  | "CircuitOpen"

const statusHints: Readonly<Record<number, string>> = {
  404: "nothing is there; check the URL",
  405: "the method is not allowed there; check the URL",
  407: "a proxy on the way wants credentials",
  410: "nothing is there any more; check the URL",
  429: "the provider is asked too often"
}

const kindHints: { readonly [Kind in ProviderFailureKind]?: string } = {
  NotHttps: "use https, or name the host in MCP_ALLOW_HTTP",
  HostNotAllowed: "add the host to MCP_PROVIDER_HOSTS",
  NoMetadata: "name the endpoint, or the metadata with MCP_DISCOVERY_URL",
  Redirect: "redirects are not followed; check the URL",
  NotJson: "check the URL: it does not lead to a JSON document"
}

/**
 * A provider gave no usable answer.
 *
 * For the log: it names the URL without its query, and the kind and cause of the failure, never what was sent or
 * received beyond status, media type and target of a redirect.
 */
export class ProviderRequestFailed extends Data.TaggedError("ProviderRequestFailed")<{
  readonly kind: ProviderFailureKind
  /** Without credentials, query and fragment; empty when it is no URL. */
  readonly url: string
  /** The status of the answer, when there was one other than 200. */
  readonly status?: number | undefined
  /**
   * What tells this failure from others of its kind: the code of a system error, the target of a redirect, the media type
   * of what is no JSON.
   */
  readonly found?: string | undefined
  /** More about the way there: the proxy. */
  readonly way?: string | undefined
  /** What the answer says about the token or the client, for a status from 400 to 499. */
  readonly refusal?: ProviderRefusal | undefined
  /** When the provider wants to be asked again, in seconds. */
  readonly retryAfter?: number | undefined
}> {
  /** What happened, without advice: `https://idp.example/jwks: Unreachable, ECONNREFUSED`. */
  get summary(): string {
    const { found, kind, refusal, status, url, way } = this
    const parts = [
      status === undefined ? kind : `${kind} ${status}`,
      ...(found === undefined ? [] : [found]),
      ...(refusal?.error === undefined ? [] : [refusal.error]),
      ...(way === undefined ? [] : [way])
    ]
    return `${url === "" ? "provider" : url}: ${parts.join(", ")}`
  }

  /** One line for a log, with advice where there is any. */
  get detail(): string {
    const hint = (this.found === undefined ? undefined : hintOf(this.found)) ??
      (this.status === undefined ? undefined : statusHints[this.status]) ?? kindHints[this.kind]
    return hint === undefined ? this.summary : `${this.summary}: ${hint}`
  }
}

/** A URL as it may be logged: origin and path. */
export const loggedUrl = (url: URL): string => `${url.origin}${url.pathname}`
