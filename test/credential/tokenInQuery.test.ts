import { assert, describe, it } from "@effect/vitest"
import { hasTokenParameter } from "../../src/credential/tokenInQuery.ts"

describe("a token in the query", () => {
  it("CRED-08 is found under every spelling that a server could take for access_token", () => {
    const queries = [
      "access_token=a",
      "access_token",
      "access_token=",
      "x=1&access_token=a",
      "ACCESS_TOKEN=a",
      "Access_Token=a",
      "a;access_token=b",
      "a=1;access_token=b",
      "a?access_token=b",
      "access_token%00=a",
      "access_token%00x=a",
      "access%00_token=a",
      "access+token=a",
      "access%20token=a",
      "+access_token=a",
      "%20access_token=a",
      "access_token%0d%0a=a",
      "access.token=a",
      "access-token=a",
      "access[token=a",
      "access_token[]=a",
      "access_token%5B0%5D=a",
      "access_token[x]=a",
      "access%5Ftoken=a",
      "%61ccess_token=a",
      "access%255ftoken=a",
      "access%25255ftoken=a",
      "access_token%3Da",
      "x%26access_token%3Da",
      "%EF%BD%81ccess_token=a",
      "acce%C5%BFs_token=a",
      "access_to%E2%84%AAen=a",
      "access%u005ftoken&access_token=a",
      "accessToken=a",
      "access%E2%80%8B_token=a"
    ]
    for (const query of queries) assert.isTrue(hasTokenParameter(query), query)
  })

  it("CRED-08 is not found in other parameters or in values", () => {
    const queries = [
      "",
      "token=a",
      "x=access_token",
      "x=access_token=a",
      "access_token_type=a",
      "access_tokens=a",
      "my_access_token=a",
      "cursor=%61%00%ff%zz%",
      "access=token",
      "access&token",
      "%",
      "&&;;??"
    ]
    for (const query of queries) assert.isFalse(hasTokenParameter(query), query)
  })
})
