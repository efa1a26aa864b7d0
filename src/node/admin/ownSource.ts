import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Redacted from "effect/Redacted"
import * as Result from "effect/Result"
import { noActivity } from "../../admin/activity/Activity.ts"
import { AdminSource, type TokenAccess } from "../../admin/AdminSource.ts"
import { gatewayFacts } from "../../admin/gatewayFacts.ts"
import { worstStates } from "../../admin/worstStates.ts"
import { requireListed } from "../../authorize/requireListed.ts"
import { type GatewaySettings, serversOf } from "../../config/GatewaySettings.ts"
import { perConfiguration } from "../../config/perConfiguration.ts"
import { bearerToken } from "../../credential/parseAuthorization.ts"
import { explain } from "../../explain/explain.ts"
import { Requester } from "../../fairness/Requester.ts"
import type { Identity } from "../../identity/Identity.ts"
import { readPoints } from "../../metrics/MetricPoint.ts"
import { ScopeHierarchy } from "../../rules/ScopeHierarchy.ts"
import { Generations } from "../generations/Generations.ts"
import { hostWarnings } from "../hostWarnings.ts"
import { ActivityRecorder } from "./ActivityRecorder.ts"

/** Whether a verified caller may read the admin port. */
const accessOf = (settings: GatewaySettings, identity: Identity): TokenAccess => {
  const { adminScopes, scopeImplies = ScopeHierarchy.none } = settings
  if (Result.isFailure(requireListed(settings, identity))) return "Rejected"
  return adminScopes.every((scope) => scopeImplies.has(identity.scopes, scope)) ? "Allowed" : "MissingScopes"
}

const isTemporary: ReadonlySet<string> = new Set(["ProviderUnavailable", "RateLimited", "StoreUnavailable"])

/** The best result of all servers counts, because a token is for one of them. */
const ranks: Readonly<Record<TokenAccess, number>> = { Allowed: 3, MissingScopes: 2, Unavailable: 1, Rejected: 0 }

const best = (found: ReadonlyArray<TokenAccess>): TokenAccess =>
  found.reduce((one, other) => ranks[other] > ranks[one] ? other : one, "Rejected")

/**
 * The data of this process alone for the admin port.
 *
 * A token is verified in the same way as in a request to an MCP server, for each server until one accepts it.
 */
export const makeOwnSource = Effect.gen(function*() {
  const generations = yield* Generations
  const context = yield* Effect.context<never>()

  const recorder = yield* ActivityRecorder

  return AdminSource.of({
    activity: Effect.sync(() => recorder?.activity() ?? noActivity),
    decisions: Effect.sync(() => recorder?.decisions() ?? []),
    providers: Effect.suspend(() =>
      Effect.forEach(generations.current.app.servers, ({ providers }) => providers.states ?? Effect.succeed([]), {
        concurrency: "unbounded"
      })
    ).pipe(Effect.map((found) => ({ processes: 1, heard: 1, states: worstStates(found) }))),
    facts: Effect.sync(() => {
      const { settings } = generations.current
      return gatewayFacts(settings, hostWarnings(settings))
    }),
    explain: ({ method, server, token, tool }) =>
      Effect.suspend(() => {
        const found = generations.current.app.servers.find((one) =>
          one.verifier !== undefined && one.settings.serverName === server
        )
        return found === undefined
          ? Effect.undefined
          : Effect.provideService(
            explain(
              { registry: found.providers, settings: found.settings, verifier: found.verifier },
              Redacted.make(token),
              {
                method,
                tool
              }
            ),
            Requester,
            { group: "", member: "admin", isKnown: false }
          )
      }),
    metrics: Effect.sync(() => readPoints(context)),
    authorize: Effect.fnUntraced(function*({ token }) {
      const { app, settings } = generations.current
      const found: Array<TokenAccess> = []
      for (const [index, server] of serversOf(settings).entries()) {
        const course = app.servers[index]?.course
        if (course === undefined) continue
        const access = yield* Effect.match(course.perform.verify(() => bearerToken(token)), {
          onSuccess: (identity) => accessOf(server, identity),
          onFailure: ({ _tag }): TokenAccess => isTemporary.has(_tag) ? "Unavailable" : "Rejected"
        })
        if (access === "Allowed") return access
        found.push(access)
      }
      return best(found)
    }, (effect, { peer }) => Effect.provideService(effect, Requester, { group: peer, member: "admin", isKnown: false }))
  })
})

/** `makeOwnSource` as a layer of the gateway in this process. */
export const layerOwnSource: Layer.Layer<AdminSource, never, Generations> = perConfiguration(
  Layer.effect(AdminSource, makeOwnSource)
)
