import * as Clock from "effect/Clock"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Result from "effect/Result"
import * as Schema from "effect/Schema"
import * as SchemaIssue from "effect/SchemaIssue"
import type { Provider } from "../config/GatewaySettings.ts"
import { readCommon } from "../config/providers/providerParts.ts"
import type { BearerToken } from "../credential/BearerToken.ts"
import type { VerificationError } from "../errors/GatewayError.ts"
import type { Identity } from "../identity/Identity.ts"
import type { Json } from "../identity/Json.ts"
import { requireUnexpired } from "../verify/claims/requireUnexpired.ts"
import { endPassed } from "../verify/opaque/verdictLife.ts"
import { redirectToMetadata } from "./metadata.ts"
import type { ProviderType } from "./ProviderType.ts"
import { isCommonField } from "./types.ts"

/** A struct of fields that can be decoded without services. */
interface FieldsSchema extends Schema.ConstraintDecoder<object> {
  readonly fields: Readonly<Record<string, unknown>>
}

/** A configured provider of a type that the embedding program has added. */
export interface AddedProvider<Name extends string, Fields> extends Provider {
  readonly type: Name
  /** The type's own fields, decoded. */
  readonly fields: Fields
}

/** The provider's entry in the settings: the common fields, and those of its type. */
type AddedInput<Name extends string, Fields> = Fields & {
  readonly type: Name
  readonly name?: string | undefined
  readonly required_scopes?: string | ReadonlyArray<string> | undefined
  readonly token_prefix?: string | undefined
}

/** The parts of a provider type that the embedding program adds. */
export interface ProviderTypeOptions<Name extends string, Fields extends FieldsSchema> {
  /** The value of `type` in the settings. */
  readonly name: Name
  /**
   * The type's own fields: an Effect `Schema.Struct` whose encoded side has the form of the settings. Problems with a
   * field are reported together with the other problems of the settings, without the field's value.
   */
  readonly fields: Fields
  /**
   * Returns the caller that a token represents, or fails: with `InvalidToken` or `InsufficientScope` to reject the token,
   * or with `ProviderUnavailable` if the token cannot be verified now.
   *
   * Called with every token that begins with the provider's `token_prefix`; without a prefix, with every token that is
   * not a JWT of a configured issuer. An expired identity is rejected.
   */
  readonly verify: (
    token: BearerToken,
    provider: AddedProvider<Name, Fields["Type"]>
  ) => Effect.Effect<Omit<Identity, "provider">, VerificationError>
  /** Converts the fields for `--check` and `describe`; must leave out secrets. By default, only the names are shown. */
  readonly describe?: (fields: Fields["Type"]) => { readonly [member: string]: Json }
  /** Settings that are valid but unwise, as one or two sentences each, for the log at start. */
  readonly warnings?: (provider: AddedProvider<Name, Fields["Type"]>) => ReadonlyArray<string>
  /**
   * The issuers that clients can get a token from: `authorization_servers` of the discovery document. None by default.
   */
  readonly authorizationServers?: (fields: Fields["Type"]) => ReadonlyArray<string>
  /** Whether tokens can be verified now, for `/readyz`. By default always. Must return quickly. */
  readonly readiness?: (provider: AddedProvider<Name, Fields["Type"]>) => Effect.Effect<"ready" | "unavailable">
  /** How long verdicts are cached in this process, at most until the token expires. By default they are not cached. */
  readonly remember?: {
    readonly accepted?: Duration.Input
    readonly rejected?: Duration.Input
  }
}

// The formatter leaves out the input, which may be a secret.
const issuesOf = SchemaIssue.makeFormatterStandardSchemaV1()

