/** Where the component differs from the Node service because its host leaves no choice. Nothing else may differ. */
import type { Difference } from "../../support/differences.ts"
import type { Seen } from "./exchangesAtBoth.ts"

/** Failures whose detail includes what the connection reported. */
const connectionErrors = new Set<unknown>(["ProviderUnavailable", "UpstreamUnavailable"])

const errorOf = ({ log }: Seen): unknown => log.find(({ message }) => message === "request")?.["error"]

const withoutFields = (log: Seen["log"], ...names: ReadonlyArray<string>): Seen["log"] =>
  log.map((entry) => Object.fromEntries(Object.entries(entry).filter(([name]) => !names.includes(name))))

export const componentDifferences: ReadonlyArray<Difference<Seen>> = [
  {
    where: "the details of failed connections",
    reason: "WASI does not report them as Node does, which names the system's error and the duration",
    applies: (_, expected) => connectionErrors.has(errorOf(expected)),
    comparable: (left, { log }) => ({ ...left, log: withoutFields(log, "detail") }),
    example: { upstream: "down" }
  },
  {
    where: "the warnings of probes",
    reason: "an instance does not remember what others have warned about, and WASI reports no details",
    applies: ({ target }) => target === "/readyz",
    comparable: (left, { log }) => ({ ...left, log: log.filter(({ message }) => message === "request") }),
    example: { method: "GET", target: "/readyz", body: "none" }
  },
  {
    where: "bytes outside of ASCII in a field",
    reason: "the fields of the tests' host are text in UTF-8, in which such a byte becomes two",
    applies: ({ credential }, expected) => credential === "malformed" && errorOf(expected) === "InvalidToken",
    comparable: (left, { log }) => ({ ...left, log: withoutFields(log, "detail") }),
    example: { credential: "malformed" }
  },
  {
    where: "several cookies",
    reason: "the tests' host joins the lines of the MCP server's Set-Cookie by commas",
    applies: ({ upstream }) => upstream === "whole",
    comparable: (left, { headers }) => ({
      ...left,
      headers: { ...headers, "set-cookie": headers["set-cookie"]?.join() }
    }),
    example: { upstream: "whole" }
  },
  {
    where: "the end of the MCP server's body",
    reason: "the tests' host now and then reports the end of a complete body as a failure, which the log repeats",
    applies: ({ upstream }, { sent }) => sent.length > 0 && upstream !== "breaks",
    comparable: (left, { log }) => ({ ...left, log: withoutFields(log, "detail", "ended") }),
    example: undefined
  },
  {
    where: "a body that breaks off",
    reason: "the tests' host ends the body of a component in the same way, complete or not",
    applies: ({ upstream }, { sent }) => upstream === "breaks" && sent.length > 0,
    comparable: ({ sent }) => ({ sent }),
    example: { upstream: "breaks" }
  }
]
