import * as Result from "effect/Result"
import { blankWithin } from "./audience.ts"
import { invalid } from "./kind.ts"
import { list } from "./kinds.ts"

export const clients = list(
  "comma list",
  /,/,
  (members) =>
    members.includes("*")
      ? invalid("contains a wildcard", "Name the clients, or leave the setting out to check none")
      : Result.succeed(members),
  blankWithin("a client id")
)
