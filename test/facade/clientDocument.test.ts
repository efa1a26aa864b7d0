import { assert, describe, it } from "@effect/vitest"
import * as Result from "effect/Result"
import { isDocumentUrl, readClientDocument } from "../../src/facade/clientDocument.ts"

const id = "https://app.example/oauth/client.json"

const good = { client_id: id, client_name: "App", redirect_uris: ["https://app.example/callback"] }

const read = (members: Readonly<Record<string, unknown>>) =>
  readClientDocument(id, JSON.stringify({ ...good, ...members }))

const nameOf = (client_name: unknown) => Result.getOrThrow(read({ client_name })).clientName

describe("a client id is the URL of a document", () => {
  for (
    const url of [
      id,
      "https://app.example/",
      "https://app.example:8443/a",
      "https://app.example/a?v=1",
      "https://[2606:4700::1]/a"
    ]
  ) {
    it(`${url}`, () => {
      assert.isTrue(isDocumentUrl(url))
    })
  }
})

describe("a client id is not the URL of a document", () => {
  for (
    const url of [
      "",
      "client",
      "http://app.example/a",
      "https://app.example",
      "https://app.example/a#b",
      "https://app.example/a#",
      "https://user@app.example/a",
      "https://user:pass@app.example/a",
      "https://:@app.example/a",
      "https://app.example/a/../b",
      "https://app.example/./a",
      "https://app.example/%2e%2e/a",
      "https://APP.example/a",
      "https://app.example:443/a",
      "https://127.1/a",
      "https://0x7f.0.0.1/a",
      "https://app.example\\@evil.example/a",
      "https:///a",
      " https://app.example/a",
      "https://app.example/a b",
      "javascript:alert(1)",
      "file:///etc/passwd",
      `https://app.example/${"a".repeat(1_024)}`
    ]
  ) {
    it(`${url.slice(0, 60)}`, () => {
      assert.isFalse(isDocumentUrl(url))
    })
  }
})

describe("a document", () => {
  it("names the client and its redirect URIs", () => {
    assert.deepStrictEqual(
      Result.getOrThrow(read({
        redirect_uris: ["http://127.0.0.1/callback", "http://localhost:3000/cb", "cursor://anysphere/callback"],
        token_endpoint_auth_method: "none",
        grant_types: ["authorization_code", "refresh_token"],
        response_types: ["code"],
        scope: "read",
        jwks_uri: "https://app.example/jwks"
      })),
      {
        clientName: "App",
        redirectUris: ["http://127.0.0.1/callback", "http://localhost:3000/cb", "cursor://anysphere/callback"]
      }
    )
  })

  it("has a name of one line that is not too long, or none", () => {
    assert.strictEqual(nameOf("a\nb\u202ec\u0000"), "a b c")
    assert.strictEqual(nameOf("x".repeat(10_000))?.length, 100)
    for (const name of [undefined, null, 7, {}, "", "  \n"]) assert.isUndefined(nameOf(name))
  })

  const problems: ReadonlyArray<readonly [Readonly<Record<string, unknown>>, RegExp]> = [
    [{ client_id: "https://app.example/oauth/other.json" }, /client_id/],
    [{ client_id: `${id}/` }, /client_id/],
    [{ client_id: undefined }, /client_id/],
    [{ client_id: [id] }, /client_id/],
    [{ client_secret: "s3cret" }, /client secret/],
    [{ client_secret_expires_at: 0 }, /client secret/],
    [{ token_endpoint_auth_method: "client_secret_basic" }, /authenticates/],
    [{ token_endpoint_auth_method: "client_secret_jwt" }, /authenticates/],
    [{ token_endpoint_auth_method: "private_key_jwt" }, /authenticates/],
    [{ redirect_uris: undefined }, /redirect_uris/],
    [{ redirect_uris: [] }, /redirect_uris/],
    [{ redirect_uris: "https://app.example/callback" }, /redirect_uris/],
    [{ redirect_uris: ["https://app.example/callback", 7] }, /redirect_uris/],
    [{ redirect_uris: Array.from({ length: 65 }, (_, index) => `https://app.example/${index}`) }, /redirect_uris/],
    [{ redirect_uris: ["javascript:alert(1)"] }, /redirect URI/],
    [{ redirect_uris: ["data:text/html,a"] }, /redirect URI/],
    [{ redirect_uris: ["https://app.example/*"] }, /wildcard/],
    [{ redirect_uris: ["https://app.example/a#b"] }, /fragment/],
    [{ redirect_uris: ["http://app.example/callback"] }, /http URL/],
    [{ redirect_uris: ["https://app.example/ok", "https://me@app.example/"] }, /credentials/],
    [{ grant_types: ["client_credentials"] }, /authorization_code/],
    [{ response_types: ["token"] }, /code/]
  ]
  for (const [members, problem] of problems) {
    it(`is not usable with ${JSON.stringify(members).slice(0, 80)}`, () => {
      const result = read(members)
      assert.isTrue(Result.isFailure(result))
      if (Result.isFailure(result)) {
        assert.match(result.failure, problem)
        assert.notInclude(result.failure, "s3cret")
      }
    })
  }

  it("is one JSON object", () => {
    for (const text of ["", "[]", "null", "\"a\"", "{", `${JSON.stringify(good)}x`, "<html></html>"]) {
      assert.isTrue(Result.isFailure(readClientDocument(id, text)), text)
    }
    assert.isTrue(Result.isSuccess(readClientDocument(id, JSON.stringify(good))))
  })
})
