/**
 * A bounded queue in which owners take turns. Pure.
 *
 * An owner with many entries waits behind its own entries, not in front of others.
 */

/** The owner of an entry. Groups take turns, and so do the members of each group. */
export interface Owner {
  /** A caller, or the address of a peer. */
  readonly group: string
  readonly member: string
}

export interface Waiting<A> {
  readonly owner: Owner
  readonly thing: A
}

type Members<A> = Map<string, Set<Waiting<A>>>

interface Group<A> {
  size: number
  /** The entries in the order of their turns; never empty. */
  readonly members: Members<A>
}

export type Offered<A> =
  | { readonly _tag: "Waits"; readonly place: Waiting<A> }
  /** The queue is full, and the owner with the most entries loses its oldest. */
  | { readonly _tag: "Displaces"; readonly place: Waiting<A>; readonly displaced: A }
  /** The queue is full, and no owner has more entries than this one. */
  | { readonly _tag: "Rejected" }

const first = <A>(things: Iterable<A>): A | undefined => {
  for (const thing of things) return thing
  return undefined
}

/**
 * A queue with at most `capacity` entries.
 *
 * Use it if many wait for a few places, such as requests to a provider or to a server. Adding, taking and removing take
 * constant time; only an offer to a full queue inspects all owners.
 */
export class FairQueue<A> {
  readonly #capacity: number
  /** The groups in the order of their turns; never empty. */
  readonly #groups = new Map<string, Group<A>>()
  #size = 0

  constructor(capacity: number) {
    this.#capacity = capacity
  }

  get size(): number {
    return this.#size
  }

  /** Adds an entry, if there is room for it or another owner has more. */
  offer(owner: Owner, thing: A): Offered<A> {
    const place = { owner, thing }
    if (this.#size < this.#capacity) {
      this.#add(place)
      return { _tag: "Waits", place }
    }
    const displaced = this.#displacedBy(owner)
    if (displaced === undefined) return { _tag: "Rejected" }
    this.remove(displaced)
    this.#add(place)
    return { _tag: "Displaces", place, displaced: displaced.thing }
  }

  /**
   * Takes the entry whose turn it is.
   *
   * @param may whether a group may take its turn now, with this entry. A group that may not keeps its place
   */
  take(may: (group: string, thing: A) => boolean = () => true): A | undefined {
    for (const [name, group] of this.#groups) {
      const member = first(group.members)
      const place = member === undefined ? undefined : first(member[1])
      if (member === undefined || place === undefined || !may(name, place.thing)) continue
      this.remove(place)
      // If the group has more entries, it moves to the end of the round.
      if (group.members.delete(member[0]) && member[1].size > 0) group.members.set(...member)
      if (this.#groups.delete(name) && group.size > 0) this.#groups.set(name, group)
      return place.thing
    }
    return undefined
  }

  /** Removes an entry. Does nothing if it has already left. */
  remove(place: Waiting<A>): void {
    const { group: name, member } = place.owner
    const group = this.#groups.get(name)
    const things = group?.members.get(member)
    if (group === undefined || things === undefined || !things.delete(place)) return
    this.#size--
    group.size--
    if (things.size === 0) group.members.delete(member)
    if (group.size === 0) this.#groups.delete(name)
  }

  #add(place: Waiting<A>): void {
    const { group: name, member } = place.owner
    let group = this.#groups.get(name)
    if (group === undefined) this.#groups.set(name, group = { size: 0, members: new Map() })
    let things = group.members.get(member)
    if (things === undefined) group.members.set(member, things = new Set())
    things.add(place)
    group.size++
    this.#size++
  }

  /** Returns the entry that a further one of this owner displaces. */
  #displacedBy(owner: Owner): Waiting<A> | undefined {
    const own = this.#groups.get(owner.group)
    let largest: Group<A> | undefined
    for (const group of this.#groups.values()) {
      if (group.size > (largest?.size ?? 0)) largest = group
    }
    if (largest === undefined) return undefined
    const isOther = largest.size > (own?.size ?? 0) + 1
    // If the owner's own group has the most entries, one of those is displaced.
    const group = isOther ? largest : own
    let most: Set<Waiting<A>> | undefined
    for (const things of group?.members.values() ?? []) {
      if (things.size > (most?.size ?? 0)) most = things
    }
    if (most === undefined) return undefined
    if (!isOther && most.size <= (own?.members.get(owner.member)?.size ?? 0) + 1) return undefined
    return first(most)
  }
}
