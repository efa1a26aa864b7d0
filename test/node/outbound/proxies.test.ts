import { assert, describe, it } from "@effect/vitest"
import * as Result from "effect/Result"
import { readProxies } from "../../../src/node/outbound/proxies.ts"

type Environment = Readonly<Record<string, string>>

/** The origin of the proxy for a URL, or `straight`. */
const wayTo = (url: string, environment: Environment): string => {
  const proxyFor = Result.getOrThrowWith(readProxies(environment), (problems) => new Error(JSON.stringify(problems)))
  return proxyFor(new URL(url))?.origin ?? "straight"
}

const both = { HTTPS_PROXY: "http://secure.proxy:3128", HTTP_PROXY: "http://plain.proxy:3128" }

const read = (HTTPS_PROXY: string) => {
  const proxyFor = Result.getOrThrow(readProxies({ HTTPS_PROXY }))
  return proxyFor(new URL("https://idp.example/"))
}

describe("the proxy for a provider", () => {
  it("is that of the URL's scheme, else ALL_PROXY, in either spelling", () => {
    assert.strictEqual(wayTo("https://idp.example/", both), "http://secure.proxy:3128")
    assert.strictEqual(wayTo("http://keycloak:8080/", both), "http://plain.proxy:3128")
    assert.strictEqual(
      wayTo("https://idp.example/", { https_proxy: "http://lower.proxy", ...both }),
      "http://lower.proxy"
    )
    assert.strictEqual(wayTo("http://keycloak/", { ALL_PROXY: "proxy:3128" }), "http://proxy:3128")
    assert.strictEqual(wayTo("https://idp.example/", { all_proxy: "https://proxy/" }), "https://proxy")
    assert.strictEqual(wayTo("https://idp.example/", { HTTP_PROXY: "http://plain.proxy" }), "straight")
    assert.strictEqual(wayTo("https://idp.example/", { HTTPS_PROXY: " " }), "straight")
    assert.strictEqual(wayTo("https://idp.example/", {}), "straight")
  })

  it("is not used for this machine, unless configured", () => {
    for (const host of ["localhost:1", "127.0.0.1", "127.9.9.9:8080", "[::1]:3000"]) {
      assert.strictEqual(wayTo(`http://${host}/`, both), "straight", host)
      assert.strictEqual(
        wayTo(`http://${host}/`, { ...both, NO_PROXY: "<-loopback>" }),
        "http://plain.proxy:3128",
        host
      )
      assert.strictEqual(wayTo(`http://${host}/`, { ...both, NO_PROXY: "<-loopback>,*" }), "straight", host)
    }
  })

  it("is not used for hosts in NO_PROXY", () => {
    const named = [
      ["*", "https://idp.example/"],
      ["idp.example", "https://idp.example/"],
      ["a, IDP.example ,b", "https://idp.example:8443/"],
      [".example", "https://idp.example/"],
      ["*.example", "https://idp.example/"],
      ["example", "https://idp.example./"],
      ["idp.example:443", "https://idp.example/"],
      ["keycloak:80 other", "http://keycloak/"],
      ["10.0.0.7", "http://10.0.0.7:8080/"],
      ["10.0.0.0/8", "http://10.9.9.9/"],
      ["fd00::/8", "http://[fd00::7]/"],
      ["[fd00::7]:8080", "http://[fd00::7]:8080/"],
      ["fd00::7", "http://[fd00::7]/"]
    ] as const
    for (const [NO_PROXY, url] of named) assert.strictEqual(wayTo(url, { ...both, NO_PROXY }), "straight", NO_PROXY)
    assert.strictEqual(wayTo("https://idp.example/", { ...both, no_proxy: "idp.example" }), "straight")
    const others = [
      ["evil.example", "https://idp.example/"],
      ["p.example", "https://idp.example/"],
      ["idp.example:8443", "https://idp.example/"],
      ["10.0.0.0/8", "https://11.0.0.1/"],
      ["10.0.0.0/8", "https://ten.example/"],
      ["10.0.0.0/99", "https://10.0.0.1/"],
      [".", "https://idp.example/"],
      [",, ,", "https://idp.example/"]
    ] as const
    for (const [NO_PROXY, url] of others) {
      assert.strictEqual(wayTo(url, { ...both, NO_PROXY }), "http://secure.proxy:3128", NO_PROXY)
    }
  })

  it("has its credentials apart from its address", () => {
    assert.deepStrictEqual(read("http://us%20er:p%40ss@proxy:3128"), {
      origin: "http://proxy:3128",
      authorization: `Basic ${btoa("us er:p@ss")}`
    })
    assert.deepStrictEqual(read("http://user@proxy"), {
      origin: "http://proxy",
      authorization: `Basic ${btoa("user:")}`
    })
    assert.deepStrictEqual(read("http://proxy"), { origin: "http://proxy", authorization: undefined })
  })

  it("is rejected where it is invalid, and its value is not repeated", () => {
    const wrong = [
      "http://",
      "socks5://canary:1080",
      "ftp://canary",
      "http://canary:port",
      "http://canary/path",
      "http://canary/?query",
      "http://user:%zz@canary",
      "can ary"
    ]
    for (const value of wrong) {
      for (const name of ["HTTPS_PROXY", "http_proxy", "ALL_PROXY"]) {
        const problems = Result.getOrThrow(Result.flip(readProxies({ [name]: value })))
        assert.deepStrictEqual(problems.map(({ setting }) => setting), [name], value)
        assert.notInclude(JSON.stringify(problems), "canary")
      }
    }
    // Not used, and therefore not read.
    assert.isTrue(Result.isSuccess(readProxies({ ...both, ALL_PROXY: "socks5://proxy:1080" })))
  })
})
