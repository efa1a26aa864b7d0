/** The setting `upstream_auth`: a word or an object, in the file, in a variable, and in TypeScript code. */
import * as Redacted from "effect/Redacted"
import * as Result from "effect/Result"
import * as Schema from "effect/Schema"
import { nearestName, showMember } from "../../errors/nearestName.ts"
import { assertionAlgorithms, type FacadeAuth, facadeAuthMethods } from "../Facade.ts"
import type { Mistake } from "../InvalidConfiguration.ts"
import { parseJson } from "../sources/jsonText.ts"
import { exchangeGrants, identityTokenTypes, type UpstreamAuth } from "../UpstreamAuth.ts"
import { type Checked, fromJson, invalid, type Kind, makeKind, permit } from "./kind.ts"
import { choice, hidden, list, scopes, secretOf, text } from "./kinds.ts"
import { privateKey } from "./privateKey.ts"
import { signedClaims } from "./signedClaims.ts"
import { File, type UpstreamAuthInput, upstreamAuthTypes } from "./upstreamAuthInput.ts"
import { upstreamFieldKind } from "./upstreamField.ts"
import { providerUrl } from "./urls.ts"

/** The value of a field, in ASCII and without surrounding white space (RFC 9110, section 5.5). */
const fieldValue = secretOf((text) =>
  /^[\x21-\x7e](?:[\x20-\x7e]{0,8190}[\x21-\x7e])?$/.test(text)
    ? Result.succeed(Redacted.make(text))
    : invalid("contains a character that no field can have, or is too long", "Use up to 8192 visible ASCII characters")
)

const anySecret = secretOf((text) => Result.succeed(Redacted.make(text)))

const audiences = list("comma list", /,/, Result.succeed)

const typed = { type: choice(upstreamAuthTypes) }

/** The kind of each member, by type. */
const members = {
  none: typed,
  identity_jwt: {
    ...typed,
    field: upstreamFieldKind,
    issuer: text,
    audience: text,
    claims: signedClaims,
    typ: choice(identityTokenTypes)
  },
  exchange: {
    ...typed,
    field: upstreamFieldKind,
    grant: choice(exchangeGrants),
    provider: text,
    token_endpoint: providerUrl,
    client_id: text,
    client_auth: choice(facadeAuthMethods),
    client_secret: anySecret,
    client_key: privateKey,
    client_key_algorithm: choice(assertionAlgorithms),
    client_key_id: text,
    client_certificate_thumbprint: text,
    audience: audiences,
    resource: text,
    scope: scopes,
    requested_token_type: text
  },
  header: { ...typed, field: upstreamFieldKind, value: fieldValue }
} as const

/** Members that may be read from files: `client_secret_file` names a file with `client_secret`. */
export const upstreamAuthFiles = ["client_secret", "client_key", "value"] as const

type Json = Readonly<Record<string, unknown>>

const isObject = (value: unknown): value is Json =>
  typeof value === "object" && value !== null && !Array.isArray(value) && !Redacted.isRedacted(value)

class MemberReader<Members extends Readonly<Record<string, Kind<unknown>>>> {
  readonly mistakes: Array<Mistake> = []
  readonly #value: Json
  readonly #members: Members

  constructor(value: Json, members: Members) {
    this.#value = value
    this.#members = members
    const files = upstreamAuthFiles.filter((name) => name in members).map((name) => `${name}_file`)
    const names = Object.keys(members)
    for (const name of Object.keys(value)) {
      if (value[name] === undefined || Object.hasOwn(members, name) || files.includes(name)) continue
      const meant = nearestName(name, [...names, ...files])
      this.mistakes.push({
        problem: `has a member ${showMember(name)}, which this type does not have`,
        fix: meant === undefined ? `Known are ${names.join(", ")}` : `Did you mean ${meant}?`
      })
    }
  }

  has(name: keyof Members & string): boolean {
    return this.#value[name] !== undefined
  }

