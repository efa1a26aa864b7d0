/** Returns whether a response is an event stream, by its `Content-Type`. */
export const isEventStream = (type: unknown): boolean => typeof type === "string" && /^text\/event-stream\b/i.test(type)
