import * as Result from "effect/Result"
import { blankWithin } from "./audience.ts"
import { refuse } from "./kind.ts"
import { list } from "./kinds.ts"

const isPath = (path: string): boolean => path.split(".").every((step) => step !== "")

/** Paths into the claims of a token. */
export const claimPaths = list(
  "comma list",
  /,/,
  (members) =>
    members.every(isPath)
      ? Result.succeed(members)
      : refuse("contains something that is not the path of a claim", "Write groups, or realm_access.roles"),
  blankWithin("a claim")
)
