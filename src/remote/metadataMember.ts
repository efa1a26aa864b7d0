/** URLs that a provider's metadata name. Pure. */
import * as Result from "effect/Result"
import { type JsonObject, own } from "./JsonObject.ts"
import type { MetadataSource } from "./ProviderMetadata.ts"

/**
 * Reads the URL of an endpoint or a key set, or says for the log why it cannot be used.
 *
 * A document that came over TLS must not point back to plain text on this machine, unless the operator has named the host.
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
