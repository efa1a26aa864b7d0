/** The common parts of the MCP servers built with the official SDKs. */
import { setTimeout as wait } from "node:timers/promises"
import * as z from "zod"

export interface OfficialServer {
  /** The MCP endpoint: `http://127.0.0.1:<port>/mcp`. */
  readonly url: string
  /** Sessions that are open now; always 0 for a server without sessions. */
  readonly sessions: () => number
  /** Calls of `slow` that were cancelled, or whose caller disconnected. */
  readonly cancelled: () => number
}

export const text = (value: string) => ({ content: [{ type: "text" as const, text: value }] })

export const echoInput = z.object({ message: z.string() })
export const addInput = z.object({ a: z.number(), b: z.number() })
export const slowInput = z.object({ steps: z.number(), pauseMillis: z.number() })

/** The `x-auth-*` headers of a request, as JSON text. */
export const authHeaders = (headers: Iterable<readonly [string, unknown]>): string =>
  JSON.stringify(Object.fromEntries(Array.from(headers).filter(([name]) => name.startsWith("x-auth-"))))

/** Reports each step after a pause; `undefined` if the signal was aborted first. */
export const walk = async (
  { pauseMillis, steps }: z.infer<typeof slowInput>,
  signal: AbortSignal,
  report: (step: number) => Promise<void>
): Promise<string | undefined> => {
  for (let step = 1; step <= steps; step++) {
    const cut = await wait(pauseMillis, false, { signal }).catch(() => true)
    if (cut) return undefined
    await report(step)
  }
  return `${steps} steps`
}
