import { describe, expect, it } from "vitest"
import { normalDomain, normalEmail } from "../../src/identity/emailAddress.ts"

describe("e-mail addresses", () => {
  it.each([
    ["ann@example.com", "ann@example.com"],
    ["Ann.B+notes@EXAMPLE.com", "ann.b+notes@example.com"],
    ["ann@Bücher.example", "ann@xn--bcher-kva.example"],
    ["ann@XN--BCHER-KVA.example", "ann@xn--bcher-kva.example"],
    // The sign of the kelvin is a capital k to Unicode.
    ["Ann@example.com", "ann@example.com"],
    ["\u212Aim@example.com", "\u212Aim@example.com"],
    ["ünal@example.com", "ünal@example.com"]
  ])("%s is compared as %s", (email, normal) => {
    expect(normalEmail(email)?.address).toBe(normal)
  })

  it.each([
    [""],
    ["ann"],
    ["@example.com"],
    ["ann@"],
    ["ann@example.com."],
    ["ann@.example.com"],
    ["ann@example.com@example.com"],
    ["\"ann\"@example.com"],
    ["ann b@example.com"],
    ["ann\u200b@example.com"],
    ["ann@exam ple.com"],
    ["ann@example.com/x"],
    ["ann@example.com:80"],
    ["ann@exa%6dple.com"],
    ["ann@[192.0.2.1]"],
    ["ann@example.com, bob@example.com"],
    ["Ann <ann@example.com>"],
    [`${"a".repeat(65)}@example.com`],
    [`ann@${"a.".repeat(150)}com`]
  ])("%j is not one", (email) => {
    expect(normalEmail(email)).toBeUndefined()
  })

  it("have domains whose own form stays", () => {
    for (const domain of ["example.com", "a.b.c.example", "xn--bcher-kva.example", "localhost"]) {
      expect(normalDomain(domain)).toBe(domain)
    }
    expect(normalDomain("*.example.com")).toBeUndefined()
  })
})
