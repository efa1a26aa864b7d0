import { assert, describe, it } from "@effect/vitest"
import { makeAuditedArguments } from "../../src/audit/auditedArguments.ts"

const audited = makeAuditedArguments(["pay.amount", "pay.to.country", "files.read.path", "pay.note", "pay.0"])

describe("the arguments that an audit entry shows", () => {
  it("are those that are named, for the tool that is named", () => {
    const values = { amount: 250, to: { country: "DE", iban: "DE02" }, secret: "s" }
    assert.deepStrictEqual(audited("pay", values), { amount: 250, "to.country": "DE" })
    assert.isUndefined(audited("payment", values))
    assert.isUndefined(audited("PAY", values))
    assert.isUndefined(audited("other", values))
  })

  it("are found for a tool whose name has a dot", () => {
    assert.deepStrictEqual(audited("files.read", { path: "/a", amount: 1 }), { path: "/a" })
    assert.isUndefined(audited("files", { path: "/a" }))
  })

  it("are nothing where the call does not have them, or has something else in their place", () => {
    for (const values of [undefined, null, 1, "text", [1], {}, { amounts: 1 }, { to: "DE" }, { to: null }]) {
      assert.isUndefined(audited("pay", values), JSON.stringify(values))
    }
    assert.isUndefined(makeAuditedArguments(["pay.constructor", "pay.a.length"])("pay", { a: "text" }))
  })

  it("are cut and cleaned, and no value is longer than it may be", () => {
    assert.deepStrictEqual(audited("pay", { note: `a\n${"b".repeat(300)}` }), { note: `a\ufffd${"b".repeat(254)}…` })
    assert.deepStrictEqual(audited("pay", { note: { a: [1, true, null] } }), { note: `{"a":[1,true,null]}` })
    assert.deepStrictEqual(audited("pay", { note: null, amount: false }), { note: null, amount: false })
    const long = audited("pay", { note: Array.from({ length: 1000 }, (_, index) => index) })
    assert.strictEqual(String(long?.["note"]).length, 257)
  })
})
