/** Rules about who may do what: a JSON array, read strictly. Mistakes name the path of a member, never its value. */
import * as Result from "effect/Result"
import * as Schema from "effect/Schema"
import { nearestName, showMember } from "../../errors/nearestName.ts"
import { compile, type Condition } from "../../rules/condition.ts"
import { coversRule, uselessKinds, uselessMethods } from "../../rules/coverage.ts"
import { Glob } from "../../rules/Glob.ts"
import { defaultRules, type Rule } from "../../rules/Policy.ts"
import type { Mistake } from "../InvalidConfiguration.ts"
import { parseJson } from "../sources/jsonText.ts"
import { isObject } from "../sources/nested.ts"
import { type Checked, fromJson, type Kind, makeKind } from "./kind.ts"
import { choice, scopes as scopeList } from "./kinds.ts"
import { leftover } from "./leftovers.ts"

/** One rule as TypeScript and JSON write it. */
export interface RuleInput {
  /** Methods that the rule is for: `tools/call`, `notifications/*`. */
  readonly methods?: ReadonlyArray<string> | undefined
  /** Tools that the rule is for, by name: `delete_*`. */
  readonly tools?: ReadonlyArray<string> | undefined
  readonly prompts?: ReadonlyArray<string> | undefined
  /** Resources that the rule is for, by URI: `file:///reports/*`. */
  readonly resources?: ReadonlyArray<string> | undefined
  readonly allow?: "anyone" | undefined
  /** Scopes that the caller must have, all of them. */
  readonly scopes?: string | ReadonlyArray<string> | undefined
  /** A CEL expression that must be true. */
  readonly when?: string | undefined
}

const patternMembers = ["methods", "tools", "prompts", "resources"] as const

const members: ReadonlySet<string> = new Set([...patternMembers, "allow", "scopes", "when"])

const form = "Write {\"tools\": [\"delete_*\"], \"scopes\": [\"notes:delete\"]}; a rule has methods, tools, prompts, " +
  "resources, allow, scopes and when"

/** A mistake about the member at a path: `rules[2].tools[0]`. */
const at = (place: string, problem: string, fix: string): Mistake => ({ problem: `${place} ${problem}`, fix })

const below = (place: string, mistakes: ReadonlyArray<Mistake>): ReadonlyArray<Mistake> =>
  mistakes.map(({ fix, problem }) => at(place, problem, fix))

/** The problems found so far. */
type Report = (...mistakes: ReadonlyArray<Mistake>) => void

const readPattern = (place: string, value: unknown, report: Report): ReadonlyArray<Glob> => {
  if (typeof value !== "string" || value === "") {
    report(at(place, "is not a name or pattern", "Write a name in quotes, where * stands for any run of characters"))
    return []
  }
  if (value.trim() !== value || /\p{Cc}/u.test(value)) {
    report(at(place, "has a blank at an end, or a control character, so that it matches nothing", "Remove it"))
    return []
  }
  const left = leftover(value)
  if (left !== undefined) report(...below(place, [left]))
  return left === undefined ? [new Glob(value)] : []
}

const readPatterns = (place: string, value: unknown, report: Report): ReadonlyArray<Glob> | undefined => {
  if (value === undefined) return undefined
  if (!Array.isArray(value) || value.length === 0) {
    report(at(place, "is not a list of names", "Write an array of names or patterns, or leave it out"))
    return undefined
  }
  return (value as ReadonlyArray<unknown>).flatMap((member, index) => readPattern(`${place}[${index}]`, member, report))
}

const noScopes: ReadonlyArray<string> = []

const readScopes = (place: string, value: unknown, report: Report): ReadonlyArray<string> => {
  if (value === undefined) return noScopes
  const read = fromJson(scopeList, value)
  if (Result.isFailure(read)) {
    report(...below(place, read.failure))
    return noScopes
  }
  if (read.success.includes("offline_access")) {
    report(at(place, "names offline_access, which says nothing about what a caller may do", "Remove it"))
  }
  return read.success
}

const readCondition = (place: string, value: unknown, report: Report): Condition | undefined => {
  if (value === undefined) return undefined
  // Not read as other texts: a condition may begin with a quotation mark, and have several lines.
  if (typeof value !== "string") {
    report(at(place, "is not a text", "Write a CEL expression in quotes"))
    return undefined
  }
  const compiled = compile(value)
  if (Result.isSuccess(compiled)) return compiled.success
  const { position, problem } = compiled.failure
  report(at(
    place,
    `is not a condition, at character ${position}: ${problem}`,
    "Correct the expression (src/rules/README.md, Conditions)"
  ))
  return undefined
}

const kindNames = { tool: "tools", prompt: "prompts", resource: "resources" } as const

/** Reports contradictions within a rule. */
const contradictions = (
  place: string,
  input: Readonly<Record<string, unknown>>,
  rule: Rule
): ReadonlyArray<Mistake> => {
  const found: Array<Mistake> = []
  const asks = (["scopes", "when"] as const).filter((member) => input[member] !== undefined)
  if (rule.anyone) {
    for (const member of asks) {
      found.push(at(
        `${place}.${member}`,
        "is asked of callers that need no token",
        `Remove ${member}, or remove allow: a rule lets anyone in, or asks for something`
      ))
    }
  }
  if (patternMembers.every((member) => input[member] === undefined) && asks.length === 0) {
    found.push(
      rule.anyone
        ? at(
          place,
          "lets anyone do anything",
          "Name the methods, tools, prompts or resources; \"methods\": [\"*\"] means all"
        )
        : at(place, "is empty", form)
    )
  }
  for (const index of uselessMethods(rule)) {
    found.push(at(
      `${place}.methods[${index}]`,
      "is not a method by which the named tools, prompts or resources are used, so that it matches nothing",
      "Write a rule of its own for it: a rule with both is for messages that match both"
    ))
  }
  for (const kind of uselessKinds(rule)) {
    found.push(at(
      `${place}.${kindNames[kind]}`,
      "matches nothing, because the methods of the rule are not used for them",
      "Remove methods, or name a method by which they are used"
    ))
  }
  return found
}

