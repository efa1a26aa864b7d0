import * as Effect from "effect/Effect"
import { X509Certificate } from "node:crypto"
import { readFile, stat } from "node:fs/promises"
import * as Tls from "node:tls"
import { InvalidConfiguration } from "../../config/InvalidConfiguration.ts"
import { errorCode } from "../errorCode.ts"

const maxBytes = 4_194_304

const refuse = (problem: string) =>
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
    catch: (error) => refuse(`cannot be read (${errorCode(error)})`)
  })

const block = /-----BEGIN CERTIFICATE-----[A-Za-z0-9+/=\s]+-----END CERTIFICATE-----/g

const usual = Effect.promise(async (): Promise<ReadonlyArray<string>> => {
  // Younger than Node 20; it knows of NODE_EXTRA_CA_CERTS.
  const tls: { readonly getCACertificates?: (type: "default") => ReadonlyArray<string> } = Tls
  if (tls.getCACertificates !== undefined) return tls.getCACertificates("default")
  // @effect-diagnostics-next-line processEnvInEffect:off -- Node's own variable, as Node itself reads it
  const extra = process.env["NODE_EXTRA_CA_CERTS"]
  // What is wrong with that file Node has said by itself.
  const more = extra === undefined ? "" : await readFile(extra, "latin1").catch(() => "")
  return [...Tls.rootCertificates, ...more.match(block) ?? []]
})

/**
 * Whom to trust over TLS: the usual authorities, and those in a file.
 *
 * Fails with `InvalidConfiguration` where the file cannot be read or is no PEM file with certificates; it is read once.
 *
 * @param path `undefined`: the usual ones alone, which needs no context of its own
 */
export const readAuthorities = Effect.fnUntraced(function*(
  path: string | undefined
): Effect.fn.Return<Tls.SecureContext | undefined, InvalidConfiguration> {
  if (path === undefined) return undefined
  const text = yield* read(path)
  if (text === undefined) return yield* refuse("is not a file of at most 4 MiB")
  const blocks = text.match(block) ?? []
  if (blocks.length === 0) return yield* refuse("has no PEM certificate")
  const others = yield* usual
  return yield* Effect.try({
    try: () => {
      for (const pem of blocks) void new X509Certificate(pem)
      return Tls.createSecureContext({ ca: [...others, ...blocks] })
    },
    catch: () => refuse("has a certificate that cannot be read")
  })
})
