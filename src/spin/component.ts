/** The entry of the component for Spin. */
import { getAll } from "wasi:config/store@0.2.0-draft-2024-09-27"
import { increment } from "wasi:keyvalue/atomics@0.2.0-draft2"
import { open } from "wasi:keyvalue/store@0.2.0-draft2"
import { storeName } from "./HostKeyValueStore.ts"
import { openBucket } from "./openBucket.ts"
import { spinClientAddress } from "./peerAddress.ts"
import { serve } from "./serve.ts"

await serve({
  variables: getAll,
  openStore: () => openBucket(open(storeName), increment),
  peerAddress: spinClientAddress
})
