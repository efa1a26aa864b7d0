/** The component in the host of the tests as a manifest says: with its variables, hosts and store, and nothing else. */
import { assert } from "@effect/vitest"
import type * as Effect from "effect/Effect"
import type { ComponentHost } from "./ComponentHost.ts"
import { type Manifest, variablesFor } from "./manifest.ts"

/**
 * Runs a component of a manifest.
 *
 * @param given what the operator sets for the application; a variable that the manifest does not declare has no effect
 */
export const runManifest = (
  host: ComponentHost["Service"],
  manifest: Manifest,
  id: string,
  given: Readonly<Record<string, string>>
): Effect.Effect<void> => {
  const { allowed_outbound_hosts = [], key_value_stores = [] } = manifest.component[id] ??
    assert.fail(`no component ${id}`)
  return host.run(variablesFor(manifest, id, given), {
    outboundHosts: allowed_outbound_hosts,
    store: key_value_stores.includes("default") ? "granted" : "denied"
  })
}
