import { clientsSuite } from "../support/clients.suite.ts"
import { layerWasmtime } from "./Wasmtime.ts"

clientsSuite("wasmtime", layerWasmtime)
