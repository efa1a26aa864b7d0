import * as Result from "effect/Result"
import { invalid } from "./kind.ts"
import { list, string } from "./kinds.ts"

/** The value for standard output, instead of a path. */
export const standardOutput = "stdout"

/**
 * Where audit entries go: standard output, or a file. A path must contain a slash, so that a typo is not taken for one.
 */
export const auditLog = string(
  "`stdout`, or a path",
  (text) =>
    text.toLowerCase() === standardOutput
      ? Result.succeed(standardOutput)
      : /[/\\]$/.test(text)
      ? invalid("is the path of a directory", "Write the path of a file, as in /var/log/mcp-authorizer/audit.log")
      : /[/\\]/.test(text)
      ? Result.succeed(text)
      : invalid(
        "is neither `stdout` nor a path",
        "Write stdout, or a path with a slash in it, as in ./audit.log or /var/log/mcp-authorizer/audit.log"
      )
)

const maxArguments = 64

/** Arguments of tools by their paths: `pay.amount`, `pay.recipient.iban`. */
export const auditArguments = list(
  "comma list",
  /,/,
  (members) =>
    members.length > maxArguments
      ? invalid(`has more than ${maxArguments} members`, "Name the arguments that an auditor needs")
      : members.every((member) => /^[^.*\s][^*\s]*\.[^.*\s]+$/u.test(member))
      ? Result.succeed(members)
      : invalid(
        "has a member that does not name one argument of one tool",
        "Write the tool's name, a dot and the argument's name, without wildcards, as in pay.amount"
      )
)
