import * as Result from "effect/Result"
import { invalid, type Kind } from "./kind.ts"
import { string } from "./kinds.ts"

const form = "Write it as redis://host:6379 or, over TLS, as rediss://host:6379; a user and the number of a database " +
  "may be added: rediss://user@host:6379/0"

/**
 * The URL of the store: `redis://` or `rediss://`, without a password, which a process list or `--check` would show.
 */
export const storeUrl: Kind<string, string> = string("redis URL", (text) => {
  const url = /^rediss?:\/\/[^/?#\\\s]+(?:\/[0-9]{0,5})?$/i.test(text)
    ? Result.getOrUndefined(Result.try(() => new URL(text)))
    : undefined
  if (url === undefined || url.hostname === "") return invalid("is not the URL of a Redis or Valkey server", form)
  if (url.password !== "" || /:\/\/[^@]*:[^@]*@/.test(text)) {
    return invalid("has a password in the URL", "Put it into MCP_STORE_PASSWORD_FILE or MCP_STORE_PASSWORD")
  }
  return Result.succeed(text)
})

const prefix = /^[\w:./{}-]{1,64}$/

export const storeKeyPrefix: Kind<string, string> = string("text", (text) =>
  prefix.test(text)
    ? Result.succeed(text)
    : invalid("is not a prefix of keys", "Use 1 to 64 letters, digits and : . / { } _ -"))