/**
 * Builds a provider type of your own, for `types` of the settings.
 *
 * Use it for tokens that none of the gateway's types can verify, such as API keys, if the provider should be configured,
 * listed in discovery, counted in readiness and shown by `--check` like the others. For a verifier without settings,
 * `TokenVerifier.layerPrefix` is simpler. Throws a `TypeError` if a field has the name of a common field.
 *
 * **Example** (API keys, looked up by their digests)
 *
 * ```ts
 * import * as Effect from "effect/Effect"
 * import * as Redacted from "effect/Redacted"
 * import * as Schema from "effect/Schema"
 * import { GatewayConfig, InvalidToken, makeProviderType } from "mcp-authorizer"
 *
 * declare const sha256: (text: string) => string
 *
 * const apiKeys = makeProviderType({
 *   name: "api-keys",
 *   fields: Schema.Struct({ owners: Schema.Record(Schema.String, Schema.NonEmptyString) }),
 *   verify: (key, { fields, name }) => {
 *     const subject = fields.owners[sha256(Redacted.value(key))]
 *     return subject === undefined
 *       ? Effect.fail(new InvalidToken({ reason: "UnknownToken", provider: name, detail: "no such API key" }))
 *       : Effect.succeed({
 *         subject,
 *         issuer: "my-server",
 *         scopes: ["notes:read"],
 *         clientId: undefined,
 *         email: undefined,
 *         name: undefined,
 *         expiresAt: undefined,
 *         claims: {}
 *       })
 *   }
 * })
 *
 * const Settings = GatewayConfig.layer({
 *   server_url: "http://127.0.0.1:8080/mcp",
 *   providers: [
 *     { type: "oidc", issuer: "https://issuer.example.com", audience: "auto" },
 *     { type: "api-keys", token_prefix: "key_", owners: { "2c26b46b68ffc68ff99b453c1d304134": "alice" } }
 *   ],
 *   public_url: "https://notes.example.com"
 * }, { types: [apiKeys] })
 * ```
 */
export const makeProviderType = <const Name extends string, Fields extends FieldsSchema>(
  {
    authorizationServers,
    describe,
    fields: schema,
    name,
    readiness,
    remember = {},
    verify,
    warnings = () => []
  }: ProviderTypeOptions<Name, Fields>
): ProviderType<AddedProvider<Name, Fields["Type"]>, AddedInput<Name, Fields["Encoded"]>> => {
  const decode = Schema.decodeUnknownResult(schema, { errors: "all" })
  const names = Object.keys(schema.fields)
  const taken = names.find(isCommonField)
  if (taken !== undefined) {
    throw new TypeError(`${taken} is a field that every provider has, and cannot be a field of ${name}`)
  }
  const acceptedMillis = remember.accepted === undefined ? undefined : Duration.toMillis(remember.accepted)

  return {
    name,
    fields: [],
    addedFields: names,
    resolve: (fields) => {
      const common = readCommon(fields, name)
      const decoded = decode(Object.fromEntries([...fields.added].map(([field, { value }]) => [field, value])))
      if (Result.isSuccess(decoded)) return { ...common, fields: decoded.success }
      for (const { message, path = [] } of issuesOf(decoded.failure.issue).issues) {
        fields.report(names.find((field) => field === path[0]) ?? "type", {
          problem: message.startsWith("Missing") ? "is missing" : "is not what the type takes",
          fix: `${message.replace(/\.$/, "")}; see the documentation of ${name}`
        })
      }
      return undefined
    },
    describe: ({ fields }) => describe?.(fields) ?? Object.fromEntries(names.map((field) => [field, "(configured)"])),
    warnings,
    ownTokens: () => ({ _tag: "Opaque" }),
    ...(authorizationServers === undefined ? {} : {
      advertisedIssuers: ({ fields }: AddedProvider<Name, Fields["Type"]>) => authorizationServers(fields),
      metadata: (provider: AddedProvider<Name, Fields["Type"]>) => {
        const [issuer] = authorizationServers(provider.fields)
        return issuer === undefined ? { _tag: "NotSupported" } : redirectToMetadata({ ...provider, issuer })
      },
      // Metadata are not checked online: they are fetched only when a client requests them.
      onlineChecks: () => []
    }),
    register: (provider, { clockSkewSeconds }) =>
      Effect.succeed({
        _tag: "Opaque",
        verify: Effect.fnUntraced(function*(token) {
          const found = { ...(yield* verify(token, provider)), provider: provider.name }
          const identity = yield* requireUnexpired(found, clockSkewSeconds, endPassed)
          if (acceptedMillis === undefined) return { identity, validity: undefined }
          const end = (identity.expiresAt ?? Number.POSITIVE_INFINITY) * 1000
          const until = Math.min(end, (yield* Clock.currentTimeMillis) + acceptedMillis)
          // Not shared with other instances: which fields the verdict depends on is unknown here.
          return { identity, validity: { until, isLocal: true } }
        }),
        rejectionMillis: remember.rejected === undefined ? undefined : Duration.toMillis(remember.rejected),
        readiness: readiness && Effect.map(readiness(provider), (state) => ({ ready: state === "ready", state }))
      })
  }
}
