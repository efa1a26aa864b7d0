import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Scope from "effect/Scope"
import { GatewayConfig } from "../../src/config/GatewayConfig.ts"
import type { GatewayConfigInput } from "../../src/config/GatewayConfigInput.ts"
import { Guard } from "../../src/embed/Guard.ts"
import { layerGateway } from "../../src/embed/layers.ts"
import { HttpApp } from "../../src/http/HttpApp.ts"
import { TestIssuer } from "../../src/issuer/TestIssuer.ts"
import * as HttpAppTest from "../../src/testing/HttpAppTest.ts"
import * as Suite from "../../src/testing/suite.ts"
import { guardApp, guardInapplicable } from "./guardApp.ts"
import { NodeApp } from "./nodeApp.ts"

HttpAppTest.suite("the gateway", HttpApp.layer)

Suite.suite(
  "HttpApp (a guarded server)",
  HttpAppTest.subject(guardApp(Guard.layer)),
  HttpAppTest.requirements.filter(({ id }) => !Object.hasOwn(guardInapplicable, id))
)

// They send what no Web client can send over a socket (an invalid `Host`, `Upgrade`, bytes in fields), or methods to which
// Node's parser responds itself. `test/attacks` sends those as bytes.
const unsendable = new Set([
  "APP-01",
  "APP-02",
  "APP-03",
  "APP-04",
  "APP-05",
  "APP-08",
  "APP-21",
  "APP-22",
  "APP-54",
  "APP-57",
  "APP-62",
  "APP-80",
  "APP-83",
  // Their clients read responses as they come, or leave; the one here reads them whole.
  "APP-09",
  "APP-74",
  "APP-75",
  "APP-85",
  "APP-86",
  "APP-87"
])

Suite.suite(
  "HttpApp (the program on Node)",
  HttpAppTest.subject(NodeApp),
  // Each value is a server of its own.
  HttpAppTest.requirements.filter(({ id }) => !unsendable.has(id)).map((each) => Object.assign({}, each, { runs: 8 }))
)

// An app whose layer needs nothing, of an issuer and an MCP server that run already.
const running = <A>(effect: Effect.Effect<A, never, Scope.Scope>) =>
  Effect.runPromise(Scope.provide(effect, Scope.makeUnsafe()))
const issuer = await running(TestIssuer.make())
const upstream = await running(HttpAppTest.startTestUpstream)

const settings: GatewayConfigInput = {
  server_url: `${upstream.origin}/mcp`,
  required_scopes: "mcp:read",
  session_key: "the-key-of-all-replicas-000000000000",
  providers: [{
    type: "oidc",
    issuer: issuer.issuer,
    jwks_uri: issuer.jwksUri,
    audience: [issuer.audience].flat().join()
  }]
}

HttpAppTest.suiteClosed("a connected app", Layer.provide(layerGateway, GatewayConfig.layer(settings)), {
  settings,
  issuer,
  upstream,
  // Each value is an app of its own.
  runs: 4,
  seed: "connected"
})
