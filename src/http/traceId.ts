// Long enough for W3C trace contexts and UUIDs, and without anything that could break a log line or a field.
const acceptable = /^[A-Za-z0-9._:+/=@-]{1,128}$/

/** The trace id of a request: the incoming one if it is fit to be logged and sent on, else a new random one. */
export const traceId = (incoming: string | undefined): string =>
  incoming !== undefined && acceptable.test(incoming) ? incoming : crypto.randomUUID()
