/** URLs in a provider's metadata. Pure. */
import * as Result from "effect/Result"
import { type JsonObject, own } from "./JsonObject.ts"
import type { MetadataSource } from "./ProviderMetadata.ts"

/**
 * Reads the URL of an endpoint or a key set. Fails with the reason, for the log, if the URL cannot be used.
 *
 * A document that was fetched over TLS must not name a plain-text URL on this machine, unless the host is configured.
 */
export const metadataMember = (
  document: JsonObject,
  name: string,
  { allowHttp, discoveryUrl, issuer }: MetadataSource
): Result.Result<string, string> => {
  const url = own(document, name)
  if (typeof url !== "string") return Result.fail(`the metadata has no ${name}`)
  const isNamed = URL.canParse(url) && allowHttp?.includes(new URL(url).hostname) === true
  return (discoveryUrl ?? issuer).startsWith("https:") && !url.startsWith("https:") && !isNamed
    ? Result.fail(`the ${name} of the metadata is not https`)
    : Result.succeed(url)
}
