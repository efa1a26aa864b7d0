/** The basis of the black-box suites on the component: its variables, and the list of tests that do not apply. */
import { assert, describe, it } from "@effect/vitest"
import * as Redacted from "effect/Redacted"
import * as Result from "effect/Result"
import { generateKeyPairSync } from "node:crypto"
import { readdir, readFile } from "node:fs/promises"
import { join } from "node:path"
import { jwsAlgorithms, type Provider } from "../../src/config/GatewaySettings.ts"
import { fromText } from "../../src/config/kinds/kind.ts"
import { trustedProxies } from "../../src/config/kinds/network.ts"
import { readSettings } from "../../src/spin/settings.ts"
import { introspectionProvider, jwtProvider, userinfoProvider } from "../fixtures/providers.ts"
import { settings } from "../fixtures/settings.ts"
import { root } from "../node/support/builtProgram.ts"
import { reasons, suites } from "./blackbox/notApplicable.ts"
import { variablesOf } from "./blackbox/variablesOf.ts"

const { publicKey } = generateKeyPairSync("rsa", {
  modulusLength: 2048,
  publicKeyEncoding: { type: "spki", format: "pem" },
  privateKeyEncoding: { type: "pkcs8", format: "pem" }
})

const issuer = "https://issuer.example"

const [development] = settings("http://127.0.0.1:9/mcp").providers

const providers: ReadonlyArray<Provider> = [
  ...(development === undefined ? [] : [development]),
  jwtProvider({ issuer: "https://other.example", audience: ["mcp-api", "other"] }, { name: "discovery" }),
  jwtProvider({ issuer, jwksUri: `${issuer}/jwks` }, {
    name: "keys",
    algorithms: jwsAlgorithms,
    requireAccessTokenType: true,
    allowedDomains: ["*.example"],
    endpoints: { authorize: `${issuer}/authorize`, token: `${issuer}/token`, userinfo: `${issuer}/userinfo` }
  }),
  jwtProvider({ issuer: "name", audience: ["mcp-api", "other"] }, {
    name: "pem",
    algorithms: ["RS256"],
    keys: { _tag: "PublicKey", pem: publicKey }
  }),
  userinfoProvider(
    { issuer: `${issuer}/userinfo`, userinfoEndpoint: `${issuer}/oauth/userinfo` },
    { name: "userinfo", tokenPrefix: "mat_" }
  ),
  introspectionProvider({
    issuer: `${issuer}/introspection`,
    audience: "mcp-api",
    introspectionEndpoint: `${issuer}/introspect`,
    client: { id: "gateway", secret: "secret" }
  }, { name: "introspection", tokenPrefix: "opaque_", requiredScopes: ["read"] })
]

const networks = Result.getOrThrow(fromText(trustedProxies, "10.0.0.0/8,::1"))

const plain = settings("http://127.0.0.1:9/mcp", { storeVerdicts: false, authEnabled: false, providers: [] })

const all = settings("http://127.0.0.1:9/mcp", {
  providers,
  requiredScopes: ["mcp:read", "mcp:write"],
  scopesSupported: ["mcp:read"],
  path: "/",
  publicUrl: "https://mcp.example",
  trustedProxies: networks,
  allowedOrigins: { _tag: "List", origins: ["https://a.example", "https://b.example"] },
  traceHeader: "x-request-id",
  errorStyle: "jsonrpc",
  forwardAuthorization: true,
  identityHeaders: false,
  injectRequestContext: false,
  injectResponseContext: false,
  maxTokenBytes: 300,
  maxBodyBytes: 2048,
  clockSkewSeconds: 0,
  upstreamTimeoutMillis: 7000,
  clientHeadMillis: 5000,
  clientBodyMillis: 30_000,
  clientIdleMillis: 20_000,
  clientMinRate: 0,
  upstreamIdleMillis: 3000,
  maxWaiting: 3,
  maxUpstreamConnections: 2,
  maxStreams: 5,
  maxBufferedBytes: 5_000_000,
  shutdownTimeoutMillis: 0,
  host: "0.0.0.0",
  port: 4000,
  workers: "auto",
  logFormat: "pretty",
  logLevel: "none"
})

/** With the secrets as text, because `Redacted` hides them from comparisons. */
const shown = (value: unknown) =>
  JSON.parse(
    JSON.stringify(value, (_, member: unknown) => Redacted.isRedacted(member) ? Redacted.value(member) : member)
  )

describe("black-box suites on the component", () => {
  it("MUST express every setting with variables", () => {
    const opened = settings("http://127.0.0.1:9/mcp", {
      allowedOrigins: { _tag: "Any" },
      trustedProxies: { _tag: "All" }
    })
    for (const given of [settings("http://127.0.0.1:9/mcp"), opened, plain, all]) {
      const read = readSettings({ variables: () => Object.entries(variablesOf(given)) })
      assert.deepStrictEqual(shown(Result.getOrThrow(read)), shown(given))
    }
  })

  it("MUST run every file that talks to a gateway, or say why not", async () => {
    const folders = ["attacks", "clients", "discovery", "compatibility", "proxy"]
    const found = await Promise.all(folders.map(async (folder) => {
      const names = await readdir(join(root, "test", folder))
      return names.filter((name) => name.endsWith(".test.ts")).map((name) => `test/${folder}/${name}`)
    }))
    const left = reasons.flatMap(({ files = [] }) => files.map((name) => `test/${name}.test.ts`))
    assert.deepStrictEqual([...suites, ...left].toSorted(), found.flat().toSorted())
  })

  it("MUST leave out only tests that exist", async () => {
    const texts = await Promise.all(suites.map((file) => readFile(join(root, file), "utf8")))
    for (const name of reasons.flatMap(({ tests = [] }) => tests)) {
      const spellings = [JSON.stringify(name), `'${name}'`]
      assert.lengthOf(texts.filter((text) => spellings.some((spelling) => text.includes(spelling))), 1, name)
    }
  })
})
