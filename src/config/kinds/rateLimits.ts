/** Rate limits as settings: a JSON array of objects, in the file, a variable, and TypeScript code. */
import * as Result from "effect/Result"
import * as Schema from "effect/Schema"
import { limitAlgorithms, type LimitDimension, limitDimensions, type RateLimit } from "../GatewaySettings.ts"
import type { Mistake } from "../InvalidConfiguration.ts"
import { parseJson } from "../sources/jsonText.ts"
import { type Checked, invalid, type Kind, makeKind } from "./kind.ts"
import { membersOf } from "./kinds.ts"

/** One limit as TypeScript and JSON write it. */
export interface RateLimitInput {
  /**
   * The dimensions of the limit. Each subject, client, peer address, server or tool, or combination, has its own
   * counter.
   */
  readonly by: ReadonlyArray<LimitDimension>
  /** What is counted: messages to the server, or rejected tokens, which have an address only. Default: `messages`. */
  readonly on?: "messages" | "failures" | undefined
  /** How many of them are allowed in a window. */
  readonly limit: number
  /** The length of a window in seconds. */
  readonly window: number
  /** Default: `fixed-window`. */
  readonly algorithm?: (typeof limitAlgorithms)[number] | undefined
  /** Count only the calls of these tools; `*` stands for any characters. */
  readonly tools?: ReadonlyArray<string> | undefined
  /** Count only messages for these servers; `*` stands for any characters. */
  readonly servers?: ReadonlyArray<string> | undefined
}

const maxLimits = 32
const maxCount = 1_000_000_000
const maxWindowSeconds = 2_678_400
const maxPatterns = 256
const maxPatternLength = 256

const members: ReadonlySet<string> = new Set(["by", "on", "limit", "window", "algorithm", "tools", "servers"])

const form = "Write an array of {by, limit, window} with, where they are needed, on, algorithm, tools and servers: " +
  "[{\"by\": [\"subject\"], \"limit\": 60, \"window\": 60}]"

const isDimension = (value: unknown): value is LimitDimension => limitDimensions.some((known) => known === value)

const readBy = (value: unknown): Checked<ReadonlyArray<LimitDimension>> => {
  if (!Array.isArray(value) || value.length === 0 || !value.every(isDimension)) {
    return invalid(
      "has a by that is not an array of known words",
      `Write at least one of ${limitDimensions.join(", ")}, each in quotes`
    )
  }
  return Result.succeed(limitDimensions.filter((dimension) => value.includes(dimension)))
}

const readNumber = (name: string, value: unknown, max: number): Checked<number> =>
  typeof value === "number" && Number.isInteger(value) && value >= 1 && value <= max
    ? Result.succeed(value)
    : invalid(`has a ${name} that is not a whole number from 1 to ${max}`, "Write digits without quotes")

const readWord = <const W extends string>(
  name: string,
  value: unknown,
  words: readonly [W, ...ReadonlyArray<W>]
): Checked<W> => {
  if (value === undefined) return Result.succeed(words[0])
  const word = words.find((word) => word === value)
  return word === undefined
    ? invalid(`has an ${name} that is not one of the known words`, `Write one of ${words.join(", ")}`)
    : Result.succeed(word)
}

const isPattern = (value: unknown): value is string =>
  typeof value === "string" && value !== "" && value.length <= maxPatternLength && !/\p{Cc}/u.test(value)

const readPatterns = (name: string, value: unknown): Checked<ReadonlyArray<string> | undefined> => {
  if (value === undefined) return Result.succeed(undefined)
  return Array.isArray(value) && value.length > 0 && value.length <= maxPatterns && value.every(isPattern)
    ? Result.succeed([...new Set(value)])
    : invalid(
      `has a member ${name} that is not an array of names`,
      `Write 1 to ${maxPatterns} names in quotes, with * for any characters, or leave it out to count all`
    )
}

/** Checks the members of an entry together. */
const check = (limit: RateLimit): Checked<RateLimit> => {
  if (limit.on === "messages") return Result.succeed(limit)
  if (limit.by.length !== 1 || limit.by[0] !== "address") {
    return invalid(
      "counts failures by more than the address",
      "Write \"by\": [\"address\"]: of a caller whose token is rejected nothing else is known"
    )
  }
  return limit.tools === undefined
    ? Result.succeed(limit)
    : invalid("counts failures of tools", "Remove tools: a rejected request has called none")
}

