/**
 * Kinds of values: Effect Schemas from what JSON and TypeScript code write to what the gateway uses.
 *
 * Decoding reads a setting, encoding shows one. Each Schema is annotated with its label, with the Schema that reads the
 * same value from text (variables), and with the message about a value of another type. Mistakes never repeat the
 * value: it may be a secret that was put into the wrong variable.
 */
import * as Effect from "effect/Effect"
import type { JsonSchema } from "effect/JsonSchema"
import * as Result from "effect/Result"
import * as Schema from "effect/Schema"
import * as SchemaGetter from "effect/SchemaGetter"
import * as SchemaIssue from "effect/SchemaIssue"
import type { Mistake } from "../InvalidConfiguration.ts"

/** A usable value, or everything that is wrong with it. */
export type Checked<A> = Result.Result<A, ReadonlyArray<Mistake>>

/** Rejects a value with a mistake, which has a fix. */
export const invalid = (problem: string, fix: string): Result.Result<never, ReadonlyArray<Mistake>> =>
  Result.fail([{ problem, fix }])

/** The Schema of a setting's value: `A` is what is used, `Input` what JSON and TypeScript code write. */
export type Kind<A, Input = unknown> = Schema.Codec<A, Input>

/** Checks a decoded value, given the hosts that may be requested over plain http. */
type Permit<A> = (value: A, allowHttp: ReadonlyArray<string>) => Checked<A>

interface KindAnnotations<A = unknown> {
  /** For documentation: `boolean`, `URL`. */
  readonly label: string
  readonly text: Schema.Codec<A, string>
  /** The values that the config file may have, if TypeScript code may have more. */
  readonly file: Schema.Constraint
  /** The message about a value of another type. */
  readonly mistyped: (value: unknown) => Mistake
  readonly show: (value: A) => unknown
  readonly permit: Permit<A> | undefined
}

const key = "mcp-authorizer/kind"

const annotationsOf = <A>(kind: Kind<A>): KindAnnotations<A> => {
  const found = Schema.resolveAnnotations(kind)?.[key]
  if (found === undefined) throw new Error("not the Schema of a setting: make it with makeKind")
  // Only `makeKind` writes this annotation, and it uses the type of the Schema.
  return found as KindAnnotations<A>
}

const issueOf = (mistakes: ReadonlyArray<Mistake>): SchemaIssue.Issue => {
  const [first = new SchemaIssue.InvalidValue(), ...others] = mistakes.map((mistake) =>
    new SchemaIssue.InvalidValue({ mistake })
  )
  return others.length === 0 ? first : new SchemaIssue.Composite(Schema.Unknown.ast, [first, ...others])
}

/** Returns the mistakes that `issueOf` has put into an issue, in order; empty if the value has another type. */
const mistakesOf = (issue: SchemaIssue.Issue): ReadonlyArray<Mistake> => {
  switch (issue._tag) {
    case "InvalidValue": {
      const mistake = issue.annotations?.["mistake"]
      // `issueOf` alone writes this annotation.
      return mistake === undefined ? [] : [mistake as Mistake]
    }
    case "Encoding":
    case "Filter":
    case "Pointer":
      return mistakesOf(issue.issue)
    case "Composite":
      return issue.issues.flatMap(mistakesOf)
    default:
      return []
  }
}

const reading = <A, I>(from: Schema.Codec<I, I>, parse: (input: I) => Checked<A>, show: (value: A) => I) =>
  from.pipe(Schema.decodeTo(Schema.declare((_value: unknown): _value is A => true), {
    decode: SchemaGetter.transformEffect((input: I) => Effect.fromResult(Result.mapError(parse(input), issueOf))),
    encode: SchemaGetter.transform(show)
  }))

export interface KindOptions<A, Input> {
  /** For documentation: `boolean`, `URL`. */
  readonly label: string
  /** The values that JSON and TypeScript code may have. */
  readonly input: Schema.Codec<Input, Input>
  /** The values that the config file may have, for the JSON Schema, if TypeScript code may have more. */
  readonly file?: Schema.Constraint
  /** The message about a value of another type. */
  readonly mistyped: (value: unknown) => Mistake
  readonly fromJson: (input: Input) => Checked<A>
  readonly fromText: (text: string) => Checked<A>
  readonly show: (value: A) => Input
  readonly permit?: Permit<A>
}

export const makeKind = <A, Input>(
  { file, fromJson, fromText, input, label, mistyped, permit, show }: KindOptions<A, Input>
): Kind<A, Input> => {
  const text = reading(Schema.String, fromText, (value: A) => String(show(value)))
  const annotations: KindAnnotations<A> = { label, text, file: file ?? input, mistyped, show, permit }
  return reading(input, fromJson, show).annotate({ [key]: annotations })
}

/** Adds the check `permit` to a kind. */
export const permitted = <A, Input>(kind: Kind<A, Input>, permit: Permit<A>): Kind<A, Input> =>
  kind.annotate({ [key]: { ...annotationsOf(kind), permit } })

const decoded = <A>(schema: Schema.Codec<A, unknown>, value: unknown, mistyped: (value: unknown) => Mistake) =>
  Result.mapError(Schema.decodeUnknownResult(schema, { errors: "all" })(value), ({ issue }) => {
    const mistakes = mistakesOf(issue)
    return mistakes.length === 0 ? [mistyped(value)] : mistakes
  })

/** Reads a value that JSON or TypeScript code wrote. */
export const fromJson = <A>(kind: Kind<A>, value: unknown): Checked<A> =>
  decoded(kind, value, annotationsOf(kind).mistyped)

export const fromText = <A>(kind: Kind<A>, text: string): Checked<A> => {
  const { mistyped, text: schema } = annotationsOf(kind)
  return decoded(schema, text, mistyped)
}

/** The value, if it may be used where http is allowed to these hosts only. */
export const permit = <A>(kind: Kind<A>, value: A, allowHttp: ReadonlyArray<string>): Checked<A> =>
  annotationsOf(kind).permit?.(value, allowHttp) ?? Result.succeed(value)

export const labelOf = (kind: Kind<unknown>): string => annotationsOf(kind).label

export const jsonSchemaOf = (kind: Kind<unknown>): JsonSchema =>
  Schema.toJsonSchemaDocument(annotationsOf(kind).file, { onExcessProperty: "error" }).schema

/** A value as an operator is shown it. */
// `makeKind` alone writes this annotation, with what it shows.
export const shown = <A, Input>(kind: Kind<A, Input>, value: A): Input => annotationsOf(kind).show(value) as Input
