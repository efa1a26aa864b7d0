import * as Effect from "effect/Effect"
import { createHash, X509Certificate } from "node:crypto"
import { readFile, stat } from "node:fs/promises"
import * as Tls from "node:tls"
import { InvalidConfiguration } from "../../config/InvalidConfiguration.ts"
import { errorCode } from "../errorCode.ts"

const maxBytes = 4_194_304

const invalid = (problem: string) =>
  new InvalidConfiguration({
    problems: [{
      setting: "MCP_CA_FILE",
      source: undefined,
      problem,
      cure: "Name a readable PEM file with the certificates of the authorities to trust"
    }]
  })

const read = (path: string) =>
  Effect.tryPromise({
    try: async () => {
      const found = await stat(path)
      return found.isFile() && found.size <= maxBytes ? await readFile(path, "latin1") : undefined
    },
    catch: (error) => invalid(`cannot be read (${errorCode(error)})`)
  })

const block = /-----BEGIN CERTIFICATE-----[A-Za-z0-9+/=\s]+-----END CERTIFICATE-----/g

const usual = Effect.promise(async (): Promise<ReadonlyArray<string>> => {
  // Newer than Node 20. It includes NODE_EXTRA_CA_CERTS.
  const tls: { readonly getCACertificates?: (type: "default") => ReadonlyArray<string> } = Tls
  if (tls.getCACertificates !== undefined) return tls.getCACertificates("default")
  // @effect-diagnostics-next-line processEnvInEffect:off -- Node's own variable, as Node itself reads it
  const extra = process.env["NODE_EXTRA_CA_CERTS"]
  // Node itself has reported problems of that file.
  const more = extra === undefined ? "" : await readFile(extra, "latin1").catch(() => "")
  return [...Tls.rootCertificates, ...more.match(block) ?? []]
})

/** Authorities in the form that Node's connections take. */
export interface Authorities {
  readonly secureContext: Tls.SecureContext
  /** Of the file. */
  readonly digest: string
}

/**
 * Returns the authorities to trust over TLS: the default ones, and those in a file.
 *
 * Fails with `InvalidConfiguration` if the file cannot be read or has no PEM certificates. The file is read once.
 *
 * @param path `undefined`: only the default authorities, which need no context of their own
 */
export const readAuthorities = Effect.fnUntraced(function*(
  path: string | undefined
): Effect.fn.Return<Authorities | undefined, InvalidConfiguration> {
  if (path === undefined) return undefined
  const text = yield* read(path)
  if (text === undefined) return yield* invalid("is not a file of at most 4 MiB")
  const blocks = text.match(block) ?? []
  if (blocks.length === 0) return yield* invalid("has no PEM certificate")
  const others = yield* usual
  return yield* Effect.try({
    try: () => {
      for (const pem of blocks) void new X509Certificate(pem)
      return {
        secureContext: Tls.createSecureContext({ ca: [...others, ...blocks] }),
        digest: createHash("sha256").update(text).digest("hex")
      }
    },
    catch: () => invalid("has a certificate that cannot be read")
  })
})
