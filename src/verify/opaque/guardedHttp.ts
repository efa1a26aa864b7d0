import * as Effect from "effect/Effect"
import type { ProviderHttp } from "../../remote/ProviderHttp.ts"
import { loggedUrl, ProviderRequestFailed } from "../../remote/ProviderRequestFailed.ts"
import { makeGuard } from "./guard.ts"

const isProviderFailure = ({ kind, status }: ProviderRequestFailed): boolean =>
  kind === "Unreachable" || kind === "Timeout" || (status ?? 0) >= 500

const overloaded = () =>
  new ProviderRequestFailed({ kind: "Overloaded", url: "", found: "too many concurrent requests" })

const circuitOpen = (last: ProviderRequestFailed | undefined) =>
  new ProviderRequestFailed({
    kind: "CircuitOpen",
    url: "",
    found: last === undefined ? undefined : `paused after ${last.summary.slice(last.url.length + 2)}`
  })

/** Guards the requests to one provider with `makeGuard`, so that a failing provider does not affect the others. */
export const makeGuardedHttp = (http: ProviderHttp["Service"], sharedIo = true): ProviderHttp["Service"] => {
  const guard = makeGuard({ isProviderFailure, overloaded, circuitOpen }, sharedIo)
  return {
    send: (request) => {
      const url = URL.canParse(request.url) ? loggedUrl(new URL(request.url)) : ""
      return Effect.mapError(
        guard(http.send(request)),
        (error) =>
          error.kind === "Overloaded" || error.kind === "CircuitOpen"
            ? new ProviderRequestFailed({ kind: error.kind, url, found: error.found })
            : error
      )
    }
  }
}
