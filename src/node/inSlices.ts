/**
 * Makes of a step one that is done for a few things in each turn of the event loop, however many come at once.
 *
 * Others have their turn in between: ten thousand connections whose time is up hold up nobody.
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
