/**
 * The functions that an expression can call: CEL's own, and those for strings whose result is no longer than their
 * arguments. Each call is counted as work before it runs.
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

/** The name of a function that counts the steps of loops. No expression can contain this name. */
export const loopStep = "@step"

/**
 * Left out, because `replace`, `join`, `format` and `quote` can produce long texts from short ones, and finding the
 * last index takes quadratic time.
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

/**
 * A unit of work is about a microsecond. In that time, this many steps of a regular expression, characters of a text,
 * or elements of a list are processed.
 */
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

/** The JavaScript type of the values of a CEL type, if it is enough to recognize values of other types. */
const kinds: ReadonlyMap<CelType, string> = new Map<CelType, string>([
  [CelScalar.INT, "bigint"],
  [CelScalar.DOUBLE, "number"],
  [CelScalar.STRING, "string"],
  [CelScalar.BOOL, "boolean"],
  [CelScalar.UINT, "object"],
  [CelScalar.BYTES, "object"]
])

/** Wraps a function, so that its calls are counted. */
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
    // Functions with the same name for other types, up to 17 of them, are tried first.
    if (!takes(args)) return undefined
    let units = sizeOf(target)
    for (const arg of args) units += sizeOf(arg)
    // Searching for one long text in another can take time proportional to the product of their lengths.
    const [first] = args
    if (typeof target === "string" && typeof first === "string") units *= 1 + first.length / charactersPerUnit
    units *= factor
    if (units >= 1) spend(units)
    const result = inner.call(id, target, args)
    // `undefined` if the function is for other types, so that another one with its name is called.
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

/**
 * Replaces the library's own function, which builds lists as growing chains, and treats members that are `null` as
 * missing.
 */
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
