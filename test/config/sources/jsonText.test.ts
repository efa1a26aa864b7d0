import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Result from "effect/Result"
import { parseJson } from "../../../src/config/sources/jsonText.ts"
import { onlyProblemOf, problemsOf, settingsOf } from "../resolving.ts"

const problems = (text: string): ReadonlyArray<string> => {
  const parsed = parseJson(text)
  return Result.isSuccess(parsed) ? [] : parsed.failure.map(({ problem }) => problem)
}

const fixes = (text: string): ReadonlyArray<string> => {
  const parsed = parseJson(text)
  return Result.isSuccess(parsed) ? [] : parsed.failure.map(({ fix }) => fix)
}

const good = [
  "{\"a\":1}",
  " [ ] ",
  "{ }",
  "\"x\"",
  "-1.5e+3",
  "[null,true,false,0,-0,[{}],{\"a\":[[]]}]",
  "{\"a\":{\"a\":{\"a\":1}},\"b\":[{\"a\":1},{\"a\":2}]}",
  "{\"\":1,\" \":2}",
  "{\"constructor\":1,\"__proto__\":2}",
  "\"\\u00e9 \\\" \\\\ \\/ \\n\"",
  "[\"\u007f\",\"\u2028\"]"
]

describe("JSON that a person wrote", () => {
  for (const text of good) {
    it.effect(`is what JSON.parse makes of it: ${text}`, () =>
      Effect.sync(() => assert.deepStrictEqual(parseJson(text), Result.succeed(JSON.parse(text)))))
  }

  for (
    const [what, text, place] of [
      [
        "a comma before the end",
        "{\n  \"a\": 1,\n}",
        "At line 3, column 1 a member in double quotes is expected"
      ],
      ["a comma before the end of an array", "[1,]", "At line 1, column 4 a value is expected"],
      [
        "a missing comma",
        "{\r\n\"a\": 1\r\n\"b\": 2}",
        "At line 3, column 1 a comma or } is expected"
      ],
      ["a missing colon", "{\"a\" 1}", "At line 1, column 6 a colon is expected"],
      [
        "a name without quotes",
        "{a: 1}",
        "At line 1, column 2 a member in double quotes or } is expected"
      ],
      ["single quotes", "{\"a\": 'x'}", "At line 1, column 7 a value is expected"],
      ["a comment", "{\"a\": 1 // one\n}", "At line 1, column 9 a comma or } is expected"],
      [
        "a line break in a string",
        "{\"a\": \"x\n\", \"b\": 1}",
        "At line 1, column 7 a value is expected"
      ],
      ["a wrong escape", "[\"\\q\"]", "At line 1, column 2 a value or ] is expected"],
      ["a number with a zero before it", "[01]", "At line 1, column 3 a comma or ] is expected"],
      ["a word of another language", "[None]", "At line 1, column 2 a value or ] is expected"],
      ["more after the end", "{} {}", "At line 1, column 4 it should have ended"],
      ["the wrong bracket", "[1}", "At line 1, column 3 a comma or ] is expected"],
      ["a lost end", "{\n\"a\": [1", "It ends at line 2, column 8, where a comma or ] is missing"],
      ["a string without an end", "{\"a\": \"x}", "At line 1, column 7 a value is expected"],
      ["nothing", "", "It ends at line 1, column 1, where a value is missing"]
    ] as const
  ) {
    it(`is rejected with the place of ${what}`, () => {
      assert.throws(() => void JSON.parse(text))
      assert.deepStrictEqual(problems(text), ["is not JSON"])
      assert.strictEqual(String(fixes(text)).split(";")[0], place)
    })
  }

  it("is rejected with the name of a common mistake", () => {
    assert.include(String(fixes("{\"a\": 1 // one\n}")), "no comments")
    assert.include(String(fixes("{\"a\": “x”}")), "straight double quotes")
    assert.include(String(fixes("{\"a\": 1,}")), "comma before it")
    assert.include(String(fixes("{\"a\": \"x\n}")), "ends on the line")
    assert.notInclude(String(fixes("{\"a\": [1}")), "comma before it")
  })

  it("is rejected for a repeated member, with path and place", () => {
    assert.deepStrictEqual(problems("{\"a\":1,\n \"b\":2,\n \"a\":1}"), [
      "has a twice, at line 1, column 2 and at line 3, column 2"
    ])
    assert.deepStrictEqual(
      problems("{\"providers\":[{\"name\":1},{\"issuer\":1,\"issuer\":2,\"\\u0069ssuer\":3}]}"),
      [
        "has providers[1].issuer twice, at line 1, column 27 and at line 1, column 38",
        "has providers[1].issuer twice, at line 1, column 27 and at line 1, column 49"
      ]
    )
  })

  it("does not show in errors", () => {
    for (
      const text of [
        "{\"s3cret-1\":1,\"s3cret-1\":2}",
        "{\"a\": \"s3cret-1\" \"s3cret-1\"}",
        "[s3cret-1]",
        "{'s3cret-1': 2}"
      ]
    ) {
      const parsed = parseJson(text)
      assert.isTrue(Result.isFailure(parsed), text)
      assert.notInclude(JSON.stringify(parsed), "s3cret")
    }
  })

  it("may be deep and long", () => {
    const deep = `${"[".repeat(50_000)}${"]".repeat(50_000)}`
    assert.deepStrictEqual(problems(deep), [])
    assert.deepStrictEqual(problems(deep.slice(0, -1)).length, 1)
    assert.deepStrictEqual(problems(JSON.stringify(["\\\n".repeat(500_000)])), [])
  })
})

