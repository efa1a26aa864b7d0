import * as Result from "effect/Result"
import type { Mistake } from "../InvalidConfiguration.ts"
import { audienceMistake } from "./issuerMistakes.ts"
import { invalid } from "./kind.ts"
import { list } from "./kinds.ts"

/** Reports a list that is separated by spaces instead of commas. */
export const blankWithin = (what: string) => (text: string): Mistake | undefined =>
  text.split(",").some((member) => member.trim().includes(" "))
    ? {
      problem: `has a blank within ${what}`,
      fix: "Separate several by commas; one that really has a blank must stand in an array of the config file"
    }
    : undefined

export const audience = list(
  "comma list",
  /,/,
  (members) => {
    if (members.includes("*")) {
      return invalid("contains a wildcard", "Name the audiences, or leave the setting out to check none")
    }
    const mistake = members.map(audienceMistake).find((found) => found !== undefined)
    return mistake === undefined ? Result.succeed(members) : Result.fail([mistake])
  },
  blankWithin("an audience")
)
