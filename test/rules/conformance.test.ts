/** Expressions of the data that the maintainers of CEL publish, by the engine that conditions run on. */
import {
  type CelInput,
  celMap,
  celUint,
  isCelError,
  isCelList,
  isCelMap,
  isCelType,
  isCelUint,
  parse,
  plan
} from "@bufbuild/cel"
import type { Type } from "@bufbuild/cel-spec/cel/expr/checked_pb.js"
import type { SimpleTest } from "@bufbuild/cel-spec/cel/expr/conformance/test/simple_pb.js"
import type { Value } from "@bufbuild/cel-spec/cel/expr/value_pb.js"
import { getTestRegistry } from "@bufbuild/cel-spec/testdata/registry.js"
import { getConformanceSuite, type IncrementalTestSuite } from "@bufbuild/cel-spec/testdata/tests.js"
import { isReflectMessage } from "@bufbuild/protobuf/reflect"
import { anyUnpack } from "@bufbuild/protobuf/wkt"
import { describe, expect, it } from "vitest"
import { checkTypes } from "../../src/rules/cel/check.ts"
import { environment } from "../../src/rules/cel/functions.ts"
import { countLoop, nodesOf } from "../../src/rules/cel/tree.ts"
import * as T from "../../src/rules/cel/types.ts"
import { withWork } from "../../src/rules/cel/work.ts"
import { patternsIn } from "../../src/rules/condition.ts"

const registry = getTestRegistry()

type Shown = ReadonlyArray<unknown>

const shownNumber = (value: number): string => Object.is(value, -0) ? "-0" : String(value)

const text = (shown: Shown): string => JSON.stringify(shown)

const messageShown = (typeName: string, message: unknown): Shown => {
  const { nanos, seconds } = message as { readonly seconds?: bigint; readonly nanos?: number }
  return [typeName, String(seconds), nanos]
}

/** The value that the data expects. */
const wanted = ({ kind }: Value): Shown => {
  switch (kind.case) {
    case "doubleValue":
      return ["double", shownNumber(kind.value)]
    case "int64Value":
    case "uint64Value":
      return [kind.case === "int64Value" ? "int" : "uint", String(kind.value)]
    case "bytesValue":
      return ["bytes", [...kind.value]]
    case "listValue":
      return ["list", kind.value.values.map(wanted)]
    case "mapValue":
      return [
        "map",
        kind.value.entries.map(({ key, value }) => text([key && wanted(key), value && wanted(value)])).toSorted()
      ]
    case "objectValue": {
      const typeName = kind.value.typeUrl.split("/").at(-1) ?? ""
      return messageShown(typeName, anyUnpack(kind.value, registry))
    }
    case "typeValue":
      return ["type", kind.value]
    default:
      return [kind.case?.replace("Value", ""), kind.value ?? null]
  }
}

/** The value that an evaluation has come to. */
const found = (value: unknown): Shown => {
  if (value === null) return ["null", 0]
  if (typeof value === "bigint") return ["int", String(value)]
  if (typeof value === "number") return ["double", shownNumber(value)]
  if (typeof value === "boolean") return ["bool", value]
  if (typeof value === "string") return ["string", value]
  if (isCelUint(value)) return ["uint", String(value.value)]
  if (value instanceof Uint8Array) return ["bytes", [...value]]
  if (isCelList(value)) return ["list", [...value].map(found)]
  if (isCelMap(value)) return ["map", [...value].map(([key, member]) => text([found(key), found(member)])).toSorted()]
  if (isCelType(value)) return ["type", value.name]
  return isReflectMessage(value) ? messageShown(value.desc.typeName, value.message) : ["unknown"]
}

const input = ({ kind }: Value): CelInput => {
  switch (kind.case) {
    case "listValue":
      return kind.value.values.map(input)
    case "mapValue":
      // A key is never a list or a message.
      return celMap(
        new Map(
          kind.value.entries.map(({ key, value }) =>
            [key && input(key) as string, value ? input(value) : null] as [string, CelInput]
          )
        )
      )
    case "objectValue":
      return anyUnpack(kind.value, registry) ?? null
    case "uint64Value":
      return celUint(kind.value)
    case "nullValue":
    case undefined:
      return null
    case "enumValue":
      return BigInt(kind.value.value)
    case "typeValue":
      throw new Error("types are not bound")
    default:
      return kind.value
  }
}

const primitives = ["dyn", "bool", "int", "uint", "double", "string", "bytes"]