const secret = "c4n4ry-s3cret"

const staticTokens = (more: string) => `[{"token":"${secret}","client_id":"c","subject":"s"${more}}]`

const tokensWith = (name: string) => JSON.stringify([{ token: secret, client_id: "c", [name]: "s" }])

const inFile = (document: object) => onlyProblemOf({ MCP_STATIC_TOKENS: "t:c:s:" }, document)

describe("JSON in settings", () => {
  for (
    const [setting, text] of [
      ["MCP_PROVIDERS", `[{"issuer":"https://issuer.example",\n"client_secret":"${secret}"`],
      ["AUTH_CONFIG", `{"providers":[],\nclient_secret:"${secret}"}`],
      ["MCP_STATIC_TOKENS", `[{"token":"${secret}",\n"client_id" "c"}]`]
    ] as const
  ) {
    it(`is reported with line and column, without secrets: ${setting}`, () => {
      const problem = problemsOf({ [setting]: text }).find((problem) => problem.setting === setting)
      assert.strictEqual(problem?.problem, "is not JSON")
      assert.match(problem?.fix ?? "", /line 2, column \d+/)
      assert.notInclude(JSON.stringify(problem), secret)
    })
  }

  it("is rejected for a repeated member, where JSON.parse would take the last", () => {
    const issuer = "\"issuer\":\"https://issuer.example\""
    const twice = `[{${issuer},"audience":"a","audience":"b"}]`
    assert.include(onlyProblemOf({ MCP_PROVIDERS: twice }).problem, "has [0].audience twice")
    settingsOf({ MCP_PROVIDERS: `[{${issuer},"audience":"a"}]` })

    assert.include(
      onlyProblemOf({ MCP_STATIC_TOKENS: staticTokens(",\"token\":\"x\"") }).problem,
      "has [0].token twice"
    )
    settingsOf({ MCP_STATIC_TOKENS: staticTokens("") })

    const config = (more: string) => `{"providers":[{${issuer},"audience":"a"}]${more}}`
    const auth = problemsOf({ AUTH_CONFIG: config(",\"enabled\":true,\"enabled\":false") })
    assert.include(auth.map(({ problem }) => problem).join(), "has enabled twice")
    settingsOf({ AUTH_CONFIG: config(",\"enabled\":true") })
  })

  it("is rejected for an unknown member of a static token, with the nearest name", () => {
    const { fix, problem } = onlyProblemOf({ MCP_STATIC_TOKENS: tokensWith("subjct") })
    assert.deepStrictEqual([problem, fix], ["entry 1 has an unknown member subjct", "Did you mean subject?"])
    settingsOf({ MCP_STATIC_TOKENS: tokensWith("subject") })
  })

  it("is reported differently for a number in quotes and a number out of range", () => {
    assert.deepStrictEqual(inFile({ port: "3000" }), {
      setting: "PORT",
      source: "port in the config file",
      problem: "is a string where a number is expected",
      fix: "Write the digits without quotes"
    })
    assert.include(inFile({ workers: "2" }).problem, "string where a number")
    assert.include(inFile({ port: 65_536 }).problem, "not a whole number from 0 to 65535")
    settingsOf({ MCP_STATIC_TOKENS: "t:c:s:" }, { port: 3000, workers: 2 })
  })
})
