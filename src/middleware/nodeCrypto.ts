/**
 * Node's own cryptography. It is synchronous, which is necessary because writing the head of a response cannot wait.
 */
import * as Digest from "effect/crypto/Digest"
import * as Mac from "effect/crypto/Mac"
import * as SecureRandom from "effect/crypto/SecureRandom"
import * as Layer from "effect/Layer"
import { createHmac } from "node:crypto"
import { sha256 } from "../node/sha256.ts"
import { verifyAtOnce } from "../node/signature.ts"
import { VerifyAtOnce } from "../verify/jwt/signature.ts"
import { Sha256 } from "../verify/tokenDigest.ts"

const mac = Mac.layerWebCryptoWith({
  hmac: (hash, key, data) => createHmac(hash, key).update(data).digest()
})

/** Seals session ids, and computes digests of callers for the log. */
export const crypto = Layer.merge(Digest.layerWebCrypto, Layer.provideMerge(mac, SecureRandom.layerWebCrypto))

/** Digests and signatures are computed in this thread: passing a token to another thread and back takes far longer. */
export const references = Layer.merge(Layer.succeed(Sha256, sha256), Layer.succeed(VerifyAtOnce, verifyAtOnce))
