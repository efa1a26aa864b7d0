import * as NodeHttpClient from "@effect/platform-node/NodeHttpClient"
import * as Layer from "effect/Layer"
import * as HttpGatewayClient from "../../src/forward/HttpGatewayClient.ts"
import * as NodeGatewayClient from "../../src/node/NodeGatewayClient.ts"
import * as GatewayClientTest from "../../src/testing/GatewayClientTest.ts"

GatewayClientTest.suite("undici", NodeGatewayClient.layer)

GatewayClientTest.suite("fetch", HttpGatewayClient.layerFetch)

GatewayClientTest.suite("node:http", Layer.provide(HttpGatewayClient.layer, NodeHttpClient.layerNodeHttp))
