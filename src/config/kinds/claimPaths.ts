import * as Result from "effect/Result"
import { blankWithin } from "./audience.ts"
import { invalid } from "./kind.ts"
import { list } from "./kinds.ts"

export const isPath = (path: string): boolean => path.split(".").every((step) => step !== "")

export const claimPaths = list(
  "comma list",
  /,/,
  (members) =>
    members.every(isPath)
      ? Result.succeed(members)
      : invalid("contains something that is not the path of a claim", "Write groups, or realm_access.roles"),
  blankWithin("a claim")
)

/** Paths of claims, of which the first that is present counts. Each path leads to one claim, so `*` is not allowed. */
export const claimNames = list(
  "comma list",
  /,/,
  (members) =>
    members.every((path) => isPath(path) && !path.split(".").includes("*"))
      ? Result.succeed(members)
      : invalid("contains something that is not the name of one claim", "Write sub, or application.uid"),
  blankWithin("a claim")
)
