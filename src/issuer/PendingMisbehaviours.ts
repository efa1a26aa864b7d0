import type { Misbehaviour } from "./Misbehaviour.ts"

/** Builds the queue of misbehaviours, in the order in which the test added them. */
export const makePendingMisbehaviours = () => {
  const waiting = new Map<string, Array<{ readonly behaviour: Misbehaviour; left: number }>>()
  return {
    add: (path: string, behaviour: Misbehaviour, times: number): void => {
      waiting.set(path, [...waiting.get(path) ?? [], { behaviour, left: times }])
    },
    clear: (path: string | undefined): void => {
      if (path === undefined) waiting.clear()
      else waiting.delete(path)
    },
    take: (path: string): Misbehaviour | undefined => {
      const queue = waiting.get(path) ?? []
      while (queue[0] !== undefined && queue[0].left <= 0) queue.shift()
      const first = queue[0]
      if (first !== undefined) first.left -= 1
      return first?.behaviour
    }
  }
}
