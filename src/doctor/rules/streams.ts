/** Rules of the step `streams`. Pure. */
import { clients, type Rule, sdks } from "../Finding.ts"

const buffering =
  "nginx: proxy_buffering off, or X-Accel-Buffering: no from the server. Other proxies: disable buffering and compression for " +
  "text/event-stream."

export const rules = {
  "stream-held": {
    level: "warning",
    title: "The event stream does not begin",
    why:
      "Something on the way holds the response back until it is long enough or ends, so notifications and progress arrive late or never.",
    clients,
    specification: "MCP Transports, Listening for Messages: GET opens an SSE stream, or gets 405.",
    fix: buffering
  },
  "stream-bunched": {
    level: "error",
    title: "The events of a tool call arrive all at once",
    why:
      "Something on the way holds events back until the response ends. Long calls time out, and progress is not shown.",
    clients,
    specification: "MCP Progress: notifications inform about a request while it runs.",
    fix: buffering
  },
  "stream-length": {
    level: "error",
    title: "The event stream has a Content-Length",
    why: "Something on the way read it to its end before it sent it on.",
    clients,
    specification: "HTML standard, server-sent events: the stream is read while it arrives.",
    fix: buffering
  },
  "stream-compressed": {
    level: "warning",
    title: "The event stream is compressed",
    why: "Compression collects events until a block is full, unless it is flushed after each event.",
    clients: sdks,
    specification: "MCP Transports, Streamable HTTP: intermediaries must not delay the events of a stream.",
    fix: "Exclude text/event-stream from compression, in nginx from gzip_types."
  },
  "stream-ends": {
    level: "note",
    title: "The event stream ends at once",
    why: "Clients reconnect again and again. Serverless platforms and some proxies end responses early.",
    clients: [],
    specification:
      "MCP Transports, Listening for Messages: the server MAY close the stream at any time; clients then poll.",
    fix:
      "Respond to GET with 405 if the server sends nothing there, or keep the stream open and send comments as a heartbeat."
  },
  "stream-silent": {
    level: "note",
    title: "The event stream has no heartbeat",
    why: "Proxies and load balancers end connections that are idle, usually after 60 seconds.",
    clients: [],
    specification: "HTML standard, 9.2.7: authors can include a comment line every 15 seconds or so.",
    fix: "Let the server send a comment every 15 to 30 seconds, or raise the read timeout of proxies."
  },
  "get-status": {
    level: "warning",
    title: "GET gets neither a stream nor 405",
    why: "Clients open a stream with GET after they have connected, and report other statuses as errors.",
    clients: ["Cursor", "VS Code", "SDKs"],
    specification:
      "MCP Transports, Listening for Messages: the server MUST return text/event-stream or 405 Method Not Allowed.",
    fix: "Respond with 405 to GET if the server has no stream. Some proxies let only POST pass."
  }
} satisfies Readonly<Record<string, Rule>>
