import * as Context from "effect/Context"

declare const navigator: { readonly userAgent?: string } | undefined

/**
 * Whether a request may wait for what another request has begun, and whether that goes on after its client has left.
 *
 * `false` on hosts that tie each operation to the request that began it: there every request asks the provider for
 * itself, at most one at a time for a document, and requests share results as data only. The default detects Cloudflare
 * Workers. Provide `false` for other hosts of that kind.
 *
 * **Example** (a host that ends what a request has begun)
 *
 * ```ts
 * import * as Layer from "effect/Layer"
 * import { SharedIo } from "mcp-authorizer"
 *
 * const OwnIo = Layer.succeed(SharedIo, false)
 * ```
 */
export const SharedIo = Context.Reference<boolean>("mcp-authorizer/fairness/SharedIo", {
  defaultValue: () => typeof navigator === "undefined" || navigator.userAgent !== "Cloudflare-Workers"
})
