/** The members of an entry of `servers` that are not settings. */
import * as Result from "effect/Result"
import { invalid, type Kind } from "./kind.ts"
import { list, string } from "./kinds.ts"

/** The name of an MCP server, for logs, rules and `--check`. */
export const serverName: Kind<string, string> = string(
  "name",
  (text) =>
    /^[A-Za-z0-9](?:[A-Za-z0-9._-]{0,62}[A-Za-z0-9])?$/.test(text)
      ? Result.succeed(text)
      : invalid("is not a plain name", "Use up to 64 letters, digits, ., _ and -, with a letter or digit at both ends")
)

const hostForm = /^(?:[a-z0-9](?:[a-z0-9_.-]*[a-z0-9])?|\[[0-9a-f:.]+\])(?::[0-9]{1,5})?$/

/** The host by which requests select a server, in lower case, without a dot at its end and without a default port. */
export const serverHost: Kind<string, string> = string("host", (text) => {
  if (text.includes("/")) return invalid("is a URL or a path", "Write the host alone, as in files.example.com")
  const host = text.toLowerCase().replace(/\.(?=:|$)/, "").replace(/:(?:80|443)$/, "")
  // Some values look like a host but are invalid, or are a spelling that no request would use.
  return hostForm.test(host) && URL.canParse(`https://${host}`) && new URL(`https://${host}`).host === host
    ? Result.succeed(host)
    : invalid("is not a host", "Write a host name or address, with its port if only that one is meant")
})

/** A host name as in certificates, in lower case. */
export const hostName: Kind<string, string> = string("host name", (text) => {
  const name = text.toLowerCase()
  return name.length <= 253 && /^[a-z0-9](?:[a-z0-9-]*[a-z0-9])?(?:\.[a-z0-9](?:[a-z0-9-]*[a-z0-9])?)*$/.test(name) &&
      !/^[0-9.]+$/.test(name)
    ? Result.succeed(name)
    : invalid("is not the name of a host", "Write the name that the server's certificate has, as in notes.internal")
})

/** The names of the providers whose tokens a server accepts. */
export const providerNames: Kind<ReadonlyArray<string>, string | ReadonlyArray<string>> = list(
  "comma list",
  /,/,
  Result.succeed
)