const readRule = (place: string, index: number, input: unknown, report: Report): Rule | undefined => {
  if (!isObject(input)) {
    report(at(place, "is not an object", form))
    return undefined
  }
  for (const name of Object.keys(input)) {
    if (members.has(name) || input[name] === undefined) continue
    const meant = nearestName(name, members)
    report(at(
      place,
      `has an unknown member ${showMember(name)}`,
      meant === undefined ? form : `Did you mean ${meant}?`
    ))
  }
  const { allow } = input
  if (allow !== undefined && allow !== "anyone") {
    report(at(
      `${place}.allow`,
      "is not the word anyone",
      "Leave it out to let in every caller with a good token that has the scopes"
    ))
  }
  const patterns = (member: typeof patternMembers[number]) => readPatterns(`${place}.${member}`, input[member], report)
  const rule: Rule = {
    index: index + 1,
    methods: patterns("methods"),
    tools: patterns("tools"),
    prompts: patterns("prompts"),
    resources: patterns("resources"),
    anyone: allow === "anyone",
    scopes: readScopes(`${place}.scopes`, input["scopes"], report),
    when: readCondition(`${place}.when`, input["when"], report)
  }
  report(...contradictions(place, input, rule))
  return rule
}

/** Reports rules that never decide, because an earlier rule matches everything that they match. */
const unreachable = (rules: ReadonlyArray<Rule>): ReadonlyArray<Mistake> =>
  rules.flatMap((rule, index) => {
    const first = rules.slice(0, index).findIndex((earlier) => coversRule(earlier, rule))
    return first === -1 ? [] : [at(
      `rules[${index}]`,
      `can never decide, because rules[${first}] comes first and matches all that it matches`,
      "Move it up, or remove it"
    )]
  })

const read = (input: ReadonlyArray<unknown>): Checked<ReadonlyArray<Rule>> => {
  if (input.length === 0) {
    return Result.fail([{ problem: "is a list without rules", fix: "Leave it out, or write one" }])
  }
  const mistakes: Array<Mistake> = []
  const report: Report = (...found) => void mistakes.push(...found)
  const rules = input.flatMap((rule, index) => readRule(`rules[${index}]`, index, rule, report) ?? [])
  // Skipped if a rule has mistakes: without its wrong members, it could seem to match everything.
  if (mistakes.length === 0) report(...unreachable(rules))
  return mistakes.length === 0 ? Result.succeed(rules) : Result.fail(mistakes)
}

const noArray = (): Mistake => ({ problem: "is not a JSON array", fix: `Write an array of rules. ${form}` })

const isRules = (value: unknown): value is ReadonlyArray<RuleInput> => Array.isArray(value)

const Patterns = Schema.Array(Schema.NonEmptyString).check(Schema.isMinLength(1))

/** One rule in the config file. */
const Entry = Schema.Struct({
  methods: Schema.optionalKey(
    Patterns.annotate({ description: "Methods that it is for: `tools/call`, `notifications/*`." })
  ),
  tools: Schema.optionalKey(Patterns.annotate({ description: "Tools that it is for, by name: `delete_*`." })),
  prompts: Schema.optionalKey(Patterns.annotate({ description: "Prompts that it is for, by name." })),
  resources: Schema.optionalKey(Patterns.annotate({ description: "Resources that it is for, by URI." })),
  allow: Schema.optionalKey(Schema.Literal("anyone").annotate({ description: "No token is needed." })),
  scopes: Schema.optionalKey(
    Schema.Union([Schema.NonEmptyString, Patterns]).annotate({ description: "Scopes that the caller must have." })
  ),
  when: Schema.optionalKey(Schema.NonEmptyString.annotate({ description: "A CEL expression that must be true." }))
})

const patternsOf = (globs: ReadonlyArray<Glob> | undefined) => globs?.map(({ pattern }) => pattern)

/** The rules of one MCP server; never empty. */
export const rules: Kind<ReadonlyArray<Rule>, ReadonlyArray<RuleInput>> = makeKind<
  ReadonlyArray<Rule>,
  ReadonlyArray<RuleInput>
>({
  label: "JSON",
  input: Schema.declare(isRules),
  file: Schema.Array(Entry).check(Schema.isMinLength(1)),
  mistyped: noArray,
  fromJson: read,
  fromText: (text) =>
    Result.flatMap(parseJson(text), (value) => isRules(value) ? read(value) : Result.fail([noArray()])),
  show: (rules) =>
    rules.map(({ anyone, methods, prompts, resources, scopes, tools, when }) => ({
      ...(methods === undefined ? {} : { methods: patternsOf(methods) }),
      ...(tools === undefined ? {} : { tools: patternsOf(tools) }),
      ...(prompts === undefined ? {} : { prompts: patternsOf(prompts) }),
      ...(resources === undefined ? {} : { resources: patternsOf(resources) }),
      ...(anyone ? { allow: "anyone" as const } : {}),
      ...(scopes.length === 0 ? {} : { scopes }),
      ...(when === undefined ? {} : { when: when.text })
    }))
})

export const defaultRule = choice(defaultRules)
