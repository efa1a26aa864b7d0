/**
 * The functions that an expression can call: CEL's own, and those for strings whose result is never longer than what they
 * are given. Each call is counted as work before it is done.
 */
import {
  type CelEnv,
  celEnv,
  type CelFunc,
  celFunc,
  celList,
  celMethod,
  CelScalar,
  type CelType,
  type CelValue,
  isCelList,
  listType,
  mapType
} from "@bufbuild/cel"
import { strings } from "@bufbuild/cel/ext"
import { times } from "./times.ts"
import { patternOf, spend } from "./work.ts"

const { BOOL, DYN, STRING } = CelScalar
const list = listType(DYN)
const map = mapType(DYN, DYN)

/** Marks the steps of loops, so that each of them is counted. No expression can spell it. */
export const loopStep = "@step"

/**
 * `replace`, `join`, `format` and `quote` can produce a lot from a little; finding the last index takes quadratic time.
 */
const stringFunctions: ReadonlySet<string> = new Set([
  "charAt",
  "indexOf",
  "lowerAscii",
  "upperAscii",
  "split",
  "substring",
  "trim"
])

/** The longest text that is matched with a regular expression, in UTF-16 units. */
const maxMatched = 4_096

/** A unit is about a microsecond: so many steps of a regular expression, characters of a text, or elements of a list. */
const stepsPerUnit = 16
const charactersPerUnit = 256
const elementsPerUnit = 8

/** Functions that inspect each character, which takes longer. */
const slowFunctions: ReadonlySet<string> = new Set(["lowerAscii", "upperAscii", "split", "trim", "size"])
const slowFactor = 16

const sizeOf = (value: CelValue | undefined): number => {
  if (typeof value === "string") return value.length / charactersPerUnit
  if (typeof value !== "object" || value === null) return 0
  if (value instanceof Uint8Array) return value.length / charactersPerUnit
  return isCelList(value) ? value.size / elementsPerUnit : 0
}

/** The JavaScript type of a CEL type's values, if it suffices to detect values of other types. */
const kinds: ReadonlyMap<CelType, string> = new Map<CelType, string>([
  [CelScalar.INT, "bigint"],
  [CelScalar.DOUBLE, "number"],
  [CelScalar.STRING, "string"],
  [CelScalar.BOOL, "boolean"],
  [CelScalar.UINT, "object"],
  [CelScalar.BYTES, "object"]
])

/** The same function, whose calls are counted. */
const counted = (inner: CelFunc): CelFunc => {
  const factor = slowFunctions.has(inner.name) ? slowFactor : 1
  const kindsOfArguments = inner.arguments.map((type) => kinds.get(type))
  const takes = (args: ReadonlyArray<CelValue>): boolean => {
    if (args.length !== kindsOfArguments.length) return false
    for (let index = 0; index < args.length; index++) {
      const kind = kindsOfArguments[index]
      if (kind !== undefined && typeof args[index] !== kind) return false
    }
    return true
  }
  const call: CelFunc["call"] = (id, target, args) => {
    // Functions of one name for other types, of which there are up to 17, are tried first.
    if (!takes(args)) return undefined
    let units = sizeOf(target)
    for (const arg of args) units += sizeOf(arg)
    // Looking for one long text in another can take as long as both lengths multiplied.
    const [first] = args
    if (typeof target === "string" && typeof first === "string") units *= 1 + first.length / charactersPerUnit
    units *= factor
    if (units >= 1) spend(units)
    const result = inner.call(id, target, args)
    // `undefined`: the function is for other types, and another one of its name is called.
    if (result !== undefined) spend(1)
    return result
  }
  return Object.assign(Object.create(inner), { call })
}

const matches = celMethod("matches", STRING, [STRING], BOOL, function(text) {
  const pattern = patternOf(text)
  if (pattern === undefined || this.length > maxMatched) throw new Error("not matched")
  spend((this.length * pattern.size) / stepsPerUnit)
  return pattern.test(this)
})

/** Replaces the library's function: its lists grow into a chain, and it treats a member that is `null` as missing. */
const replaced: ReadonlyArray<CelFunc> = [
  celFunc("_+_", [list, list], list, (left, right) => celList([...left, ...right])),
  celFunc("@in", [STRING, map], BOOL, (name, members) => members.has(name)),
  celFunc(loopStep, [DYN], DYN, (value) => value),
  matches,
  ...times
]

/** CEL with the functions that expressions may call. */
export const environment: CelEnv = celEnv({
  funcs: [
    ...celEnv({ funcs: [...strings.filter(({ name }) => stringFunctions.has(name)), ...replaced] }).funcs
  ].map(counted)
})
