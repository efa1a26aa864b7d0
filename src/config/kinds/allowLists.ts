/** Lists of allowed callers. */
import * as Result from "effect/Result"
import { normalDomain, normalEmail } from "../../identity/emailAddress.ts"
import { type Checked, invalid } from "./kind.ts"
import { list } from "./kinds.ts"

const normal = (
  members: ReadonlyArray<string>,
  normalise: (member: string) => string | undefined,
  problem: string,
  fix: string
): Checked<ReadonlyArray<string>> => {
  const read = members.map(normalise)
  const known = read.filter((member) => member !== undefined)
  return known.length === read.length ? Result.succeed([...new Set(known)]) : invalid(problem, fix)
}

/** E-mail addresses, in the form in which they are compared. */
export const emails = list(
  "comma list",
  /,/,
  (members) =>
    normal(
      members,
      (member) => normalEmail(member)?.address,
      "contains something that is not an e-mail address",
      "Write ann@example.com; for everyone of a domain there is MCP_ALLOWED_EMAIL_DOMAINS"
    )
)

const wildcard = "*."

/** Domains of e-mail addresses, in the form in which they are compared. */
export const emailDomains = list(
  "comma list",
  /,/,
  (members) =>
    normal(
      members,
      (member) => {
        const isWild = member.startsWith(wildcard)
        const domain = normalDomain(isWild ? member.slice(wildcard.length) : member)
        return domain === undefined || !isWild ? domain : `${wildcard}${domain}`
      },
      "contains something that is not a domain",
      "Write example.com, or *.example.com for the domains below it, without @"
    )
)

/** Subjects, character for character. */
export const subjects = list(
  "comma list",
  /,/,
  (members) =>
    members.includes("*")
      ? invalid("contains a wildcard", "Name the subjects, or leave the setting out to let every caller in")
      : Result.succeed(members)
)
