import { type Expr, Expr_CallSchema, ExprSchema } from "@bufbuild/cel-spec/cel/expr/syntax_pb.js"
import { create } from "@bufbuild/protobuf"
import { loopStep } from "./functions.ts"

/** The parts of an expression. Those of a loop include parts that the parser has added. */
export const partsOf = ({ exprKind }: Expr): ReadonlyArray<Expr> => {
  switch (exprKind.case) {
    case "selectExpr":
      return exprKind.value.operand === undefined ? [] : [exprKind.value.operand]
    case "callExpr":
      return exprKind.value.target === undefined
        ? exprKind.value.args
        : [exprKind.value.target, ...exprKind.value.args]
    case "listExpr":
      return exprKind.value.elements
    case "structExpr":
      return exprKind.value.entries.flatMap(({ keyKind, value }) => [
        ...(keyKind.case === "mapKey" ? [keyKind.value] : []),
        ...(value === undefined ? [] : [value])
      ])
    case "comprehensionExpr": {
      const { accuInit, iterRange, loopCondition, loopStep: step, result } = exprKind.value
      return [iterRange, accuInit, loopCondition, step, result].filter((expr) => expr !== undefined)
    }
    default:
      return []
  }
}

export function* nodesOf(expr: Expr, depth = 1, parent?: Expr): Generator<readonly [Expr, number, Expr | undefined]> {
  yield [expr, depth, parent]
  for (const part of partsOf(expr)) yield* nodesOf(part, depth + 1, expr)
}

/** Turns each step of a loop into a call, so that it is counted. */
export const countLoop = ({ exprKind, id }: Expr): void => {
  if (exprKind.case !== "comprehensionExpr" || exprKind.value.loopCondition === undefined) return
  const counted = create(Expr_CallSchema, { function: loopStep, args: [exprKind.value.loopCondition] })
  exprKind.value.loopCondition = create(ExprSchema, { id, exprKind: { case: "callExpr", value: counted } })
}

/** Returns the pattern of a call of `matches`; without `pattern` if the expression computes it. */
export const patternIn = ({ exprKind }: Expr): { readonly pattern: string | undefined } | undefined => {
  if (exprKind.case !== "callExpr" || exprKind.value.function !== "matches") return undefined
  const kind = exprKind.value.args.at(-1)?.exprKind
  return {
    pattern: kind?.case === "constExpr" && kind.value.constantKind.case === "stringValue"
      ? kind.value.constantKind.value
      : undefined
  }
}