const parseMember = (value: unknown): Checked<RateLimit> => {
  const found = membersOf(value, members, form)
  if (Result.isFailure(found)) return Result.fail(found.failure)
  const given = found.success
  return Result.flatMap(
    Result.all({
      by: readBy(given.get("by")),
      on: readWord("on", given.get("on"), ["messages", "failures"]),
      limit: readNumber("limit", given.get("limit"), maxCount),
      windowMillis: Result.map(
        readNumber("window", given.get("window"), maxWindowSeconds),
        (seconds) => seconds * 1000
      ),
      algorithm: readWord("algorithm", given.get("algorithm"), limitAlgorithms),
      tools: readPatterns("tools", given.get("tools")),
      servers: readPatterns("servers", given.get("servers"))
    }),
    check
  )
}

const collect = (values: ReadonlyArray<unknown>): Checked<ReadonlyArray<RateLimit>> => {
  if (values.length === 0) return invalid("is a list without members", "Leave it out where there is no limit")
  if (values.length > maxLimits) return invalid("is too long", `Write at most ${maxLimits} limits`)
  const limits: Array<RateLimit> = []
  const mistakes: Array<Mistake> = []
  for (const [index, value] of values.entries()) {
    const parsed = parseMember(value)
    if (Result.isSuccess(parsed)) limits.push(parsed.success)
    else {for (const { fix, problem } of parsed.failure) {
        mistakes.push({ problem: `entry ${index + 1} ${problem}`, fix })
      }}
  }
  return mistakes.length === 0 ? Result.succeed(limits) : Result.fail(mistakes)
}

const parse = (text: string): Checked<ReadonlyArray<RateLimit>> =>
  Result.flatMap(
    parseJson(text),
    (parsed) => Array.isArray(parsed) ? collect(parsed) : invalid("is not a JSON array", form)
  )

const Entry = Schema.Struct({
  by: Schema.Array(Schema.Literals(limitDimensions)).check(Schema.isMinLength(1)),
  on: Schema.optionalKey(Schema.Literals(["messages", "failures"])),
  limit: Schema.Int.check(Schema.isBetween({ minimum: 1, maximum: maxCount })),
  window: Schema.Int.check(Schema.isBetween({ minimum: 1, maximum: maxWindowSeconds })).annotate({
    description: "In seconds."
  }),
  algorithm: Schema.optionalKey(Schema.Literals(limitAlgorithms)),
  tools: Schema.optionalKey(Schema.Array(Schema.NonEmptyString).check(Schema.isMinLength(1))),
  servers: Schema.optionalKey(Schema.Array(Schema.NonEmptyString).check(Schema.isMinLength(1)))
})

type Input = string | ReadonlyArray<RateLimitInput>

// Entries are checked one by one, so that a problem names its entry.
const isInput = (value: unknown): value is Input => typeof value === "string" || Array.isArray(value)

/** Rate limits. A request must be within all of them. */
export const rateLimits: Kind<ReadonlyArray<RateLimit>, Input> = makeKind<ReadonlyArray<RateLimit>, Input>({
  label: "JSON array",
  input: Schema.declare(isInput),
  file: Schema.Array(Entry).check(Schema.isMinLength(1)),
  mistyped: () => ({ problem: "is not an array", fix: form }),
  fromJson: (value) => typeof value === "string" ? parse(value) : collect(value),
  fromText: parse,
  show: (limits) =>
    limits.map(({ algorithm, by, limit, on, servers, tools, windowMillis }) => ({
      by,
      on,
      limit,
      window: windowMillis / 1000,
      algorithm,
      ...(tools === undefined ? {} : { tools }),
      ...(servers === undefined ? {} : { servers })
    }))
})

/** The limits in an entry of `servers`. They count only messages for that server. */
export const limitsOfServer = (limits: ReadonlyArray<RateLimit>, server: string): ReadonlyArray<RateLimit> =>
  limits.map((limit) => ({ ...limit, servers: [server] }))
