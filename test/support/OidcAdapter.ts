/** Storage for `oidc-provider`, which warns on the console if it uses its own. */
import type { Adapter, AdapterPayload } from "oidc-provider"

/** One store for all models of one provider. Expiry is left to the provider, which checks `exp` itself. */
export const makeOidcAdapter = (): (model: string) => Adapter => {
  const entries = new Map<string, AdapterPayload>()
  return (model) => {
    const findBy = async (matches: (payload: AdapterPayload) => boolean) =>
      Array.from(entries).find(([key, payload]) => key.startsWith(`${model}:`) && matches(payload))?.[1]
    return {
      upsert: async (id, payload) => {
        entries.set(`${model}:${id}`, payload)
      },
      find: async (id) => entries.get(`${model}:${id}`),
      findByUid: (uid) => findBy((payload) => payload.uid === uid),
      findByUserCode: (code) => findBy((payload) => payload.userCode === code),
      consume: async (id) => {
        const payload = entries.get(`${model}:${id}`)
        if (payload !== undefined) payload["consumed"] = true
      },
      destroy: async (id) => {
        entries.delete(`${model}:${id}`)
      },
      revokeByGrantId: async (grantId) => {
        for (const [key, payload] of entries) if (payload.grantId === grantId) entries.delete(key)
      }
    }
  }
}