  read<Name extends keyof Members & string>(
    name: Name
  ): (Members[Name] extends Kind<infer A> ? A : never) | undefined {
    if (!this.has(name)) return undefined
    // The kind of this very member.
    const kind = this.#members[name] as unknown as Kind<Members[Name] extends Kind<infer A> ? A : never>
    const read = fromJson(kind, this.#value[name])
    if (Result.isSuccess(read)) return read.success
    for (const { fix, problem } of read.failure) {
      this.mistakes.push({ problem: `has a member ${name} that ${problem}`, fix })
    }
    return undefined
  }

  needs(name: keyof Members & string, fix: string): void {
    if (this.has(name) || `${name}_file` in this.#value) return
    this.mistakes.push({ problem: `lacks the member ${name}`, fix })
  }

  hasNoUse(why: string, ...names: ReadonlyArray<keyof Members & string>): void {
    for (const name of names) {
      if (!this.has(name)) continue
      this.mistakes.push({ problem: `has a member ${name}, which is unused ${why}`, fix: "Remove it" })
    }
  }

  /** Returns the value, unless there was a problem. */
  done<A>(value: A | undefined): Checked<A> {
    return this.mistakes.length === 0 && value !== undefined ? Result.succeed(value) : Result.fail(this.mistakes)
  }
}

const usualField = "authorization"

const readAuth = (reader: MemberReader<typeof members.exchange>): FacadeAuth | undefined => {
  const clientSecret = reader.read("client_secret")
  const clientKey = reader.read("client_key")
  const algorithm = reader.read("client_key_algorithm") ?? "RS256"
  const keyId = reader.read("client_key_id")
  const certificateThumbprint = reader.read("client_certificate_thumbprint")
  const method = reader.read("client_auth") ?? (reader.has("client_key") ? "private_key_jwt" as const : undefined)
  const why = `when client_auth is ${method ?? "basic or post"}`
  const ofKey = ["client_key", "client_key_algorithm", "client_key_id", "client_certificate_thumbprint"] as const
  switch (method) {
    case "private_key_jwt":
      reader.needs("client_key", "Give the private key whose public key or certificate the provider knows")
      reader.hasNoUse(why, "client_secret")
      return clientKey && { method, clientKey, algorithm, keyId, certificateThumbprint }
    case "none":
      reader.hasNoUse(why, "client_secret", ...ofKey)
      return { method }
    default:
      reader.needs("client_secret", "Set it, or client_secret_file, or choose another way with client_auth")
      reader.hasNoUse(why, ...ofKey)
      return clientSecret && { method, clientSecret }
  }
}

const readExchange = (value: Json): Checked<UpstreamAuth> => {
  const reader = new MemberReader(value, members.exchange)
  reader.needs("client_id", "Register the gateway as a client at the provider, and give the id of that client")
  const clientId = reader.read("client_id")
  const auth = readAuth(reader)
  const grant = reader.read("grant") ?? "token_exchange"
  if (grant === "on_behalf_of") {
    reader.needs("scope", "Name what the gateway asks for, as in api://notes/.default")
    reader.hasNoUse("when grant is on_behalf_of", "audience", "resource", "requested_token_type")
  }
  const rest = {
    field: reader.read("field") ?? usualField,
    grant,
    provider: reader.read("provider"),
    tokenEndpoint: reader.read("token_endpoint"),
    audience: reader.read("audience") ?? [],
    resource: reader.read("resource"),
    scope: reader.read("scope") ?? [],
    requestedTokenType: reader.read("requested_token_type")
  }
  return reader.done(
    clientId === undefined || auth === undefined ? undefined : { _tag: "Exchange", clientId, auth, ...rest }
  )
}

const readIdentityJwt = (value: Json): Checked<UpstreamAuth> => {
  const reader = new MemberReader(value, members.identity_jwt)
  return reader.done({
    _tag: "IdentityJwt",
    field: reader.read("field") ?? usualField,
    issuer: reader.read("issuer"),
    audience: reader.read("audience"),
    claims: reader.read("claims") ?? [],
    typ: reader.read("typ") ?? "at+jwt"
  })
}

const readHeader = (value: Json): Checked<UpstreamAuth> => {
  const reader = new MemberReader(value, members.header)
  reader.needs("field", "Name the field that the MCP server looks at, as in X-Gateway-Key")
  reader.needs("value", "Set it, or value_file, to the secret that the MCP server knows")
  const field = reader.read("field")
  const secret = reader.read("value")
  return reader.done(field === undefined || secret === undefined ? undefined : { _tag: "Header", field, value: secret })
}

const words = `Write one of ${upstreamAuthTypes.join(", ")}, or an object with this as its type`

const readValue = (value: unknown): Checked<UpstreamAuth> => {
  const object: unknown = typeof value === "string" ? { type: value.trim().toLowerCase() } : value
  if (!isObject(object)) return invalid("is neither a word nor an object", words)
  switch (object["type"]) {
    case "none":
      return new MemberReader(object, members.none).done<UpstreamAuth>({ _tag: "None" })
    case "identity_jwt":
      return readIdentityJwt(object)
    case "exchange":
      return readExchange(object)
    case "header":
      return readHeader(object)
    default:
      return invalid(object["type"] === undefined ? "has no type" : "has an unknown type", words)
  }
}

const showExchangeAuth = (auth: FacadeAuth) => ({
  client_auth: auth.method,
  ...("clientSecret" in auth ? { client_secret: hidden } : {}),
  ...(auth.method === "private_key_jwt"
    ? { client_key: hidden, client_key_algorithm: auth.algorithm, client_key_id: auth.keyId }
    : {})
})

const shownAuth = (auth: UpstreamAuth): UpstreamAuthInput => {
  switch (auth._tag) {
    case "None":
      return { type: "none" }
    case "IdentityJwt": {
      const { audience, claims, field, issuer, typ } = auth
      return {
        type: "identity_jwt",
        field,
        issuer,
        audience,
        typ,
        claims: Object.fromEntries(claims.map(({ claim, name }) => [claim, name]))
      }
    }
    case "Exchange":
      return {
        type: "exchange",
        field: auth.field,
        grant: auth.grant,
        provider: auth.provider,
        token_endpoint: auth.tokenEndpoint,
        client_id: auth.clientId,
        ...showExchangeAuth(auth.auth),
        audience: auth.audience,
        resource: auth.resource,
        scope: auth.scope,
        requested_token_type: auth.requestedTokenType
      }
    case "Header":
      return { type: "header", field: auth.field, value: hidden }
  }
}

const isInput = (value: unknown): value is UpstreamAuthInput => typeof value === "string" || isObject(value)

/** How the gateway authorizes its requests to the MCP server. */
export const upstreamAuth: Kind<UpstreamAuth, UpstreamAuthInput> = makeKind<UpstreamAuth, UpstreamAuthInput>({
  label: "word, or JSON object",
  input: Schema.declare(isInput),
  file: File,
  mistyped: () => ({ problem: "is neither a word nor an object", fix: words }),
  fromJson: readValue,
  fromText: (text) => text.trim().startsWith("{") ? Result.flatMap(parseJson(text), readValue) : readValue(text),
  show: shownAuth,
  permit: (auth, allowHttp) => {
    if (auth._tag !== "Exchange" || auth.tokenEndpoint === undefined) return Result.succeed(auth)
    return Result.map(
      Result.mapError(
        permit(providerUrl, auth.tokenEndpoint, allowHttp),
        (mistakes) =>
          mistakes.map(({ fix, problem }) => ({ problem: `has a member token_endpoint that ${problem}`, fix }))
      ),
      () => auth
    )
  }
})
