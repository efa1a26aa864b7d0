/** Where the component differs from the Node service because its host leaves no choice. Nothing else may differ. */
import type { Difference } from "../../support/differences.ts"
import type { Seen } from "./exchangesAtBoth.ts"

/** Failures whose detail includes what the connection reported. */
const connectionErrors = new Set<unknown>(["ProviderUnavailable", "UpstreamUnavailable"])

const errorOf = ({ log }: Seen): unknown => log.find(({ message }) => message === "request")?.["error"]

const withoutDetail = (log: Seen["log"]): Seen["log"] =>
  log.map((entry) => Object.fromEntries(Object.entries(entry).filter(([name]) => name !== "detail")))

export const componentDifferences: ReadonlyArray<Difference<Seen>> = [
  {
    where: "the details of failed connections",
    reason: "WASI does not report them as Node does, which names the system's error and the duration",
    applies: (_, expected) => connectionErrors.has(errorOf(expected)),
    comparable: (left, { log }) => ({ ...left, log: withoutDetail(log) }),
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
    applies: ({ credential }) => credential === "malformed",
    comparable: (left, { log }) => ({ ...left, log: withoutDetail(log) }),
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
  }
]
