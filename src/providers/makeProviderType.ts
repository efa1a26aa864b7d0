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

/** A struct of fields, which are decoded without services. */
interface FieldsSchema extends Schema.ConstraintDecoder<object> {
  readonly fields: Readonly<Record<string, unknown>>
}

/** A configured provider of a type of your own. */
export interface AddedProvider<Name extends string, Fields> extends Provider {
  readonly type: Name
  /** Its own fields, decoded. */
  readonly fields: Fields
}

/** A provider in settings: the fields that every provider has, and its own. */
type AddedInput<Name extends string, Fields> = Fields & {
  readonly type: Name
  readonly name?: string | undefined
  readonly required_scopes?: string | ReadonlyArray<string> | undefined
  readonly token_prefix?: string | undefined
}

/** What a type of your own is made of. */
export interface ProviderTypeOptions<Name extends string, Fields extends FieldsSchema> {
  /** As `type` of a provider has it. */
  readonly name: Name
  /**
   * Its own fields: an Effect `Schema.Struct`, whose encoded side stands in the settings. What is wrong with a field is
   * reported with the other problems of the settings, without its value.
   */
  readonly fields: Fields
  /**
   * Says who bears a token, or why it is rejected: `InvalidToken`, `InsufficientScope`, or `ProviderUnavailable` where nobody
   * can say now.
   *
   * It gets every token that begins with the provider's `token_prefix`; without one, every token that is not a JWT of a
   * configured issuer. An identity whose end has passed is rejected.
   */
  readonly verify: (
    token: BearerToken,
    provider: AddedProvider<Name, Fields["Type"]>
  ) => Effect.Effect<Omit<Identity, "provider">, VerificationError>
  /** The fields as `--check` and `describe` show them. They may hold no secret; by default each is only named. */
  readonly describe?: (fields: Fields["Type"]) => { readonly [member: string]: Json }
  /** What is allowed but unwise, one sentence or two each, for the log at start. */
  readonly warnings?: (provider: AddedProvider<Name, Fields["Type"]>) => ReadonlyArray<string>
  /** The issuers that clients can ask for such a token: `authorization_servers` of the discovery document. None by default. */
  readonly authorizationServers?: (fields: Fields["Type"]) => ReadonlyArray<string>
  /** Whether tokens can be verified now, for `/readyz`. Always by default. It must be quick, and bounded in time. */
  readonly readiness?: (provider: AddedProvider<Name, Fields["Type"]>) => Effect.Effect<"ready" | "unavailable">
  /** For how long verdicts may be remembered in this process, and no longer than the token lasts. Not at all by default. */
  readonly remember?: {
    readonly accepted?: Duration.Input
    readonly rejected?: Duration.Input
  }
}

// Without the input, which may be a secret.
const issuesOf = SchemaIssue.makeFormatterStandardSchemaV1()

/**
 * Makes a provider type of your own, for `types` of the settings.
 *
 * Use it for tokens that none of the gateway's types can verify, API keys for one, where the provider should be configured,
 * listed in discovery, counted in readiness and shown by `--check` like the others. For a verifier without settings
 * `TokenVerifier.layerPrefix` is simpler.
 *
 * **Example** (API keys, known by their digests)
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
  if (taken !== undefined) throw new TypeError(`${taken} is a field of every provider, and cannot be one of ${name}`)
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
          cure: `${message.replace(/\.$/, "")}; see the documentation of ${name}`
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
      // Where the metadata are is asked when a client wants them.
      asks: () => []
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
          // What the fields mean is not known here, so that another configuration could be taken for this one.
          return { identity, validity: { until, isLocal: true } }
        }),
        refusalMillis: remember.rejected === undefined ? undefined : Duration.toMillis(remember.rejected),
        readiness: readiness && Effect.map(readiness(provider), (state) => ({ ready: state === "ready", state }))
      })
  }
}
