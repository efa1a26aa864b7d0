/** Apps whose services are already provided: real tokens of their issuer, and requests to their MCP server. */
import * as Effect from "effect/Effect"
import type * as Scope from "effect/Scope"
import { GatewayConfig } from "../../config/GatewayConfig.ts"
import type { GatewayConfigInput } from "../../config/GatewayConfigInput.ts"
import type { GatewaySettings } from "../../config/GatewaySettings.ts"
import type { InvalidTokenReason } from "../../errors/GatewayError.ts"
import type { UpstreamRequest } from "../../forward/GatewayClient.ts"
import type { HttpApp } from "../../http/HttpApp.ts"
import type { Issuer } from "../../issuer/Issuer.ts"
import type { SignOptions } from "../../issuer/TestIssuerOptions.ts"
import type { Requirement } from "../Requirement.ts"
import type { Caller, Verdict } from "./caller.ts"
import { type Circumstances, identityOf, send } from "./fixture.ts"
import { narrowedIn } from "./settings.ts"
import type { Started, Subject } from "./Subject.ts"
import type { TestUpstream } from "./TestUpstream.ts"
import type { UpstreamBehaviour } from "./upstream.ts"

/** What a connected app is connected to. */
export interface ClosedApp {
  /** The settings that the app has. */
  readonly settings: GatewayConfigInput
  /** The issuer of its first provider. */
  readonly issuer: Issuer
  /** Its MCP server, from `startTestUpstream`. */
  readonly upstream: TestUpstream
}

/** Thrown where a case needs what a connected app cannot be given. */
const notApplicable = new Error("the case does not apply to a connected app")

/** Tokens of the issuer that are rejected for a reason. Providers of JWTs have no other reasons. */
const spoilt: { readonly [Reason in InvalidTokenReason]?: SignOptions } = {
  MalformedToken: { payloadJson: "[]" },
  UnsupportedAlgorithm: { header: { alg: "none" } },
  UnknownKey: { header: { kid: "unknown" } },
  Expired: { expiresIn: "-100000 seconds" },
  NotYetValid: { claims: { nbf: 100_000_000_000 } },
  InvalidIssuer: { claims: { iss: "https://other.example" } },
  InvalidAudience: { claims: { aud: "https://other.example" } },
  MissingClaim: { claims: { exp: undefined } }
}

const claimsOf = (caller: Caller, scopes: ReadonlyArray<string>): Readonly<Record<string, unknown>> => ({
  sub: caller.subject,
  client_id: caller.clientId,
  email: caller.email,
  email_verified: caller.email === undefined ? undefined : true,
  claim: caller.claim,
  scope: scopes.join(" ")
})

const sign = (
  { issuer }: ClosedApp,
  settings: GatewaySettings,
  caller: Caller,
  verdict: Verdict
): Effect.Effect<string> => {
  const { scopes } = identityOf(settings, caller)
  switch (verdict._tag) {
    case "Good":
      return issuer.sign({ claims: claimsOf(caller, scopes) })
    case "Unscoped": {
      const { instead = () => [], missing = 0 } = verdict
      const others = scopes.flatMap((scope, index) => index === missing ? instead(scope) : [scope])
      return issuer.sign({ claims: claimsOf(caller, others) })
    }
    case "Rejected": {
      const changes = spoilt[verdict.reason]
      return changes === undefined
        ? Effect.die(notApplicable)
        : issuer.sign({ ...changes, claims: { ...claimsOf(caller, scopes), ...changes.claims } })
    }
    default:
      return Effect.die(notApplicable)
  }
}

/**
 * Lets an MCP server behave as in a case, and returns the requests that it gets. A real one has no defects of the client's,
 * and is not late while time stands still.
 */
export const behave = (
  server: TestUpstream,
  behaviour: UpstreamBehaviour
): Effect.Effect<ReadonlyArray<UpstreamRequest>> =>
  Effect.suspend(() => {
    if (behaviour._tag === "TimedOut" || behaviour._tag === "Faulty") return Effect.die(notApplicable)
    const forwarded: Array<UpstreamRequest> = []
    server.behave((request) =>
      Effect.suspend(() => {
        forwarded.push(request)
        return send(behaviour, request)
      })
    )
    return Effect.succeed(forwarded)
  })

/** Starts a connected app in the circumstances of a case, as far as they can be brought about. */
export const startClosed = Effect.fnUntraced(function*(
  closed: ClosedApp,
  app: HttpApp["Service"],
  circumstances: Circumstances
): Effect.fn.Return<Started, never, Scope.Scope> {
  const { caller, others = [], providersDown = false, upstream, verdict } = circumstances
  if (providersDown) return yield* Effect.die(notApplicable)
  const settings = yield* GatewayConfig.pipe(
    Effect.provide(GatewayConfig.layer(closed.settings), { local: true }),
    Effect.orDie
  )
  const tokens = new Map([[caller.token, yield* sign(closed, settings, caller, verdict)]])
  for (const other of others) tokens.set(other.token, yield* sign(closed, settings, other, { _tag: "Good" }))
  return {
    app,
    settings,
    forwarded: yield* behave(closed.upstream, upstream),
    verified: undefined,
    tokenOf: ({ token }) => tokens.get(token) ?? token,
    identityOf: (caller) => ({
      ...identityOf(settings, caller),
      issuer: closed.issuer.issuer,
      principal: "user"
    })
  }
})

/**
 * Requirements that need more than a connected app can be given: the metadata of the suite's providers, other settings than
 * those that the case names, and tokens of any length.
 */
const leftOut: ReadonlySet<string> = new Set([
  "APP-30",
  "APP-31",
  "APP-32",
  "APP-33",
  "APP-59",
  "APP-76"
])

/** Leaves out the values of a requirement that do not apply. */
const changed = (
  requirement: Requirement<Subject>,
  change: <A>(value: A) => A | undefined
): Requirement<Subject> => ({
  ...requirement,
  property: (use) =>
    requirement.property((values, holds) =>
      use(values, (value) => {
        const applicable = change(value)
        return applicable === undefined
          ? Effect.void
          : Effect.catchDefect(
            holds(applicable),
            (defect) => defect === notApplicable ? Effect.void : Effect.die(defect)
          )
      })
    )
})

/** The requirements as far as they apply to an app with its own client. */
export const requirementsForOwnClient = (
  requirements: ReadonlyArray<Requirement<Subject>>
): ReadonlyArray<Requirement<Subject>> => requirements.map((requirement) => changed(requirement, (value) => value))

/** The requirements as far as they apply to a connected app: those of their values that do not need other settings. */
export const requirementsFor = (
  { settings }: ClosedApp,
  requirements: ReadonlyArray<Requirement<Subject>>
): ReadonlyArray<Requirement<Subject>> => {
  const fits = (generated: GatewayConfigInput): boolean =>
    Object.entries(narrowedIn(generated)).every(([name, wanted]) =>
      JSON.stringify(wanted) === JSON.stringify(settings[name as keyof GatewayConfigInput])
    )
  return requirements.filter(({ id }) => !leftOut.has(id)).map((requirement) =>
    changed(requirement, (value) => {
      // Every requirement on apps generates settings under this name.
      const { settings: generated = {} } = value as { readonly settings?: GatewayConfigInput }
      return fits(generated) ? { ...value, settings } : undefined
    })
  )
}
