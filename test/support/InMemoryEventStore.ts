/** Stores the events of streams for clients that resume with `Last-Event-ID`. */
import type { EventStore } from "@modelcontextprotocol/sdk/server/streamableHttp.js"

// The SDK's own example splits the stream id at underscores, but the id of the GET stream contains one.
export const makeInMemoryEventStore = (): EventStore => {
  type Message = Parameters<EventStore["storeEvent"]>[1]
  const events: Array<{ readonly stream: string; readonly message: Message }> = []
  return {
    storeEvent: (stream, message) => Promise.resolve(String(events.push({ stream, message }))),
    getStreamIdForEventId: (id) => Promise.resolve(events[Number(id) - 1]?.stream),
    replayEventsAfter: async (id, { send }) => {
      const stream = events[Number(id) - 1]?.stream ?? ""
      for (let index = Number(id); index < events.length; index++) {
        const event = events[index]
        // A priming event has no message: it only tells the client an id.
        if (event?.stream === stream && Object.keys(event.message).length > 0) {
          await send(String(index + 1), event.message)
        }
      }
      return stream
    }
  }
}
