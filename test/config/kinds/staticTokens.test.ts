import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Schema from "effect/Schema"
import { onlyProblemOf, tokensOf } from "../resolving.ts"

const parsed = (text: string) =>
  tokensOf({ MCP_STATIC_TOKENS: text }).map(({ clientId, expiresAt, scopes, subject, token }) => [
    token,
    clientId,
    subject,
    scopes,
    expiresAt
  ])

describe("static tokens", () => {
  it("have token, client and subject on the left, an expiry on the right, and scopes between", () => {
    for (
      const [text, ...tokens] of [
        ["t:c:s:read,write", ["t", "c", "s", ["read", "write"], undefined]],
        ["t:c:s:", ["t", "c", "s", [], undefined]],
        ["t:c:s:mcp:read,mcp:write", ["t", "c", "s", ["mcp:read", "mcp:write"], undefined]],
        ["t:c:s:mcp:read,mcp:write:1893456000", ["t", "c", "s", ["mcp:read", "mcp:write"], 1_893_456_000]],
        ["t:c:s:1893456000", ["t", "c", "s", [], 1_893_456_000]],
        ["t:c:s::1893456000", ["t", "c", "s", [], 1_893_456_000]],
        ["t:c:s:read:0", ["t", "c", "s", ["read"], 0]],
        ["t:c:s:read write", ["t", "c", "s", ["read", "write"], undefined]],
        [" t : c : s : read , write ; \n u:c:s:; ;", ["t", "c", "s", ["read", "write"], undefined], [
          "u",
          "c",
          "s",
          [],
          undefined
        ]],
        ["a.b-c_d~e+f/g==:c:s:", ["a.b-c_d~e+f/g==", "c", "s", [], undefined]]
      ] as const
    ) {
      assert.deepStrictEqual<unknown>(parsed(text), tokens, text)
    }
  })

  it("reject a last field that could be a mistyped expiry", () => {
    for (const last of ["", " ", "-1", "+1", "2030-01-01", "1e9", "1893456000s", "2x,y", "1893456000000"]) {
      assert.match(onlyProblemOf({ MCP_STATIC_TOKENS: `t:c:s:read:${last}` }).problem, /^entry 1 /, last)
    }
    assert.deepStrictEqual<unknown>(parsed("t:c:s:api:v1"), [["t", "c", "s", ["api:v1"], undefined]])
  })

  it("have further fields in JSON", () => {
    assert.deepStrictEqual<unknown>(
      tokensOf({
        MCP_STATIC_TOKENS: JSON.stringify([
          {
            token: "t",
            client_id: "c:d",
            subject: "s;t",
            scopes: ["a:1", "b"],
            expires_at: 7,
            email: "e@example.com",
            name: "N"
          },
          { token: "u", client_id: "c", subject: "s", scopes: "a b" },
          { token: "v", client_id: "c", subject: "s", scopes: [] }
        ])
      }),
      [
        {
          token: "t",
          clientId: "c:d",
          subject: "s;t",
          scopes: ["a:1", "b"],
          expiresAt: 7,
          email: "e@example.com",
          name: "N"
        },
        {
          token: "u",
          clientId: "c",
          subject: "s",
          scopes: ["a", "b"],
          expiresAt: undefined,
          email: undefined,
          name: undefined
        },
        {
          token: "v",
          clientId: "c",
          subject: "s",
          scopes: [],
          expiresAt: undefined,
          email: undefined,
          name: undefined
        }
      ]
    )
  })

  it("STK-02 reject JSON with missing or unknown members", () => {
    const good = { token: "c4n4ry", client_id: "c", subject: "s" }
    for (
      const entry of [
        {},
        [],
        null,
        "c4n4ry:c:s:",
        { ...good, token: "" },
        { ...good, token: 7 },
        { ...good, token: "c4n4ry;" },
        { ...good, token: "undefined" },
        { ...good, client_id: undefined },
        { ...good, subject: " " },
        { ...good, scopes: [1] },
        { ...good, scopes: ["a b"] },
        { ...good, expires_at: "7" },
        { ...good, expires_at: -1 },
        { ...good, expires_at: 1.5 },
        { ...good, email: 1 },
        { ...good, c4n4ry: "x" },
        { ...good, scope: "x" }
      ]
    ) {
      const problem = onlyProblemOf({ MCP_STATIC_TOKENS: JSON.stringify([{ ...good, token: "x" }, entry]) })
      assert.match(problem.problem, /^entry 2 /, JSON.stringify(entry))
      assert.notInclude(JSON.stringify(problem), "c4n4ry")
    }
    assert.strictEqual(tokensOf({ MCP_STATIC_TOKENS: JSON.stringify([good]) }).length, 1)
  })

  it("report each bad entry by its number", () => {
    const text = "t:c:s:;c4n4ry:c;t:c:s:"
    assert.match(onlyProblemOf({ MCP_STATIC_TOKENS: "t:c:s:;;t:x:y:" }).problem, /^entry 2 .* entry 1$/)
    assert.throws(() => onlyProblemOf({ MCP_STATIC_TOKENS: text }), /entry 2 [^]*entry 3 /)
  })

  const token = Schema.String.check(Schema.isPattern(/^[A-Za-z0-9._~+-]{1,20}$/))
  const name = Schema.String.check(Schema.isPattern(/^[a-z@.]{1,10}$/))
  const scope = Schema.String.check(Schema.isPattern(/^[a-z]{1,5}(:[a-z]{1,5})?$/))

  it.effect.prop(
    "what is written is what is read",
    {
      token,
      client: name,
      subject: name,
      scopes: Schema.Array(scope).check(Schema.isMaxLength(4)),
      expiry: Schema.NullOr(Schema.Int.check(Schema.isBetween({ minimum: 0, maximum: 99_999_999_999 })))
    },
    ({ client, expiry, scopes, subject, token }) =>
      Effect.sync(() => {
        if (token === "null" || token === "undefined") return
        const text = `${token}:${client}:${subject}:${scopes.join(",")}${expiry === null ? "" : `:${expiry}`}`
        assert.deepStrictEqual<unknown>(parsed(text), [
          [token, client, subject, [...new Set(scopes)], expiry ?? undefined]
        ])
      })
  )
})
