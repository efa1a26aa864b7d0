import * as Effect from "effect/Effect"
import { createHash, X509Certificate } from "node:crypto"
import { readFile, stat } from "node:fs/promises"
import * as Tls from "node:tls"
import { InvalidConfiguration } from "../../config/InvalidConfiguration.ts"
import { errorCode } from "../errorCode.ts"

const maxBytes = 4_194_304

type Invalid = (problem: string) => InvalidConfiguration

export const invalidIn = (setting: string, fix: string): Invalid => (problem) =>
  new InvalidConfiguration({ problems: [{ setting, source: undefined, problem, fix }] })

export const authoritiesFix = "Name a readable PEM file with the certificates of the authorities to trust"

const invalid = invalidIn("MCP_CA_FILE", authoritiesFix)

/** Reads a PEM file; `undefined` if it is not a file, or too long. */
export const readPem = (path: string, invalid: Invalid) =>
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

export const readCertificates = Effect.fnUntraced(function*(path: string, invalid: Invalid) {
  const text = yield* readPem(path, invalid)
  if (text === undefined) return yield* invalid("is not a file of at most 4 MiB")
  const blocks = text.match(block) ?? []
  return blocks.length === 0 ? yield* invalid("has no PEM certificate") : { text, blocks }
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
 * @param path `undefined`: only the default authorities, which need no separate context
 */
export const readAuthorities = Effect.fnUntraced(function*(
  path: string | undefined
): Effect.fn.Return<Authorities | undefined, InvalidConfiguration> {
  if (path === undefined) return undefined
  const { blocks, text } = yield* readCertificates(path, invalid)
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

/** The authorities that are trusted without `MCP_UPSTREAM_CA_FILE`, in PEM: those of Node, and those in `MCP_CA_FILE`. */
export const defaultAuthorities = Effect.fnUntraced(function*(
  path: string | undefined
): Effect.fn.Return<ReadonlyArray<string>, InvalidConfiguration> {
  const others = yield* usual
  return path === undefined ? others : [...others, ...(yield* readCertificates(path, invalid)).blocks]
})
