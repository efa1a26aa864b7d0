import { JwksCache } from "../../src/keys/JwksCache.ts"
import * as JwksCacheTest from "../../src/testing/JwksCacheTest.ts"

JwksCacheTest.suite("JwksCache.layer", JwksCache.layer)
