/** Milliseconds since 1970, from the clock that no one sets while this process runs. */
export const nowMillis = (): number => performance.timeOrigin + performance.now()
