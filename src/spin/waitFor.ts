import { subscribeDuration } from "wasi:clocks/monotonic-clock@0.2.3"
import { poll, type Pollable } from "wasi:io/poll@0.2.3"

/** Lets the engine's event loop run timers, and write what is ready to be written. */
const turn = () => new Promise<void>((resume) => setTimeout(resume, 0))

const shortest = 2_000_000n
const longest = 256_000_000n

/**
 * Waits until the host says that one of these is ready.
 *
 * The engine's event loop does not know them, so the instance waits for them itself. It stops at intervals, so that
 * timers run: soon at first, because there is more to do at the beginning, and then twice as long each time.
 *
 * @param signal the wait fails with its reason when it is aborted
 */
export const waitFor = async (pollables: ReadonlyArray<Pollable>, signal: AbortSignal | undefined): Promise<void> => {
  let interval = shortest
  while (!pollables.some((pollable) => pollable.ready())) {
    await turn()
    if (signal?.aborted === true) throw signal.reason
    const timer = subscribeDuration(interval)
    poll([...pollables, timer])
    timer[Symbol.dispose]()
    if (interval < longest) interval *= 2n
  }
}
