/**
 * The entry of the component for `wasmtime serve`, which has other drafts of the same interfaces, and a store without a
 * name.
 */
import { getAll } from "wasi:config/store@0.2.0-rc.1"
import { increment } from "wasi:keyvalue/atomics@0.2.0-draft"
import { open } from "wasi:keyvalue/store@0.2.0-draft"
import { openBucket } from "./openBucket.ts"
import { serve } from "./serve.ts"

await serve({ variables: getAll, openStore: () => openBucket(open(""), increment), peerAddress: () => undefined })
