import { assert, describe, it } from "@effect/vitest"
import { isAllowedOrigin } from "../../src/authorize/origin.ts"
import type { AllowedOrigins } from "../../src/config/GatewaySettings.ts"

const list: AllowedOrigins = { _tag: "List", origins: ["https://good.example", "http://app.example:8080"] }
const loopback: AllowedOrigins = { _tag: "Loopback" }

const near = (origin: string): ReadonlyArray<string> => [
  `${origin}/`,
  `${origin}.`,
  `${origin}.evil.example`,
  `${origin}@evil.example`,
  `${origin}/path`,
  `${origin}?`,
  `${origin}#`,
  ` ${origin}`,
  `${origin} `,
  `${origin}, https://evil.example`,
  `${origin}\u0000`,
  origin.toUpperCase(),
  origin.slice(0, -1),
  origin.replace("://", "://user@"),
  origin.replace("://", ":"),
  origin.replace(/^https?:\/\//, "")
]

describe("isAllowedOrigin", () => {
  it("WEB-02 accepts exactly the listed origins", () => {
    for (const origin of ["https://good.example", "http://app.example:8080"]) {
      assert.isTrue(isAllowedOrigin(list, origin))
      for (const other of near(origin)) assert.isFalse(isAllowedOrigin(list, other), other)
    }
    const others = [
      "null",
      "",
      "*",
      "http://good.example",
      "https://good.example:8443",
      "https://good.example:443",
      "https://goodXexample",
      "https://sub.good.example",
      "https://g\u043e\u043ed.example",
      "http://localhost:3000"
    ]
    for (const origin of others) assert.isFalse(isAllowedOrigin(list, origin), origin)
    assert.isFalse(isAllowedOrigin({ _tag: "List", origins: ["null"] }, "null"))
  })

  it("WEB-01 WEB-02 accepts loopback origins of any port", () => {
    const good = [
      "http://localhost",
      "http://localhost:6274",
      "https://localhost:3000",
      "http://127.0.0.1:3000",
      "http://127.255.255.254",
      "http://[::1]:3000",
      "https://[::1]"
    ]
    for (const origin of good) {
      assert.isTrue(isAllowedOrigin(loopback, origin), origin)
      for (const other of near(origin).filter((text) => text !== origin.slice(0, -1))) {
        assert.isFalse(isAllowedOrigin(loopback, other), other)
      }
    }
    const bad = [
      "null",
      "",
      "http://localhost.",
      "http://localhost:80",
      "https://localhost:443",
      "http://evil.localhost",
      "http://localhost.evil.example",
      "http://127.0.0.1.evil.example",
      "http://127.1",
      "http://0x7f000001",
      "http://2130706433",
      "http://0.0.0.0",
      "http://128.0.0.1",
      "http://[::2]",
      "http://[0:0:0:0:0:0:0:1]",
      "http://[::ffff:127.0.0.1]",
      "http://[::1].evil.example",
      "ws://localhost",
      "file://localhost",
      "https://good.example"
    ]
    for (const origin of bad) assert.isFalse(isAllowedOrigin(loopback, origin), origin)
  })

  it("accepts every origin where any is allowed", () => {
    for (const origin of ["https://evil.example", "null", "vscode-webview://x"]) {
      assert.isTrue(isAllowedOrigin({ _tag: "Any" }, origin))
    }
  })
})
