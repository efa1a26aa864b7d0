/** The keys that a provider publishes, and those that it has published before. */
import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import type { JWK } from "jose"
import type { Since } from "./History.ts"
import { makeMaterial, type Material } from "./material.ts"

/** A member of the set. It is usable if it has material. */
interface Member {
  readonly jwk: unknown
  readonly kid: string
  readonly material: Material | undefined
}

/** Returns the material of each `kid` that only one member has (RFC 7517, section 4.5). */
const usable = (members: ReadonlyArray<Member>): ReadonlyMap<string, string> => {
  const claims = new Map<string, Set<string>>()
  for (const { kid, material } of members) {
    if (material !== undefined) claims.set(kid, (claims.get(kid) ?? new Set()).add(material.name))
  }
  return new Map(
    [...claims].flatMap(([kid, [name, second]]) => name === undefined || second !== undefined ? [] : [[kid, name]])
  )
}

/** The `kid` of the keys in the order of publication. */
export const keyId = (index: number): string => `key-${index}`

/** The names of their materials, in the same order. */
export const materialName = (index: number): string => `material-${index}`

/** Builds a publisher with one key, `key-0`. */
export const makePublisher = Effect.gen(function*() {
  const materials: Array<Material> = []
  let turns = 0
  const sets: Array<Since<ReadonlyMap<string, string>>> = []
  let members: ReadonlyArray<Member> = []

  const change = (next: ReadonlyArray<Member>) =>
    Effect.map(Clock.currentTimeMillis, (at) => {
      members = next
      sets.push({ at, value: usable(members) })
    })

  const publish = Effect.fnUntraced(function*(kid: string, spell: (jwk: JWK) => unknown = (jwk) => jwk) {
    const material = yield* makeMaterial(materialName(materials.length), kid)
    materials.push(material)
    yield* change([...members, { jwk: spell(material.key.publicJwk), kid, material }])
  })

  const publishNext = Effect.suspend(() => publish(keyId(turns++)))
  yield* publishNext

  return {
    /** All materials that were ever published. */
    materials: materials as ReadonlyArray<Material>,
    /** Their names by `kid`, with the time of each change. */
    sets: sets as ReadonlyArray<Since<ReadonlyMap<string, string>>>,
    /** Publishes one more key, under the next `keyId`. */
    publishNext,
    newestKid: () => keyId(turns - 1),
    /** Publishes one more key under this `kid`, with a modified JWK. */
    publish,
    /** Publishes an unusable key, before or after the others. */
    publishUnusable: (jwk: unknown, kid: string, first: boolean) => {
      const member = { jwk, kid, material: undefined }
      return change(first ? [member, ...members] : [...members, member])
    },
    withdraw: (kid: string) => Effect.suspend(() => change(members.filter((member) => member.kid !== kid))),
    jwks: () => JSON.stringify({ keys: members.map(({ jwk }) => jwk) })
  }
})

export type Publisher = Effect.Success<typeof makePublisher>