const declared = (type: Type | undefined): T.Type => {
  const kind = type?.typeKind
  switch (kind?.case) {
    case "primitive":
      return T.simple(primitives[kind.value] ?? "dyn")
    case "listType":
      return T.list(declared(kind.value.elemType))
    case "mapType":
      return T.map(declared(kind.value.keyType), declared(kind.value.valueType))
    default:
      return T.dyn
  }
}

/** Conditions have no protobuf messages, no enums, no containers and no optional values. */
const needsMore = ({ bindings, container, expr, resultMatcher }: SimpleTest): boolean =>
  container !== "" || /TestAllTypes|google\.protobuf|GlobalEnum|NestedEnum|optional\.|\.\?|\[\?|\?'/.test(expr) ||
  Object.values(bindings).some(({ kind }) => kind.case !== "value" || kind.value.kind.case === "objectValue") ||
  (resultMatcher.case === "value" && resultMatcher.value.kind.case === "enumValue")

/** Sections of what the language's extensions add; conditions have some of the functions for strings. */
const extensions = new Set([
  "bindings_ext",
  "block_ext",
  "encoders_ext",
  "macros2",
  "math_ext",
  "optionals",
  "proto2_ext",
  "string_ext"
])

const testsOf = (suite: IncrementalTestSuite): ReadonlyArray<SimpleTest> => [
  ...suite.tests.map(({ original }) => original),
  ...suite.suites.flatMap(testsOf)
]

const evaluate = ({ bindings, expr }: SimpleTest): Shown | "error" => {
  try {
    const tree = parse(expr)
    const patterns = patternsIn(tree.expr)
    const nodes = [...nodesOf(tree.expr)].map(([node]) => node)
    nodes.forEach(countLoop)
    const run = plan(environment, tree)
    const values = Object.entries(bindings).flatMap(([name, { kind }]) =>
      kind.case === "value" ? [[name, input(kind.value)]] : []
    )
    const result = withWork(25_000, patterns, () => run(Object.fromEntries(values)))
    return isCelError(result) ? "error" : found(result)
  } catch {
    return "error"
  }
}

const passes = (test: SimpleTest, result: Shown | "error"): boolean => {
  const { resultMatcher: { case: kind, value } } = test
  if (kind === "evalError" || kind === "anyEvalErrors") return result === "error"
  if (kind === undefined) return text(["bool", true]) === JSON.stringify(result)
  const expected = kind === "value" ? value : kind === "typedResult" ? value.result : undefined
  return expected !== undefined && text(wanted(expected)) === JSON.stringify(result)
}

const sections = getConformanceSuite().suites.filter(({ name }) => !extensions.has(name)).map((suite) => ({
  name: suite.name,
  tests: testsOf(suite).filter((test) => !needsMore(test) && !test.checkOnly)
})).filter(({ tests }) => tests.length > 0)

/** The library does not know members in backquotes (`claims['a-b']` has the same meaning), nor equal keys of two types. */
const notSupported = [
  "fields/field_access_slash",
  "fields/field_access_dash",
  "fields/field_access_dot",
  "fields/has_field_slash",
  "fields/has_field_dash",
  "fields/has_field_dot",
  "fields/map_value_repeat_key_heterogeneous"
]

describe("the conformance data of CEL", () => {
  it("passes as far as conditions have the language", () => {
    const failing = sections.flatMap(({ name: section, tests }) =>
      tests.filter((test) => !passes(test, evaluate(test))).map(({ name }) => `${section}/${name}`)
    )
    const total = sections.reduce((sum, { tests }) => sum + tests.length, 0)
    expect(failing).toEqual(notSupported)
    expect(total - failing.length).toBeGreaterThanOrEqual(1_083)
  })

  it("passes the check of types, where it can be evaluated", () => {
    const rejected = sections.flatMap(({ name: section, tests }) =>
      tests.flatMap((test) => {
        // The variables of conditions have no dots in their names.
        const hasDottedName = [...Object.keys(test.bindings), ...test.typeEnv.map(({ name }) => name)]
          .some((name) => name.includes("."))
        if (test.disableCheck || hasDottedName || evaluate(test) === "error") return []
        const types = Object.fromEntries([
          ...Object.keys(test.bindings).map((name) => [name, T.dyn]),
          ...test.typeEnv.map((
            { declKind, name }
          ) => [name, declKind.case === "ident" ? declared(declKind.value.type) : T.dyn])
        ])
        try {
          checkTypes(environment, parse(test.expr).expr, types)
          return []
        } catch (error) {
          return [`${section}/${test.name}: ${test.expr} ${String(error)}`]
        }
      })
    )
    expect(rejected).toEqual([])
  })
})
