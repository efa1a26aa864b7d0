/** Single requests, to see that the servers do what is measured. */
import * as Effect from "effect/Effect"
import { readFile } from "node:fs/promises"
import type { Load } from "./load.ts"
import type { Running } from "./processes.ts"

/** A stored message as a client would send it, with the first token, or with that token changed by `spoil`. */
export const ask = ({ origin }: Running, load: Load, spoil = (token: string) => token) =>
  Effect.promise(async (signal) => {
    const [token = ""] = (await readFile(load.tokens.file, "utf8")).split("\n")
    const body = load.bodyFile === undefined ? null : await readFile(load.bodyFile)
    const headers = {
      ...load.headers,
      authorization: `Bearer ${spoil(token)}`,
      "content-type": "application/json",
      accept: "application/json, text/event-stream"
    }
    const response = await fetch(`${origin}${load.path ?? "/mcp"}`, { method: "POST", headers, body, signal })
    return { status: response.status, text: await response.text() }
  })

// Another first character of the signature: others may hold bits that do not count.
const forge = (token: string): string =>
  token.replace(/\.(.)([^.]*)$/, (_, first, rest) => `.${first === "A" ? "B" : "A"}${rest}`)

/**
 * Dies unless a server accepts a valid token and rejects a forged one: a server that does not verify tokens is not a
 * peer.
 */
export const mustVerify = Effect.fnUntraced(function*(server: Running, load: Load) {
  const good = yield* ask(server, load)
  const forged = yield* ask(server, load, forge)
  // oauth2-proxy has 403 for bad tokens.
  if (good.status === 200 && (forged.status === 401 || forged.status === 403)) return
  return yield* Effect.die(new Error(`a good token got ${good.status}, a forged one ${forged.status}`))
})
