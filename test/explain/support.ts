/** Explanations of tokens by the settings of a gateway, on loopback, and what each of them must hold. */
import { assert } from "@effect/vitest"
import * as DateTime from "effect/DateTime"
import * as Effect from "effect/Effect"
import * as Redacted from "effect/Redacted"
import * as Result from "effect/Result"
import * as Schema from "effect/Schema"
import { resolveInput } from "../../src/config/resolve.ts"
import { bearerToken } from "../../src/credential/parseAuthorization.ts"
import { explain } from "../../src/explain/explain.ts"
import { type ExplainOptions, Explanation, type Step, type StepName } from "../../src/explain/Explanation.ts"
import { render } from "../../src/explain/render.ts"
import { ProviderRegistry } from "../../src/verify/ProviderRegistry.ts"
import { makeVerifiedTokens } from "../../src/verify/VerifiedTokens.ts"

export const audience = "https://mcp.example/mcp"

/** A time as the field `Date` has it. */
export const httpDate = (seconds: number): string =>
  DateTime.toDateUtc(DateTime.makeUnsafe(seconds * 1000)).toUTCString()

const isExplanation = Schema.is(Explanation)

/** Asserts that nothing that is printed has the token or its signature in it. */
export const assertNoSecret = (texts: ReadonlyArray<string>, ...tokens: ReadonlyArray<string>) => {
  for (const text of texts) {
    for (const token of tokens) {
      const bare = token.replace(/[\s"']|^bearer\s+/giu, "")
      if (bare.length >= 8 && bare !== "undefined") assert.notInclude(text, bare)
      const [, , signature = ""] = bare.split(".")
      if (signature.length >= 8) {
        assert.notInclude(text, signature)
        assert.notInclude(text, signature.slice(0, Math.max(8, signature.length - 8)))
      }
    }
  }
}

/** A gateway with these settings: explains tokens, and decides about them as its verifier does. */
export const makeGateway = Effect.fnUntraced(function*(input: object) {
  const settings = Result.getOrThrow(resolveInput({ server_url: "http://127.0.0.1:9/mcp", ...input }))
  const registry = yield* ProviderRegistry.make(settings)
  const { verify } = yield* Effect.provideService(makeVerifiedTokens(), ProviderRegistry, registry)

  /** The decision of the verifier, on a separate path. */
  const decide = (token: string) =>
    Effect.result(Effect.flatMap(Effect.fromResult(bearerToken(token)), (bearer) => verify(bearer)))

  const explained = Effect.fnUntraced(function*(token: string, options?: ExplainOptions) {
    const explanation = yield* explain({ settings, registry }, Redacted.make(token), options)
    assert.isTrue(isExplanation(explanation), JSON.stringify(explanation))
    const texts = [
      JSON.stringify(explanation, null, 2),
      render(explanation, { colour: false }),
      render(explanation, { colour: true, width: 80 })
    ]
    assertNoSecret(texts, token)
    return explanation
  })
  return { decide, explained, registry, settings }
})

/** The step of an explanation with this name. */
export const stepOf = ({ steps }: Explanation, name: StepName): Step =>
  steps.find((step) => step.name === name) ?? assert.fail(`no step ${name} in ${JSON.stringify(steps)}`)

/** The names of the steps that fail. */
export const failing = ({ steps }: Explanation): ReadonlyArray<StepName> =>
  steps.filter(({ verdict }) => verdict === "fail").map(({ name }) => name)
