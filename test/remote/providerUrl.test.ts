import { assert, describe, it } from "@effect/vitest"
import * as Result from "effect/Result"
import { freshnessMillis } from "../../src/remote/freshness.ts"
import { isSameIssuer, metadataUrls } from "../../src/remote/issuerUrl.ts"
import { providerUrl } from "../../src/remote/providerUrl.ts"

const outcome = (url: string, ...domains: ReadonlyArray<string>): string =>
  Result.match(providerUrl(url, domains), { onFailure: (problem) => problem, onSuccess: () => "ok" })

const allowed = (url: string, ...domains: ReadonlyArray<string>): string =>
  Result.match(providerUrl(url, domains, ["keycloak", "10.0.0.7", "[fd00::7]"]), {
    onFailure: (problem) => problem,
    onSuccess: () => "ok"
  })

describe("providerUrl", () => {
  it("JWKS-18 DISC-04 allows https, and http to this machine only", () => {
    for (
      const url of [
        "https://as.example/jwks",
        "https://as.example:8443/jwks?a=b",
        "http://localhost:3000/jwks",
        "http://127.0.0.1/jwks",
        "http://127.9.9.9/jwks",
        "http://[::1]:80/jwks"
      ]
    ) assert.strictEqual(outcome(url), "ok", url)
    for (
      const url of [
        "http://as.example/jwks",
        "http://169.254.169.254/latest",
        "http://10.0.0.1/",
        "http://localhost.evil.example/",
        "http://127.0.0.1.evil.example/",
        "http://[::2]/",
        "file:///etc/passwd",
        "ftp://as.example/",
        "data:application/json,{}"
      ]
    ) assert.strictEqual(outcome(url), "NotHttps", url)
    assert.strictEqual(outcome("https://user@as.example/"), "HasCredentials")
    assert.strictEqual(outcome("https://:secret@as.example/"), "HasCredentials")
    for (const url of ["", "as.example", "//as.example", "https://"]) {
      assert.strictEqual(outcome(url), "Malformed", url)
    }
  })

  it("allows http to the named hosts, and to no similar ones", () => {
    for (
      const url of ["http://keycloak:8080/certs", "http://KEYCLOAK/", "http://10.0.0.7/", "http://[fd00::7]:80/"]
    ) {
      assert.strictEqual(allowed(url), "ok", url)
    }
    const others = [
      "http://keycloak.evil.example/",
      "http://sub.keycloak/",
      "http://keycloak./",
      "http://10.0.0.70/",
      "http://evil.example/keycloak",
      "http://evil.example?keycloak",
      "ftp://keycloak/",
      "ws://keycloak/"
    ]
    for (const url of others) assert.strictEqual(allowed(url), "NotHttps", url)
    assert.strictEqual(allowed("http://evil@keycloak/"), "HasCredentials")
    assert.strictEqual(allowed("http://keycloak/", "issuer.example"), "HostNotAllowed")
  })

  it("matches allowed domains at label boundaries", () => {
    const allowed = ["*.authkit.app", "api.workos.com"]
    for (
      const host of ["a.authkit.app", "a.b.authkit.app", "A.AuthKit.app", "api.workos.com", "api.workos.com:8443"]
    ) {
      assert.strictEqual(outcome(`https://${host}/`, ...allowed), "ok", host)
    }
    for (
      const host of [
        "authkit.app",
        "evilauthkit.app",
        "a.authkit.app.evil.example",
        "a.authkit.app.",
        "x.api.workos.com",
        "workos.com",
        "127.0.0.1"
      ]
    ) assert.strictEqual(outcome(`https://${host}/`, ...allowed), "HostNotAllowed", host)
  })
})

describe("freshnessMillis", () => {
  it("JWKS-27 limits max-age to between a minute and a day", () => {
    const cases: ReadonlyArray<readonly [string | undefined, number]> = [
      [undefined, 300],
      ["", 300],
      ["public", 300],
      ["max-age=nonsense", 300],
      ["s-maxage=900", 300],
      ["max-age=0", 60],
      ["max-age=59", 60],
      ["max-age=61", 61],
      ["public, MAX-AGE=600, must-revalidate", 600],
      ["max-age=\"600\"", 600],
      ["max-age=86400", 86_400],
      ["max-age=315360000", 86_400],
      ["no-store", 60],
      ["no-cache, max-age=3600", 60]
    ]
    for (const [field, seconds] of cases) assert.strictEqual(freshnessMillis(field), seconds * 1000, field)
  })
})

describe("issuerUrl", () => {
  it("DISC-03 looks for metadata after the path and before it, in both forms", () => {
    assert.deepStrictEqual(metadataUrls("https://as.example"), [
      "https://as.example/.well-known/openid-configuration",
      "https://as.example/.well-known/oauth-authorization-server"
    ])
    assert.deepStrictEqual(metadataUrls("https://as.example/"), metadataUrls("https://as.example"))
    assert.deepStrictEqual(metadataUrls("https://as.example:8443/tenant/a/"), [
      "https://as.example:8443/tenant/a/.well-known/openid-configuration",
      "https://as.example:8443/.well-known/oauth-authorization-server/tenant/a",
      "https://as.example:8443/.well-known/openid-configuration/tenant/a",
      "https://as.example:8443/tenant/a/.well-known/oauth-authorization-server"
    ])
    assert.deepStrictEqual(metadataUrls("https://as.example/a", "oauth-authorization-server"), [
      "https://as.example/.well-known/oauth-authorization-server/a",
      "https://as.example/a/.well-known/openid-configuration",
      "https://as.example/.well-known/openid-configuration/a",
      "https://as.example/a/.well-known/oauth-authorization-server"
    ])
  })

  it("DISC-01 tolerates one slash, in URLs only", () => {
    assert.isTrue(isSameIssuer("https://as.example", "https://as.example/"))
    assert.isTrue(isSameIssuer("https://as.example/", "https://as.example"))
    assert.isTrue(isSameIssuer("urn:as", "urn:as"))
    assert.isFalse(isSameIssuer("urn:as", "urn:as/"))
    assert.isFalse(isSameIssuer("https://as.example", "https://as.example//"))
    assert.isFalse(isSameIssuer("https://as.example", "https://AS.example"))
    assert.isFalse(isSameIssuer("https://as.example", "https://as"))
  })
})
