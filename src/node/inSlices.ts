/**
 * Spreads a step over several turns of the event loop, a few things in each turn, even if many come at once.
 *
 * Other work runs in between: ten thousand connections that time out do not delay other requests.
 */
export const inSlices = <A>(slice: number, step: (thing: A) => void): (thing: A) => void => {
  const waiting: Array<A> = []
  const proceed = () => {
    const now = waiting.splice(0, slice)
    if (waiting.length > 0) setImmediate(proceed)
    for (const thing of now) step(thing)
  }
  return (thing) => {
    if (waiting.push(thing) === 1) setImmediate(proceed)
  }
}
