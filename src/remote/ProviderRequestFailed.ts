import * as Data from "effect/Data"
import type { ProviderRejection } from "./bearerChallenge.ts"
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
  404: "not found; check the URL",
  405: "the method is not allowed there; check the URL",
  407: "a proxy requires credentials",
  410: "the document was removed; check the URL",
  429: "the provider limits the rate of requests"
}

const kindHints: { readonly [Kind in ProviderFailureKind]?: string } = {
  NotHttps: "use https, or name the host in MCP_ALLOW_HTTP",
  HostNotAllowed: "add the host to MCP_PROVIDER_HOSTS",
  NoMetadata: "name the endpoint, or the metadata with MCP_DISCOVERY_URL",
  Redirect: "redirects are not followed; check the URL",
  NotJson: "check the URL: it does not lead to a JSON document"
}

/**
 * A provider gave no usable response.
 *
 * For the log: it has the URL without its query, and the kind and cause of the failure. Of what was sent and received,
 * it has only the status, the media type and the target of a redirect.
 */
export class ProviderRequestFailed extends Data.TaggedError("ProviderRequestFailed")<{
  readonly kind: ProviderFailureKind
  /** Without credentials, query and fragment. Empty if it is not a URL. */
  readonly url: string
  readonly status?: number | undefined
  /**
   * What distinguishes this failure from others of its kind: the code of a system error, the target of a redirect, or the
   * media type of a body that is not JSON.
   */
  readonly found?: string | undefined
  /** The proxy that was used, for the log. */
  readonly way?: string | undefined
  /** The error in the response that concerns the token or the client, for a status from 400 to 499. */
  readonly rejection?: ProviderRejection | undefined
  /** The provider's `Retry-After`, in seconds. */
  readonly retryAfter?: number | undefined
}> {
  /** Describes what happened, without advice: `https://idp.example/jwks: Unreachable, ECONNREFUSED`. */
  get summary(): string {
    const { found, kind, rejection, status, url, way } = this
    const parts = [
      status === undefined ? kind : `${kind} ${status}`,
      ...(found === undefined ? [] : [found]),
      ...(rejection?.error === undefined ? [] : [rejection.error]),
      ...(way === undefined ? [] : [way])
    ]
    return `${url === "" ? "provider" : url}: ${parts.join(", ")}`
  }

  /** One line for the log, with advice if there is any. */
  get detail(): string {
    const hint = (this.found === undefined ? undefined : hintOf(this.found)) ??
      (this.status === undefined ? undefined : statusHints[this.status]) ?? kindHints[this.kind]
    return hint === undefined ? this.summary : `${this.summary}: ${hint}`
  }
}

/** Returns the part of a URL that may be logged: origin and path. */
export const loggedUrl = (url: URL): string => `${url.origin}${url.pathname}`
